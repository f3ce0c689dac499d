// The contract of whatever holds policy in a kernel: the real one writes nftables elements over netlink, the fake decides packets in memory.
import type { IpAddress } from '../base/ip-address.ts';
import type { Ruleset } from '../emit/ruleset.ts';

export interface Firewall {
  /** Loads the skeleton and the elements, hooks last; replaces a table of ours that is there. */
  load(ruleset: Ruleset): void;
  /** Writes only what differs from what is held: elements in one atomic batch, then the generation when something was taken away. */
  change(wanted: Ruleset): void;
  /** What the kernel holds now, read back from it. */
  read(): Ruleset;
  /** The ledger since the last call with `drain`: each connection opened or refused, with its count of judged packets. */
  readLedger(options?: { readonly drain: boolean }): readonly LedgerEntry[];
  /** Takes the table away. */
  remove(): void;
  close(): void;
}

export interface LedgerEntry {
  readonly verdict: 'allowed' | 'denied';
  readonly source: IpAddress;
  readonly target: IpAddress;
  /** IP protocol number: 6 TCP, 17 UDP, 132 SCTP. */
  readonly protocol: number;
  /** Destination port after address translation; 0 for protocols without ports. */
  readonly port: number;
  /** Why it was refused; undefined for what was allowed. */
  readonly refusal: Refusal | undefined;
  readonly packets: number;
}

export type Refusal = 'egress' | 'ingress' | 'unknown-pod' | 'no-connection';
