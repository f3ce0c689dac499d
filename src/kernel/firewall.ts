// The contract of whatever holds policy in a kernel: the real one writes nftables elements over netlink, the fake decides packets in memory.
import type { IpAddress } from '../base/ip-address.ts';
import type { Elements } from '../emit/element.ts';
import type { ChangePlan, ChangeStep } from '../emit/plan-change.ts';

/** Every call is synchronous; a refusal of the kernel is a `FirewallError`. */
export interface Firewall {
  /**
   * What a table holds that an earlier process left in force, so that `apply` can go on from there; undefined where
   * none is, or one that only `load` may replace: its rules are another version's, or not as we wrote them.
   */
  takeOver(): Elements | undefined;
  /** Loads the skeleton and what steps from empty sets put there, the hook last; replaces a table of ours that is there, without an open moment. */
  load(steps: readonly ChangeStep[]): void;
  /**
   * Writes a difference computed against what is held: elements first, then the generation when something was taken
   * away. After a failure what is held has to be read back, and a generation that is owed comes with the next plan.
   */
  apply(plan: ChangePlan): void;
  /** Calls back soon after others changed our table, or may have; gives what ends it. Costs nothing while nobody does. */
  watch(onTouched: () => void): () => void;
  /**
   * Puts back what others changed, closed first; for whoever was called back by `watch`, else it looks at everything.
   * undefined: all is as it should be. `wanted` is what the table is to hold.
   */
  repair(wanted: () => Elements): Drift | undefined;
  /** What the kernel holds now, read back from it, in no order. */
  read(): Elements;
  /** The ledger since the last call with `drain`: each connection opened or refused, with its count of judged packets. */
  readLedger(options?: { readonly drain: boolean }): readonly LedgerEntry[];
  /** Judged packets for which the ledger had no room, since the table was loaded. */
  readUnrecorded(): number;
  /**
   * For so long new connections to the addresses may be opened, as far as elements of `namedN` say so; more than that
   * until nobody says it again. `isAll`: nothing else is fresh any more.
   */
  freshen(places: readonly FreshAddress[], options: { readonly isAll: boolean }): void;
  /** What a table in force, whoever wrote it, knows of addresses that pods were told for names. */
  readNamed(): readonly HeldName[];
  /** Which connections there are now: source and target after address translation. */
  readConnections(): (source: IpAddress, target: IpAddress) => boolean;
  /** Why answers of DNS are not handed to the log group; undefined: they are. Known when something was loaded or taken over. */
  readonly answersProblem: string | undefined;
  /** Takes the table away, and the generations off the marks of connections: everything is open afterwards. No error when it is not there. */
  remove(): void;
  /** Gives the sockets back; the table stays. */
  close(): void;
}

/** An address that a pod was told. */
export interface FreshAddress {
  readonly pod: IpAddress;
  readonly address: IpAddress;
  /** From now on. */
  readonly seconds: number;
}

export interface HeldName extends FreshAddress {
  readonly names: readonly string[];
}

/**
 * `gone`: the table was away or switched off, and everything open until now. `rules`: its chains, sets or rules were
 * changed. `elements`: what stands in its sets.
 */
export interface Drift {
  readonly kind: 'gone' | 'rules' | 'elements';
  /** What was found, a phrase each; `DRIFT_PHRASES_MAX` at most. */
  readonly found: readonly string[];
  /** The last of those who did it, where the kernel said so. */
  readonly by: Culprit | undefined;
}

/** Beyond it one more phrase says how many there are. */
export const DRIFT_PHRASES_MAX = 20;

/** A process that changed our table. */
export interface Culprit {
  readonly pid: number;
  readonly name: string;
}

export interface LedgerEntry {
  readonly verdict: 'allowed' | 'denied';
  /** The real client and the real back end: after address translation. */
  readonly source: IpAddress;
  readonly target: IpAddress;
  /** IP protocol number: 6 TCP, 17 UDP, 132 SCTP. */
  readonly protocol: number;
  /** Destination port after address translation; 0 for protocols without ports. */
  readonly port: number;
  /** The address and port that the client asked for, where address translation made others of them: those of a Service. */
  readonly asked: AskedPlace | undefined;
  /** Why it was refused; undefined for what was allowed. */
  readonly refusal: Refusal | undefined;
  /** Id of the profile that let it through, the target's where both ends are isolated; 0 where none was asked. */
  readonly profile: number;
  /** Packets that were judged: retransmissions and flows judged again count each time. */
  readonly packets: number;
  /** Since the last of them, in milliseconds. */
  readonly idleMs: number;
}

export interface AskedPlace {
  readonly address: IpAddress;
  readonly port: number;
}

/** Which end refused: `egress` the source, `ingress` the target. */
export type Refusal = 'egress' | 'ingress' | 'unknown-pod' | 'no-connection';

export interface FirewallOptions {
  /** Name of our table in family `inet`; `bulkhead` when missing. */
  readonly table?: string;
  /** What a refused new connection gets: silence, or an answer. A live connection that is cut always gets a reset. */
  readonly deny?: 'drop' | 'reject';
  /**
   * Connections that a change would refuse: `cut` ends them at their next packet, `keep` lets them live as long as
   * both pods do. What no policy ever judged is judged at its next packet either way. `cut` when missing.
   */
  readonly onChange?: 'cut' | 'keep';
  /** Log group to which answers of DNS to pods under rules that name domains are handed; to none when missing. */
  readonly answerGroup?: number;
  /** Log group that is rung for new refusals, a few times for each pair of ends; none when missing. The ledger has them all. */
  readonly denialGroup?: number;
}
