// What the kernel's ledger counts on one node, as flows: drained step by step and before what changes their names or rules, named by who had the address then, and judged once more.
import { agreesWithKernel } from '../flow/agrees-with-kernel.ts';
import { portedProtocol } from '../flow/flow-protocol.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { ledgerFlow } from '../flow/ledger-flows.ts';
import type { Clock } from '../base/clock.ts';
import type { ClusterChange } from '../compile/cluster-change.ts';
import type { Firewall, LedgerEntry } from '../kernel/firewall.ts';
import { FirewallError } from '../kernel/firewall-error.ts';
import type { ClusterObject } from '../kube/cluster-api.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { SLACK_MS } from './address-book.ts';
import { DrainPace } from './drain-pace.ts';
import { FlowReasons } from './flow-reasons.ts';
import type { FlowSink } from './flow-sink.ts';
import { NodeEnds } from './node-ends.ts';
import type { SeenNames } from './seen-names.ts';

export interface NodeFlowsOptions {
  readonly node: string;
  readonly firewall: Pick<Firewall, 'readLedger' | 'readUnrecorded'>;
  readonly clock: Clock;
  /** Another engine decides: what the policies say stands beside what it did, whether they agree or not. */
  readonly observes: boolean;
}

/** Of the kernel's ledger; counts since the start. */
export interface FlowsState {
  readonly drains: number;
  /** All drains together. */
  readonly drainMs: number;
  readonly records: number;
  /** Judgments: a flow that is judged again counts again. */
  readonly allowed: number;
  readonly denied: number;
  /** For which the kernel's ledger had no room. */
  readonly lost: number;
  /** Of those that are told, judgments that no rule in force then explains. */
  readonly unexplained: number;
  /** Drains that the kernel refused. */
  readonly failures: number;
}

/** Told of each drain, before its entries are named: what the kernel counted, and the cluster whose policies were in force. */
export type LedgerListener = (entries: readonly LedgerEntry[], cluster: Cluster) => void;

/** One object each: a drain has tens of thousands. */
type Unjudged = { -readonly [Key in keyof FlowRecord]: FlowRecord[Key] };

/** Refusals that come together are drained together. */
const GATHER_MS = 30;

/** A class, for it lives in time. */
export class NodeFlows {
  readonly #options: NodeFlowsOptions;
  readonly #ends: NodeEnds;
  readonly #pace: DrainPace;
  readonly #reasons = new FlowReasons();
  readonly #listeners = new Set<LedgerListener>();
  readonly #sinks = new Set<FlowSink>();
  #cluster: (() => Cluster) | undefined;
  #lastMs = 0;
  #lastTookMs = 0;
  #unrecorded = 0;
  #cancel: (() => void) | undefined;
  #cancelRinging: (() => void) | undefined;
  #isStopped = false;
  /** Before the last pod that took an address of another. */
  #isDrained = false;
  #state: FlowsState = { drains: 0, drainMs: 0, records: 0, allowed: 0, denied: 0, lost: 0, unexplained: 0, failures: 0 };

  constructor(options: NodeFlowsOptions) {
    this.#options = options;
    this.#ends = new NodeEnds(options.node);
    this.#pace = new DrainPace(options.clock);
  }

  /** Of the hosts that pods of the node looked up. */
  get names(): SeenNames {
    return this.#ends.names;
  }

  get state(): FlowsState {
    return this.#state;
  }

  /** Gives what takes it back. */
  addSink(sink: FlowSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  addListener(listener: LedgerListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `cluster` is what is enforced now. */
  begin(cluster: () => Cluster): void {
    this.#cluster = cluster;
    const nowMs = this.#options.clock.elapsedMs();
    for (const pod of cluster().pods) this.#ends.book.put(pod, { nowMs, isDrained: true });
    this.#lastMs = nowMs;
    this.#schedule();
  }

  /** Before a change is taken in: what was counted until now belongs to those that had the addresses, and to the policies that were. */
  before(change: ClusterChange): void {
    const isOfPolicy = change.kind.endsWith('policy') || change.kind === 'put-namespace';
    // Counts of two pods under one address nobody can tell apart afterwards; of one that left, by when its last packet came.
    if (change.kind === 'put-pod' && this.#ends.book.isNews(change.pod)) this.#isDrained = this.drain();
    else if (isOfPolicy || change.kind === 'remove-pod') this.drainSoon();
    // Only what was asked before a change of policies is of any use after it.
    if (isOfPolicy) this.#reasons.forget();
    if (change.kind.endsWith('namespace') || change.kind.endsWith('node')) this.#ends.age();
  }

  after(change: ClusterChange): void {
    if (this.#cluster !== undefined && change.kind === 'put-pod') this.#ends.book.put(change.pod, { nowMs: this.#options.clock.elapsedMs(), isDrained: this.#isDrained });
  }

  /** As it was. */
  removed(pod: Pod): void {
    if (this.#cluster === undefined) return;
    this.#ends.book.remove(pod, this.#options.clock.elapsedMs());
    for (const address of pod.addresses) this.names.forget(address);
  }

  /** As `namespace/name`; undefined: it is gone. */
  putService(name: string, object: ClusterObject | undefined): void {
    const isNews = this.#ends.services.isNews(name, object);
    this.#ends.services.put(name, object, !isNews || this.drain());
  }

  /** Somebody wants to see what happens now. */
  follow(): void {
    if (this.#pace.follow()) this.#schedule();
  }

  /** Unless drains would take more than their part. */
  drainSoon(): boolean {
    return this.#pace.owedMs() === 0 && this.#drainBeside();
  }

  /** Something was refused: it is told as soon as drains may go on. */
  ring(): void {
    if (this.#cancelRinging !== undefined || this.#isStopped) return;
    const { clock } = this.#options;
    this.#cancelRinging = clock.after(Math.max(GATHER_MS, this.#pace.owedMs()), () => {
      this.#cancelRinging = undefined;
      this.#drainBeside();
    });
  }

  /** false: the kernel refused, or nothing is told any more. */
  drain(): boolean {
    const { clock, firewall } = this.#options;
    if (this.#cluster === undefined || this.#isStopped) return false;
    const startMs = clock.elapsedMs();
    let entries: readonly LedgerEntry[];
    let lost: number;
    try {
      entries = firewall.readLedger({ drain: true });
      lost = this.#lostSince(firewall.readUnrecorded());
    } catch (error) {
      // Nothing is taken off what the kernel counts: the next drain has it.
      if (!(error instanceof FirewallError)) throw error;
      this.#state = { ...this.#state, failures: this.#state.failures + 1 };
      return false;
    }
    const cluster = this.#cluster();
    for (const listener of this.#listeners) listener(entries, cluster);
    const records = this.#recordsOf(entries, { cluster, startMs });
    this.#count(records, lost);
    for (const sink of this.#sinks) sink.take(records, lost);
    this.#ends.book.forget(startMs - SLACK_MS);
    this.#ends.services.drained();
    this.#lastMs = startMs;
    this.#lastTookMs = clock.elapsedMs() - startMs;
    this.#state = { ...this.#state, drains: this.#state.drains + 1, drainMs: this.#state.drainMs + this.#lastTookMs };
    return true;
  }

  /** What is there still is taken. */
  stop(): void {
    this.drain();
    this.#isStopped = true;
    this.#cancel?.();
    this.#cancelRinging?.();
  }

  #drainBeside(): boolean {
    const startMs = this.#options.clock.elapsedMs();
    const isDrained = this.drain();
    if (isDrained) this.#pace.pay(startMs, this.#lastTookMs);
    return isDrained;
  }

  #schedule(): void {
    this.#cancel?.();
    if (this.#isStopped || this.#cluster === undefined) return;
    this.#cancel = this.#options.clock.after(this.#pace.stepMs(this.#lastTookMs), () => {
      this.drain();
      this.#schedule();
    });
  }

  /** A table that was loaded anew counts from nothing. */
  #lostSince(unrecorded: number): number {
    const lost = unrecorded >= this.#unrecorded ? unrecorded - this.#unrecorded : unrecorded;
    this.#unrecorded = unrecorded;
    return lost;
  }

  #count(records: readonly FlowRecord[], lost: number): void {
    const before = this.#state;
    const sum = (verdict: FlowRecord['verdict']): number => records.reduce((total, record) => (record.verdict === verdict ? total + record.count : total), 0);
    this.#state = { ...before, records: before.records + records.length, allowed: before.allowed + sum('allowed'), denied: before.denied + sum('denied'), lost: before.lost + lost };
  }

  /** `startMs`: before the kernel was asked, so that nothing counts as seen later than it was. */
  #recordsOf(entries: readonly LedgerEntry[], { cluster, startMs }: { readonly cluster: Cluster; readonly startMs: number }): readonly FlowRecord[] {
    this.#ends.learn(cluster);
    const { clock, node, observes } = this.#options;
    const time = clock.now().getTime() - (clock.elapsedMs() - startMs);
    const sinceMs = time - (startMs - this.#lastMs);
    const records = entries.map((entry): Unjudged => {
      const seenMs = startMs - entry.idleMs;
      const lastSeen = time - entry.idleMs;
      const names = this.names.of(entry.source, entry.target);
      const record: Unjudged = ledgerFlow(entry, (address) => this.#ends.endAt(address, { seenMs, names: address === entry.target ? names : NO_NAMES }), { timeMs: lastSeen, node });
      record.firstSeen = entry.packets === 1 ? lastSeen : Math.min(sinceMs, lastSeen);
      record.openings = openingsOf(entry);
      record.service = this.#ends.serviceOf(entry);
      return record;
    });
    const reasons = this.#reasons.reasonsOf(cluster, records, (end) => this.#ends.podOf(end));
    let unexplained = 0;
    for (const [index, record] of records.entries()) {
      const entry = entries[index]!;
      const reason = reasons[index];
      if (reason !== undefined && (observes || agreesWithKernel(reason, entry, (direction) => this.#ends.isLocal(direction === 'egress' ? record.source : record.target)))) record.reason = reason;
      else unexplained += entry.packets;
    }
    if (unexplained > 0) this.#state = { ...this.#state, unexplained: this.#state.unexplained + unexplained };
    return records;
  }
}

const NO_NAMES: readonly string[] = [];

/** A packet of an opening that is sent again, or judged again after a change of policy, counts again: never less than the truth. */
function openingsOf({ verdict, protocol, packets }: LedgerEntry): number | undefined {
  if (portedProtocol(protocol) === undefined) return undefined;
  return verdict === 'allowed' ? packets : 0;
}
