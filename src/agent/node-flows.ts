// What the kernel's ledger counts on one node, as flows: drained step by step and before what changes their names or rules, named by who had the address then, and judged once more.
import type { Clock } from '../base/clock.ts';
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { ClusterChange } from '../compile/cluster-change.ts';
import { agreesWithKernel } from '../flow/agrees-with-kernel.ts';
import { portedProtocol } from '../flow/flow-protocol.ts';
import type { FlowEnd, FlowRecord } from '../flow/flow-record.ts';
import { ledgerFlow, podEnd } from '../flow/ledger-flows.ts';
import type { Firewall, LedgerEntry } from '../kernel/firewall.ts';
import { FirewallError } from '../kernel/firewall-error.ts';
import type { ClusterObject } from '../kube/cluster-api.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { AddressBook, SLACK_MS } from './address-book.ts';
import type { FlowsState } from './agent-state.ts';
import { FlowReasons } from './flow-reasons.ts';
import type { FlowSink } from './flow-sink.ts';
import { SeenNames } from './seen-names.ts';
import { ServiceNames } from './service-names.ts';

export interface NodeFlowsOptions {
  readonly node: string;
  readonly firewall: Pick<Firewall, 'readLedger' | 'readUnrecorded'>;
  readonly clock: Clock;
  /** Another engine decides: what the policies say stands beside what it did, whether they agree or not. */
  readonly observes: boolean;
}

/** One object each: a drain has tens of thousands. */
type Unjudged = { -readonly [Key in keyof FlowRecord]: FlowRecord[Key] };

/** Told of each drain, before its entries are named: what the kernel counted, and the cluster whose policies were in force. */
export type LedgerListener = (entries: readonly LedgerEntry[], cluster: Cluster) => void;

/** Design, "Flows": between two drains, and while somebody follows. */
const STEP_MS = 15_000;
const FOLLOWED_STEP_MS = 500;
/** Who has asked is taken to follow for so long. */
const FOLLOWED_MS = 30_000;
/** Refusals that come together are drained together. */
const GATHER_MS = 30;
/** Drains beside the steps take one part in so many of a core. */
const PACE = 50;
/** They may be so far ahead of that, so that what is refused after a step, or in a handful, is told at once. */
const AHEAD_MS_MAX = 1_000;

/** A class, for it lives in time. */
export class NodeFlows {
  readonly #options: NodeFlowsOptions;
  readonly #book = new AddressBook();
  /** Of the hosts that pods of the node looked up. */
  readonly names: SeenNames = new SeenNames();
  readonly #services = new ServiceNames();
  readonly #reasons = new FlowReasons();
  /** By the pod as it was, which has one address of a family; of hosts by address and names. */
  readonly #ends: Readonly<Record<IpFamily, Map<Pod | string, FlowEnd>>> = { 4: new Map(), 6: new Map() };
  readonly #podOfEnd = new WeakMap<FlowEnd, Pod>();
  readonly #listeners = new Set<LedgerListener>();
  readonly #sinks = new Set<FlowSink>();
  #cluster: (() => Cluster) | undefined;
  #nodes: ReadonlyMap<string, string> = new Map();
  #namespaces: ReadonlyMap<string, Pod['labels']> = new Map();
  #areNamesOld = true;
  #lastMs = 0;
  #lastTookMs = 0;
  /** When the drains beside the steps will have taken no more than their part. */
  #paidMs = Number.NEGATIVE_INFINITY;
  #followedUntilMs = Number.NEGATIVE_INFINITY;
  #unrecorded = 0;
  #cancel: (() => void) | undefined;
  #cancelRinging: (() => void) | undefined;
  #isStopped = false;
  /** Before the last pod that took an address of another. */
  #isDrained = false;
  #state: FlowsState = { drains: 0, drainMs: 0, records: 0, allowed: 0, denied: 0, lost: 0, unexplained: 0, failures: 0 };

  constructor(options: NodeFlowsOptions) {
    this.#options = options;
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
    for (const pod of cluster().pods) this.#book.put(pod, { nowMs, isDrained: true });
    this.#lastMs = nowMs;
    this.#schedule();
  }

  /** Before a change is taken in: what was counted until now belongs to those that had the addresses, and to the policies that were. */
  before(change: ClusterChange): void {
    const isOfPolicy = change.kind.endsWith('policy') || change.kind === 'put-namespace';
    // Counts of two pods under one address nobody can tell apart afterwards; of one that left, by when its last packet came.
    if (change.kind === 'put-pod' && this.#book.isNews(change.pod)) this.#isDrained = this.drain();
    else if (isOfPolicy || change.kind === 'remove-pod') this.drainSoon();
    // Only what was asked before a change of policies is of any use after it.
    if (isOfPolicy) this.#reasons.forget();
    if (change.kind.endsWith('namespace') || change.kind.endsWith('node')) this.#areNamesOld = true;
  }

  after(change: ClusterChange): void {
    if (this.#cluster !== undefined && change.kind === 'put-pod') this.#book.put(change.pod, { nowMs: this.#options.clock.elapsedMs(), isDrained: this.#isDrained });
  }

  /** As it was. */
  removed(pod: Pod): void {
    if (this.#cluster === undefined) return;
    this.#book.remove(pod, this.#options.clock.elapsedMs());
    for (const address of pod.addresses) this.names.forget(address);
  }

  /** As `namespace/name`; undefined: it is gone. */
  putService(name: string, object: ClusterObject | undefined): void {
    const isNews = this.#services.isNews(name, object);
    this.#services.put(name, object, !isNews || this.drain());
  }

  /** Somebody wants to see what happens now. */
  follow(): void {
    const nowMs = this.#options.clock.elapsedMs();
    const isFollowed = nowMs < this.#followedUntilMs;
    this.#followedUntilMs = nowMs + FOLLOWED_MS;
    if (!isFollowed) this.#schedule();
  }

  /** Unless drains would take more than their part. */
  drainSoon(): boolean {
    return this.#owedMs() === 0 && this.#drainBeside();
  }

  /** Something was refused: it is told as soon as drains may go on. */
  ring(): void {
    if (this.#cancelRinging !== undefined || this.#isStopped) return;
    const { clock } = this.#options;
    this.#cancelRinging = clock.after(Math.max(GATHER_MS, this.#owedMs()), () => {
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
    this.#book.forget(startMs - SLACK_MS);
    this.#services.drained();
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

  #owedMs(): number {
    return Math.max(0, this.#paidMs - AHEAD_MS_MAX - this.#options.clock.elapsedMs());
  }

  #drainBeside(): boolean {
    const startMs = this.#options.clock.elapsedMs();
    const isDrained = this.drain();
    if (isDrained) this.#paidMs = Math.max(this.#paidMs, startMs) + this.#lastTookMs * PACE;
    return isDrained;
  }

  #schedule(): void {
    this.#cancel?.();
    if (this.#isStopped || this.#cluster === undefined) return;
    const { clock } = this.#options;
    const stepMs = clock.elapsedMs() < this.#followedUntilMs ? Math.max(FOLLOWED_STEP_MS, this.#lastTookMs * PACE) : STEP_MS;
    this.#cancel = clock.after(stepMs, () => {
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
    this.#learnNames(cluster);
    const { clock, node, observes } = this.#options;
    const time = clock.now().getTime() - (clock.elapsedMs() - startMs);
    const sinceMs = time - (startMs - this.#lastMs);
    const records = entries.map((entry): Unjudged => {
      const seenMs = startMs - entry.idleMs;
      const lastSeen = time - entry.idleMs;
      const names = this.names.of(entry.source, entry.target);
      const record: Unjudged = ledgerFlow(entry, (address) => this.#endAt(address, { seenMs, names: address === entry.target ? names : NO_NAMES }), { timeMs: lastSeen, node });
      record.firstSeen = entry.packets === 1 ? lastSeen : Math.min(sinceMs, lastSeen);
      record.openings = openingsOf(entry);
      record.service = this.#serviceOf(entry);
      return record;
    });
    const reasons = this.#reasons.reasonsOf(cluster, records, (end) => this.#podOfEnd.get(end));
    let unexplained = 0;
    for (const [index, record] of records.entries()) {
      const entry = entries[index]!;
      const reason = reasons[index];
      if (reason !== undefined && (observes || agreesWithKernel(reason, entry, (direction) => this.#isLocal(direction === 'egress' ? record.source : record.target)))) record.reason = reason;
      else unexplained += entry.packets;
    }
    if (unexplained > 0) this.#state = { ...this.#state, unexplained: this.#state.unexplained + unexplained };
    return records;
  }

  /** Only what address translation led to another place came by one. */
  #serviceOf({ asked, protocol }: LedgerEntry): string | undefined {
    return asked === undefined ? undefined : this.#services.nameAt({ ...asked, protocol, isOwnNode: this.#nodes.get(keyOf(asked.address)) === this.#options.node });
  }

  #isLocal(end: FlowEnd): boolean {
    return this.#podOfEnd.get(end)?.nodeName === this.#options.node;
  }

  #learnNames({ nodes, namespaces }: Cluster): void {
    const ends = Object.values(this.#ends);
    if (!this.#areNamesOld && ends.every(({ size }) => size < ENDS_MAX)) return;
    this.#areNamesOld = false;
    for (const ofFamily of ends) ofFamily.clear();
    this.#nodes = new Map(nodes.flatMap(({ name, addresses }) => addresses.map((address) => [keyOf(address), name] as const)));
    this.#namespaces = new Map(namespaces.map(({ name, labels }) => [name, labels]));
  }

  /** `names` of a host outside, as the other end was told them. */
  #endAt(address: IpAddress, { seenMs, names }: { readonly seenMs: number; readonly names: readonly string[] }): FlowEnd {
    const pod = this.#book.holderAt(address, seenMs);
    const key = pod ?? `${keyOf(address)} ${names.join()}`;
    const ends = this.#ends[address.family];
    let end = ends.get(key);
    if (end === undefined || end.address?.value !== address.value) {
      end = pod === undefined ? this.#outsideEnd(address, names) : podEnd(pod, this.#namespaces.get(pod.namespace), address);
      if (pod !== undefined) this.#podOfEnd.set(end, pod);
      ends.set(key, end);
    }
    return end;
  }

  #outsideEnd(address: IpAddress, names: readonly string[]): FlowEnd {
    const node = this.#nodes.get(keyOf(address));
    return { kind: 'outside', address, names, node, isOwnNode: node === this.#options.node };
  }
}

const NO_NAMES: readonly string[] = [];

/** Ends of one family that are kept as values; a flood of others is made anew. */
const ENDS_MAX = 16_384;

/** A packet of an opening that is sent again, or judged again after a change of policy, counts again: never less than the truth. */
function openingsOf({ verdict, protocol, packets }: LedgerEntry): number | undefined {
  if (portedProtocol(protocol) === undefined) return undefined;
  return verdict === 'allowed' ? packets : 0;
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}
