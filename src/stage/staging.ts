// Follows the staged policies of a cluster and its audited namespaces on one node: judges them by the kernel's ledger step by step, and writes what was counted of staged ones into their status.
import type { NodeFlows } from '../observe/observe.ts';
import type { Clock } from '../base/clock.ts';
import type { Cluster } from '../model/cluster.ts';
import type { ClusterApi, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { AuditedPolicy } from '../agent/policies-in-force.ts';
import { readStaged, STAGED_CLUSTER_POLICY, STAGED_KINDS, STAGED_POLICY } from './read-staged.ts';
import { StagedCounter } from './stage.ts';
import type { StagedCount } from './staged-count.ts';

export interface StagingOptions {
  readonly api: Pick<ClusterApi, 'watch' | 'patchStatus'>;
  /** Drained in steps by the agent, which alone may. */
  readonly ledger: Pick<NodeFlows, 'addListener' | 'drain'>;
  readonly node: string;
  /** What is in force; undefined until it is. */
  readonly inForce: () => Cluster | undefined;
  /** Policies of audited namespaces. */
  readonly audited: () => readonly AuditedPolicy[];
  readonly clock: Clock;
  /** Told of what could not be written or read; it is tried again by itself. */
  readonly onFailure: (error: Error) => void;
  readonly signal: AbortSignal;
}

/** Between two looks at what is counted. */
const STEP_MS = 15_000;
/** Between two writes into one status; and so much more for each node, for every node writes and hears what all write. */
const WRITE_MS = 60_000;
const WRITE_MS_PER_NODE = 2_000;

/** A class, for it lives in time. */
export class Staging {
  readonly #options: StagingOptions;
  readonly #counter = new StagedCounter();
  readonly #written = new Map<string, { readonly atMs: number; readonly text: string }>();
  /** By audited namespace under which uid its policies are counted: another one as soon as any of them changes. */
  #audits: ReadonlyMap<string, string> = new Map();
  #cancelStep: (() => void) | undefined;

  constructor(options: StagingOptions) {
    this.#options = options;
  }

  get counts(): readonly StagedCount[] {
    return this.#counter.counts();
  }

  /** Ends with the signal. */
  async run(): Promise<void> {
    const { signal, ledger } = this.#options;
    this.#scheduleStep();
    const stopListening = ledger.addListener((entries, cluster) => {
      if (!this.#counter.isEmpty) this.#counter.count(entries, { cluster, node: this.#options.node, now: this.#options.clock.now() });
    });
    signal.addEventListener('abort', () => [this.#cancelStep, stopListening].forEach((end) => end?.()), { once: true });
    await Promise.all(STAGED_KINDS.map((kind) => this.#follow(kind)));
  }

  async #follow(kind: ServedKind): Promise<void> {
    const { api, signal, onFailure } = this.#options;
    const uids = new Map<string, string>();
    let told: Set<string> | undefined;
    for await (const event of api.watch(kind, { signal })) {
      if (event.kind === 'trouble') onFailure(event.error);
      else if (event.kind === 'restart') told = new Set();
      else if (event.kind === 'put') {
        const key = `${event.object.metadata.namespace ?? ''}/${event.object.metadata.name}`;
        told?.add(key);
        const staged = readStaged(event.object);
        if (uids.get(key) !== undefined && uids.get(key) !== staged.uid) this.#forget(uids.get(key)!);
        uids.set(key, staged.uid);
        this.#begin();
        this.#counter.put(staged, this.#options.clock.now());
      } else if (event.kind === 'remove') this.#remove(uids, `${event.object.metadata.namespace ?? ''}/${event.object.metadata.name}`);
      else if (event.kind === 'synced') {
        for (const key of uids.keys()) if (told !== undefined && !told.has(key)) this.#remove(uids, key);
        told = undefined;
      }
    }
  }

  /** What the ledger holds from before the first staged policy is none of their business. */
  #begin(): void {
    if (this.#counter.isEmpty) this.#options.ledger.drain();
  }

  #remove(uids: Map<string, string>, key: string): void {
    const uid = uids.get(key);
    uids.delete(key);
    if (uid !== undefined) this.#forget(uid);
  }

  #forget(uid: string): void {
    this.#counter.remove(uid);
    this.#written.delete(uid);
  }

  #scheduleStep(): void {
    const { clock, signal } = this.#options;
    if (signal.aborted) return;
    this.#cancelStep = clock.after(STEP_MS, () => {
      this.#step();
      this.#scheduleStep();
    });
  }

  #step(): void {
    const cluster = this.#options.inForce();
    this.#followAudits();
    if (this.#counter.isEmpty || cluster === undefined) return;
    for (const count of this.counts) if (count.kind !== 'Namespace') void this.#publish(count, cluster.nodes.length);
  }

  #followAudits(): void {
    const byNamespace = new Map<string, AuditedPolicy[]>();
    for (const policy of this.#options.audited()) byNamespace.set(policy.namespace, [...(byNamespace.get(policy.namespace) ?? []), policy]);
    const audits = new Map([...byNamespace].map(([namespace, policies]) => [namespace, `${namespace} ${policies.map(({ uid, generation }) => `${uid} ${generation}`).sort().join(' ')}`]));
    for (const [namespace, uid] of this.#audits) if (audits.get(namespace) !== uid) this.#forget(uid);
    for (const [name, uid] of audits) {
      if (this.#audits.get(name) === uid) continue;
      this.#begin();
      this.#counter.put({ kind: 'Namespace', name, uid, generation: 0, policies: byNamespace.get(name)!.map(({ audited }) => audited) }, this.#options.clock.now());
    }
    this.#audits = audits;
  }

  async #publish(count: StagedCount, nodes: number): Promise<void> {
    const { api, clock, node, onFailure } = this.#options;
    const written = this.#written.get(count.uid);
    const text = JSON.stringify({ ...count, until: undefined });
    if (written !== undefined && (written.text === text || clock.elapsedMs() - written.atMs < Math.max(WRITE_MS, nodes * WRITE_MS_PER_NODE))) return;
    this.#written.set(count.uid, { atMs: clock.elapsedMs(), text });
    const served = count.kind === 'StagedPolicy' ? STAGED_POLICY : STAGED_CLUSTER_POLICY;
    try {
      await api.patchStatus({ served, ...(count.namespace === undefined ? {} : { namespace: count.namespace }), name: count.name }, { nodes: { [node]: statusOf(count) } });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.code !== 'not-found') onFailure(error);
    }
  }
}

/** null takes away what an earlier generation left. */
function statusOf({ generation, since, until, judged, wouldRefuse, wouldAllow, unknown, rules, witnesses, problem }: StagedCount): { readonly [field: string]: unknown } {
  const at = (time: Date): string => time.toISOString().replace(/\.[0-9]+Z$/, 'Z');
  return { generation, since: at(since), until: at(until), judged, wouldRefuse, wouldAllow, unknown, rules, witnesses, problem: problem ?? null };
}
