// The contract of whoever opens real connections from one end to another and says what came of each.
import type { IpAddress } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { NamespaceFd } from './network-namespace.ts';

/** One connection to try. */
export interface ProbeTask {
  readonly namespace: NamespaceFd;
  /** The address to open it from; one of the namespace's own. */
  readonly source: IpAddress;
  readonly target: IpAddress;
  /** Where the target lives: needed for SCTP, which hosts mostly cannot answer, so that its arrival is watched there. */
  readonly targetNamespace: NamespaceFd;
  readonly protocol: Protocol;
  readonly port: number;
  /** Of UDP, sent in place of the prober's own: then any answer of the target's counts as a reply. */
  readonly datagram?: Uint8Array;
}

/**
 * `connected`: TCP's handshake was completed. `replied`: the datagram came back. `refused`: the target itself answered
 * that nothing listens there (a reset, an ICMP port unreachable), or a firewall did in its name. `arrived`: seen at the target. `failed`: this
 * host could not even send, or was told that there is no way. `silent`: nothing was heard so far.
 */
export type ProbeAnswer = 'connected' | 'replied' | 'refused' | 'arrived' | 'failed' | 'silent';

export interface Prober {
  /** Sends all at once; at most `tasksMax`. */
  open(tasks: readonly ProbeTask[]): ProbeRound;
  readonly tasksMax: number;
}

/** Connections under way; must be closed. */
export interface ProbeRound {
  /** By position of the task; changes while answers are collected. */
  readonly answers: readonly ProbeAnswer[];
  /**
   * Gathers answers until every task but those of `isSettled` has one, or for so long. 0 takes what is there already.
   * Gives way to the event loop now and then.
   */
  collect(waitMs: number, isSettled?: (task: number) => boolean): Promise<void>;
  /** Of those that failed, the error number; 0 for others. */
  errnoOf(task: number): number;
  close(): void;
}
