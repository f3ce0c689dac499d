// The contract of whatever hands out the packets that rules of our table send to a log group: a copy of each, whatever becomes of it.
import type { FirewallError } from './firewall-error.ts';

export interface PacketLog {
  /** Nothing is told from here on. */
  close(): void;
}

export interface LoggedPacket {
  /** As the rule says it. */
  readonly prefix: string;
  /** From the IP header on, as far as the rule has it copied; good during the call alone. */
  readonly bytes: Uint8Array;
}

export interface PacketListener {
  packet(packet: LoggedPacket): void;
  /** More came than was read in time: some are missing. */
  lost(): void;
  /** Nothing more will come. */
  failed(error: FirewallError): void;
}

/** Throws FirewallError where the kernel has no log groups, or another process listens to this one. */
export type OpenPacketLog = (listener: PacketListener) => PacketLog;
