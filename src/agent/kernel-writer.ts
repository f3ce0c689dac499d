// From what was told to what the kernel holds: the Program, the emission and the firewall of one node, kept in step.
import type { Clock } from '../base/clock.ts';
import type { IpRange } from '../base/ip-address.ts';
import type { ClusterChange } from '../compile/cluster-change.ts';
import { LiveProgram } from '../compile/live-program.ts';
import type { Program } from '../compile/program.ts';
import { NO_ELEMENTS } from '../emit/elements.ts';
import { LiveEmission } from '../emit/live-emission.ts';
import { SetOverflow } from '../emit/set-sizes.ts';
import { NO_SERVERS, type DnsServers } from '../emit/watched-answers.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import type { Drift, Firewall } from '../kernel/firewall.ts';
import { FirewallError } from '../kernel/firewall-error.ts';
import { AddressBlocks, blocksIn } from './address-blocks.ts';
import { ClosedPolicies, nameOf } from './closed-policies.ts';
import { LearntNames } from './learnt-names.ts';
import { PodAddresses } from './pod-addresses.ts';
import { removedPolicy, type PolicyKey } from './policies-in-force.ts';
import { closedForm, putPolicy, type Policy } from './policy-cost.ts';

export interface Commit {
  /** Live connections are judged anew. */
  readonly takesAway: boolean;
}

export interface KernelWriterOptions {
  readonly node: string;
  readonly firewall: Firewall;
  readonly cluster: Cluster;
  /** Elements of one set. */
  readonly setSizeMax: number;
  /** Of all policies of the cluster. */
  readonly addressBlocksMax: number;
  readonly clock: Pick<Clock, 'elapsedMs'>;
  readonly watchesAllAnswers: boolean;
  /** With the pod as it was. */
  readonly onRemoved: (pod: Pod) => void;
}

export class KernelWriter {
  readonly names: LearntNames;
  readonly addresses: PodAddresses;
  private readonly node: string;
  private readonly clock: Pick<Clock, 'elapsedMs'>;
  private readonly firewall: Firewall;
  private readonly setSizeMax: number;
  private readonly watchesAllAnswers: boolean;
  private readonly onRemoved: (pod: Pod) => void;
  private readonly closed = new ClosedPolicies();
  private readonly blocks: AddressBlocks;
  private readonly live: LiveProgram;
  private emission: LiveEmission;
  /** Whether the kernel holds what the emission takes it to hold; else it has to be read first. */
  private isInStep = false;
  private hasRecalled = false;
  private believed: DnsServers = NO_SERVERS;

  constructor({ node, firewall, cluster, setSizeMax, addressBlocksMax, clock, watchesAllAnswers, onRemoved }: KernelWriterOptions) {
    this.node = node;
    this.firewall = firewall;
    this.clock = clock;
    this.onRemoved = onRemoved;
    this.watchesAllAnswers = watchesAllAnswers;
    this.names = new LearntNames(firewall);
    this.addresses = new PodAddresses(node, cluster.pods);
    this.setSizeMax = setSizeMax;
    this.blocks = new AddressBlocks(addressBlocksMax);
    this.live = new LiveProgram(this.bounded(cluster));
    this.emission = this.newEmission();
  }

  /** Good until the next change. */
  get program(): Program {
    return this.live.program;
  }

  /** Whose answers about names are believed, from the next commit on. */
  set dnsServers(servers: DnsServers) {
    this.believed = servers;
    this.emission.dnsServers = servers;
  }

  take(change: ClusterChange): void {
    this.closed.take(change);
    this.follow(this.admitted(change));
  }

  /** Why policies are closed that the kernel has no room for. */
  get closedFor(): ReadonlyMap<PolicyKey, string> {
    return this.closed.reasons;
  }

  /** The kernel has no room for all that waits: closes what costs most of it; false: nothing costs anything. */
  closeOne(reason: string): boolean {
    this.closed.hopeForRoom();
    return this.close(reason);
  }

  /** Closed ones are tried again at the next commit, where there may be room by now; false: nothing says so. */
  reopen(): boolean {
    const policies = this.closed.open();
    for (const policy of policies) this.follow(this.admitted(putPolicy(policy)));
    return policies.length > 0;
  }

  /**
   * Brings the kernel to what was taken; `localPodRanges` is where this node's pods get their addresses from, empty where
   * nobody knows. Throws FirewallError: then the kernel holds a part, and nothing is open that neither state allows.
   */
  commit(localPodRanges: readonly IpRange[]): Commit {
    for (;;) {
      try {
        const commit = this.write(localPodRanges);
        this.closed.settle();
        return commit;
      } catch (error) {
        if (!(error instanceof SetOverflow)) throw error;
        if (!this.close(error.message)) throw new FirewallError({ code: 'set-full', doing: 'make room', said: error.message });
      }
    }
  }

  private write(localPodRanges: readonly IpRange[]): Commit {
    if (this.isInStep) return this.change(localPodRanges);
    if (!this.hasRecalled) this.names.recall(this.clock.elapsedMs());
    this.hasRecalled = true;
    const held = this.firewall.takeOver();
    this.emission.adopt(held ?? NO_ELEMENTS);
    if (held !== undefined) return this.change(localPodRanges);
    this.firewall.load(this.emission.plan(localPodRanges).steps);
    this.isInStep = true;
    this.names.settle(this.clock.elapsedMs(), { isAll: true });
    return { takesAway: true };
  }

  /** For a moment without changes, about once a second and not more often. */
  tidy(): void {
    this.emission.forgetLeftIds();
    if (this.live.wantsCompaction) this.live.compact();
    else if (this.emission.wantsCompaction) this.emission.compact();
  }

  /** Puts back what somebody else changed; undefined where all is as it should be, or the next commit reads it anyway. */
  repair(): Drift | undefined {
    if (!this.isInStep) return undefined;
    const drift = this.firewall.repair(() => this.emission.elements());
    // What others did to the times that addresses are open leaves no trace in the elements.
    if (drift !== undefined || this.names.addressCount > 0) this.names.settle(this.clock.elapsedMs(), { isAll: true });
    return drift;
  }

  /** Somebody else changed our table: the next commit reads it first. */
  distrust(): void {
    this.isInStep = false;
  }

  private close(reason: string): boolean {
    const policy = this.closed.next(this.program, this.node);
    if (policy !== undefined) {
      this.closed.close(policy, reason);
      this.blocks.drop(nameOf(policy));
      this.live.apply(putPolicy(closedForm(policy)));
      // What it told apart stands apart until all is compiled and merged anew.
      this.live.compact();
    }
    this.emission = this.newEmission(this.emission.nextId);
    this.isInStep = false;
    return policy !== undefined;
  }

  /** Small ones first, so that the fewest are closed. */
  private bounded(cluster: Cluster): Cluster {
    const refused = new Set<Policy>();
    for (const policy of [...cluster.policies, ...cluster.clusterPolicies].sort((a, b) => blocksIn(a) - blocksIn(b))) if (!this.admits(policy)) refused.add(policy);
    const form = <Some extends Policy>(policy: Some): Some => (refused.has(policy) ? closedForm(policy) : policy);
    return refused.size === 0 ? cluster : { ...cluster, policies: cluster.policies.map(form), clusterPolicies: cluster.clusterPolicies.map(form) };
  }

  /** What would list too many blocks is closed before anybody compiles it. */
  private admitted(change: ClusterChange): ClusterChange {
    if (change.kind === 'put-policy' || change.kind === 'put-cluster-policy') return this.admits(change.policy) ? change : putPolicy(closedForm(change.policy));
    const removed = removedPolicy(change);
    if (removed !== undefined) this.blocks.drop(removed);
    return change;
  }

  private admits(policy: Policy): boolean {
    const isWithin = this.blocks.put(policy);
    if (!isWithin) this.closed.close(policy, this.blocks.reason);
    return isWithin;
  }

  private newEmission(nextId?: number): LiveEmission {
    const { live, node, setSizeMax, watchesAllAnswers } = this;
    const emission = new LiveEmission(live, node, { setSizeMax, watchesAllAnswers, ...(nextId === undefined ? {} : { nextId }) });
    emission.dnsServers = this.believed;
    this.names.emitTo(emission);
    return emission;
  }

  private follow(change: ClusterChange): void {
    const difference = this.live.apply(change);
    this.emission.follow(difference);
    const { removedPod: removed, addedPod } = difference;
    const pods = { removed, added: addedPod === undefined ? undefined : this.program.cluster.pods[addedPod] };
    this.names.follow(pods);
    this.addresses.follow(pods);
    if (removed !== undefined) this.onRemoved(removed);
  }

  private change(localPodRanges: readonly IpRange[]): Commit {
    const { steps, takesAway } = this.emission.plan(localPodRanges);
    this.isInStep = false;
    if (steps.length > 0 || takesAway) this.firewall.apply({ steps, takesAway });
    this.isInStep = true;
    this.names.settle(this.clock.elapsedMs(), { isAll: false });
    return { takesAway };
  }
}
