// From what was told to what the kernel holds: the Program, the emission and the firewall of one node, kept in step.
import type { IpRange } from '../base/ip-address.ts';
import type { ClusterChange } from '../compile/cluster-change.ts';
import { LiveProgram } from '../compile/live-program.ts';
import type { Program } from '../compile/program.ts';
import { NO_ELEMENTS } from '../emit/elements.ts';
import { LiveEmission } from '../emit/live-emission.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Drift, Firewall } from '../kernel/firewall.ts';

export interface Commit {
  /** Live connections are judged anew. */
  readonly takesAway: boolean;
}

export class KernelWriter {
  private readonly firewall: Firewall;
  private readonly live: LiveProgram;
  private readonly emission: LiveEmission;
  /** Whether the kernel holds what the emission takes it to hold; else it has to be read first. */
  private isInStep = false;

  constructor({ node, firewall, cluster }: { readonly node: string; readonly firewall: Firewall; readonly cluster: Cluster }) {
    this.firewall = firewall;
    this.live = new LiveProgram(cluster);
    this.emission = new LiveEmission(this.live, node);
  }

  /** Good until the next change. */
  get program(): Program {
    return this.live.program;
  }

  take(change: ClusterChange): void {
    this.emission.follow(this.live.apply(change));
  }

  /**
   * Brings the kernel to what was taken; `localPodRanges` is where this node's pods get their addresses from, empty where
   * nobody knows. Throws FirewallError: then the kernel holds a part, and nothing is open that neither state allows.
   */
  commit(localPodRanges: readonly IpRange[]): Commit {
    if (this.isInStep) return this.change(localPodRanges);
    const held = this.firewall.takeOver();
    this.emission.adopt(held ?? NO_ELEMENTS);
    if (held !== undefined) return this.change(localPodRanges);
    this.firewall.load(this.emission.plan(localPodRanges).steps);
    this.isInStep = true;
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
    return this.isInStep ? this.firewall.repair(() => this.emission.elements()) : undefined;
  }

  /** Somebody else changed our table: the next commit reads it first. */
  distrust(): void {
    this.isInStep = false;
  }

  private change(localPodRanges: readonly IpRange[]): Commit {
    const { steps, takesAway } = this.emission.plan(localPodRanges);
    this.isInStep = false;
    if (steps.length > 0 || takesAway) this.firewall.apply({ steps, takesAway });
    this.isInStep = true;
    return { takesAway };
  }
}
