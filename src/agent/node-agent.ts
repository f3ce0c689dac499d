// The node agent: takes what the API server tells, keeps the kernel of its node at it, and knows what is in force since when.
import { NodeFlows } from '../observe/observe.ts';
import type { Clock } from '../base/clock.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { asksForAudit, AUDIT_LABEL } from '../model/namespace-audit.ts';
import type { ClusterObject } from '../kube/cluster-api.ts';
import type { ClusterError } from '../kube/cluster-error.ts';
import type { Program } from '../compile/program.ts';
import { formatDrift } from '../kernel/format-drift.ts';
import type { Drift, Firewall } from '../kernel/firewall.ts';
import { FirewallError, isLackOfRoom } from '../kernel/firewall-error.ts';
import { ADDRESS_BLOCKS_MAX } from './address-blocks.ts';
import type { AgentState, CommitState, KernelState, PodCounts, TroubleCode } from './agent-state.ts';
import { addCommit, NO_COMMITS } from './commit-times.ts';
import type { ServicesListener } from './follow-services.ts';
import { KernelWriter } from './kernel-writer.ts';
import { LocalRanges } from './local-ranges.ts';
import { NodeNames } from './node-names.ts';
import { PoliciesInForce, type AuditedPolicy } from './policies-in-force.ts';
import type { ClusterListener, ToldChange, ToldPolicy } from './told.ts';
import { Troubles } from './troubles.ts';

export interface NodeAgentOptions {
  readonly node: string;
  readonly firewall: Firewall;
  readonly clock: Clock;
  /** The most elements of one set; a policy that brings more is closed. `SET_SIZE_MAX` when missing. */
  readonly setSizeMax?: number;
  /** Address blocks that all policies of the cluster may list; the policy that goes beyond is closed. `ADDRESS_BLOCKS_MAX` when missing. */
  readonly addressBlocksMax?: number;
  /** `--allow-audit`; without it a namespace that asks for it is enforced as before, and that is said. */
  readonly allowsAudit?: boolean;
  /** The firewall only counts, beside another engine: nothing is ever said to be in force. */
  readonly observes?: boolean;
  /** Flows to hosts outside are told by the names that the pods looked up: answers of DNS to all pods are looked at. */
  readonly namesHosts?: boolean;
}

/** What 500 pods need that each let in 1,000 kinds of peers. A change of so much takes the kernel some 20 s of CPU, and the agent 300 MB; of twice as much over a minute. */
export const SET_SIZE_MAX: number = 1 << 19;

/** With these the kernel does not hold what it should. */
const UNREADY: ReadonlySet<TroubleCode> = new Set(['starting', 'kernel', 'capacity', 'no-node']);

/** After the last commit, the moment to tidy up. */
const TIDY_MS = 1000;

/** A change that waits for longer is told as one. */
const COMMIT_MS_USUAL = 1000;

/** After a refusal of the kernel the next try waits so long, twice as long each time up to the second number. */
const RETRY_MS = 250;
const RETRY_MS_MAX = 30_000;

/** A kernel that says so often in a row that it has no room is believed. */
const REFUSALS_BORNE = 3;

/** Policies that are closed for lack of room are tried again. */
const REOPEN_MS = 300_000;

export class NodeAgent implements ClusterListener, ServicesListener {
  private readonly node: string;
  private readonly firewall: Firewall;
  private readonly clock: Clock;
  private readonly allowsAudit: boolean;
  private readonly observes: boolean;
  private readonly namesHosts: boolean;
  private readonly policies = new PoliciesInForce();
  private readonly troubles: Troubles;
  private readonly ranges: LocalRanges;
  /** Takes what answers of DNS say. */
  readonly names: NodeNames;
  readonly flows: NodeFlows;
  private readonly listeners = new Set<() => void>();
  private writer: KernelWriter | undefined;
  /** Of all commits so far; told apart from `state` because it costs nothing. */
  commits: CommitState = { count: 0, generations: 0, lastAt: undefined, lastMs: 0, times: NO_COMMITS };
  private isEnforcing = false;
  private drifts: Omit<KernelState, 'table'> = { driftRepairs: 0, lastDriftAt: undefined, lastDrift: undefined };
  private readonly unwatch: () => void;
  private firstWaitingMs: number | undefined;
  private cancelCommit: (() => void) | undefined;
  private cancelTidying: (() => void) | undefined;
  private cancelReopening: (() => void) | undefined;
  private retryMs = RETRY_MS;
  private refusals = 0;
  private readonly setSizeMax: number;
  private readonly addressBlocksMax: number;
  private isStopped = false;

  constructor({ node, firewall, clock, setSizeMax = SET_SIZE_MAX, addressBlocksMax = ADDRESS_BLOCKS_MAX, allowsAudit = false, observes = false, namesHosts = false }: NodeAgentOptions) {
    this.setSizeMax = setSizeMax;
    this.addressBlocksMax = addressBlocksMax;
    this.node = node;
    this.firewall = firewall;
    this.clock = clock;
    this.allowsAudit = allowsAudit;
    this.observes = observes;
    this.namesHosts = namesHosts;
    this.troubles = new Troubles(clock);
    this.ranges = new LocalRanges(node);
    this.names = new NodeNames({ firewall, clock, troubles: this.troubles, onDue: () => this.scheduleCommit(0), onTold: () => this.tell(), onAnswer: namesHosts ? (pod, answer) => this.flows.names.learn(pod, answer) : undefined });
    this.flows = new NodeFlows({ node, firewall, clock, observes });
    this.unwatch = firewall.watch(() => this.repair());
    this.troubles.set('starting', '', 'the API server has not told everything yet');
  }

  /** Something about flows that `message` says, or that is over. */
  flowsProblem(message: string | undefined, about: string = ''): void {
    if (message === undefined) this.troubles.clear('flows', about);
    else this.troubles.set('flows', about, message);
    this.tell();
  }

  putService(name: string, object: ClusterObject | undefined): void {
    this.flows.putService(name, object);
  }

  servicesTrouble(error: ClusterError | undefined): void {
    this.flowsProblem(error === undefined ? undefined : `flows are told without the names of Services that are new: ${error.message}`, 'services');
  }

  /** Everything is told at once; only what then differs from what the kernel holds is written. */
  begin(cluster: Cluster, policies: readonly ToldPolicy[]): void {
    const { node, firewall, clock, setSizeMax, addressBlocksMax } = this;
    this.writer = new KernelWriter({ node, firewall, cluster, setSizeMax, addressBlocksMax, clock, watchesAllAnswers: this.namesHosts, onRemoved: (pod) => this.flows.removed(pod) });
    this.names.begin(this.writer);
    this.policies.begin(policies);
    this.troubles.clear('starting', '');
    this.ranges.begin(cluster);
    for (const namespace of cluster.namespaces) this.noteAudit(namespace);
    this.scheduleCommit(0);
  }

  change(changes: readonly ToldChange[]): void {
    const { writer } = this;
    if (writer === undefined) throw new Error('bug: a change was told before the cluster');
    for (const told of changes) {
      this.flows.before(told.change);
      writer.take(told.change);
      this.flows.after(told.change);
      this.policies.take(told);
      this.ranges.take(told.change, writer.program.cluster);
      if (told.change.kind === 'put-namespace') this.noteAudit(told.change.namespace);
      if (told.change.kind === 'remove-namespace') this.troubles.clear('audit-not-allowed', told.change.name);
    }
    this.scheduleCommit(0);
  }

  trouble(kind: string, error: ClusterError | undefined): void {
    if (error === undefined) this.troubles.clear('cluster', kind);
    else this.troubles.set('cluster', kind, error.message);
    this.tell();
  }

  /** Made when asked: it goes through all pods and policies. */
  get state(): AgentState {
    return {
      node: this.node,
      isReady: this.isReady,
      troubles: this.troubles.list(),
      isEnforcing: this.isEnforcing,
      policies: this.names.withProblems(this.policies.list(this.writer?.closedFor ?? new Map())),
      commits: this.commits,
      names: this.names.state,
      flows: this.flows.state,
      pods: this.countPods(),
      kernel: this.kernelState(),
    };
  }

  /** The same as in `state`, for nothing. */
  get isReady(): boolean {
    const waitedMs = this.firstWaitingMs === undefined ? 0 : this.clock.elapsedMs() - this.firstWaitingMs;
    return this.commits.count > 0 && waitedMs <= COMMIT_MS_USUAL && this.troubles.list().every(({ code }) => !UNREADY.has(code));
  }

  /** undefined until everything was told once. Good until the next change. */
  get program(): Program | undefined {
    return this.writer?.program;
  }

  /** Policies of audited namespaces: nothing of them is in the kernel. */
  get audited(): readonly AuditedPolicy[] {
    return this.policies.audited();
  }

  /** Called when `state` is another one; gives what takes the listener back. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Nothing is written any more; the rules stay as they are. */
  stop(): void {
    this.isStopped = true;
    this.flows.stop();
    this.unwatch();
    this.cancelCommit?.();
    this.cancelTidying?.();
    this.cancelReopening?.();
    this.names.stop();
  }

  /** Changes that come in the same turn are one commit. */
  private scheduleCommit(waitMs: number): void {
    this.firstWaitingMs ??= this.clock.elapsedMs();
    if (this.cancelCommit !== undefined || this.isStopped) return;
    this.cancelCommit = this.clock.after(waitMs, () => {
      this.cancelCommit = undefined;
      this.commit();
    });
  }

  private commit(): void {
    let isNewGeneration: boolean;
    try {
      isNewGeneration = this.writer!.commit(this.ranges.ranges).takesAway;
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      // A part may have been written, and closed what an older generation allowed.
      this.policies.lost();
      this.troubles.set('kernel', '', error.message);
      this.makeRoom(error);
      this.scheduleCommit(this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX);
      this.tell();
      return;
    }
    const lastAt = this.clock.now();
    this.retryMs = RETRY_MS;
    this.refusals = 0;
    this.isEnforcing = !this.observes;
    if (this.commits.count === 0) this.flows.begin(() => this.writer!.program.cluster);
    this.troubles.clear('kernel', '');
    this.noteRanges();
    this.noteClosed();
    if (!this.observes) this.policies.committed(lastAt);
    const { count, generations, times } = this.commits;
    const lastMs = this.clock.elapsedMs() - this.firstWaitingMs!;
    this.commits = { count: count + 1, generations: generations + Number(isNewGeneration), lastAt, lastMs, times: addCommit(times, lastMs) };
    this.firstWaitingMs = undefined;
    this.names.committed();
    this.scheduleTidying();
    this.tell();
  }

  private scheduleTidying(): void {
    if (this.cancelTidying !== undefined || this.isStopped) return;
    this.cancelTidying = this.clock.after(TIDY_MS, () => {
      this.cancelTidying = undefined;
      this.writer!.tidy();
    });
  }

  /** One policy at a time, so that all that waits with it comes in. */
  private makeRoom(error: FirewallError): void {
    this.refusals = isLackOfRoom(error) ? this.refusals + 1 : 0;
    if (this.refusals >= REFUSALS_BORNE && this.writer!.closeOne(`the kernel takes no more: ${error.message}`)) this.retryMs = RETRY_MS;
  }

  private noteClosed(): void {
    const closed = this.writer!.closedFor;
    this.troubles.setAll('capacity', new Map([...closed].map(([policy, reason]) => [policy, `${policy} is closed: ${reason}`])));
    if (closed.size === 0 || this.cancelReopening !== undefined || this.isStopped) return;
    this.cancelReopening = this.clock.after(REOPEN_MS, () => {
      this.cancelReopening = undefined;
      if (this.writer!.reopen()) this.scheduleCommit(0);
      else this.noteClosed();
    });
  }

  private noteAudit({ name, labels }: Namespace): void {
    if (this.allowsAudit || !asksForAudit(labels)) return this.troubles.clear('audit-not-allowed', name);
    this.troubles.set('audit-not-allowed', name, `the namespace ${name} asks by its label ${AUDIT_LABEL} not to be enforced, and is: this agent runs without --allow-audit`);
  }

  private noteRanges(): void {
    const { problem, isNodeThere } = this.ranges;
    if (isNodeThere) this.troubles.clear('no-node', '');
    else this.troubles.set('no-node', '', `the cluster has no Node ${this.node}, so no pod is known to run here and nothing is enforced: --node, or NODE_NAME, gives the name`);
    if (!isNodeThere) return;
    if (problem === undefined) this.troubles.clear('pod-ranges-unknown', '');
    else this.troubles.set('pod-ranges-unknown', '', problem);
  }

  private countPods(): PodCounts {
    const program = this.program;
    const counts = { local: 0, remote: 0, governed: 0 };
    if (program === undefined) return counts;
    const { cluster, groupOfPod, egress, ingress } = program;
    for (const [pod, { nodeName, hostNetwork }] of cluster.pods.entries()) {
      if (nodeName !== this.node) counts.remote++;
      else if (!hostNetwork) {
        counts.local++;
        const group = groupOfPod[pod]!;
        if (egress.isGoverned(egress.subjectOfGroup[group]!) || ingress.isGoverned(ingress.subjectOfGroup[group]!)) counts.governed++;
      }
    }
    return counts;
  }

  private kernelState(): KernelState {
    return { table: 'bulkhead', ...this.drifts };
  }

  /** Somebody else may have changed our table. */
  private repair(): void {
    if (this.isStopped || this.writer === undefined) return;
    // A table that has to be replaced takes its ledger with it.
    this.flows.drainSoon();
    let drift: Drift | undefined;
    try {
      drift = this.writer.repair();
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      this.writer.distrust();
      // Nobody knows what the kernel holds until a commit comes back.
      this.policies.lost();
      this.isEnforcing = false;
      this.troubles.set('kernel', '', error.message);
      this.scheduleCommit(0);
    }
    if (drift?.kind === 'gone') {
      this.policies.lost();
      this.policies.committed(this.clock.now());
    }
    if (drift !== undefined) this.drifts = { driftRepairs: this.drifts.driftRepairs + 1, lastDriftAt: this.clock.now(), lastDrift: formatDrift(drift) };
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
