// From what was told to what the kernel holds: the Program, the emission and the firewall of one node, kept in step.
import type { ClusterChange } from '../compile/cluster-change.ts';
import { LiveProgram } from '../compile/live-program.ts';
import type { Program } from '../compile/program.ts';
import type { IpRange } from '../base/ip-address.ts';
import type { Cluster } from '../model/cluster.ts';
import { emitRuleset } from '../emit/emit.ts';
import { NO_IDS, type EmittedIds } from '../emit/ids.ts';
import { planChange } from '../emit/plan-change.ts';
import { ID_MAX, type Ruleset } from '../emit/ruleset.ts';
import type { Firewall } from '../kernel/firewall.ts';
import { placementOnNode } from './node-placement.ts';

export class KernelWriter {
  private readonly node: string;
  private readonly firewall: Firewall;
  private readonly live: LiveProgram;
  /** undefined: what the kernel holds has to be read first. */
  private ids: EmittedIds | undefined;

  constructor({ node, firewall, cluster }: { readonly node: string; readonly firewall: Firewall; readonly cluster: Cluster }) {
    this.node = node;
    this.firewall = firewall;
    this.live = new LiveProgram(cluster);
  }

  get program(): Program {
    return this.live.program;
  }

  take(change: ClusterChange): void {
    this.live.apply(change);
  }

  /** Brings the kernel to what was taken. Throws FirewallError; then it is closed or as before where it differs, and the next call begins by reading it. */
  commit(localPodRanges: readonly IpRange[]): void {
    const known = this.ids;
    const before = known ?? this.readHeld();
    this.ids = undefined;
    const { program } = this.live;
    const { ruleset, ids } = emitRuleset(program, placementOnNode(program.cluster, this.node, localPodRanges), before ?? NO_IDS);
    if (before === undefined) this.firewall.load(ruleset);
    else if (known === undefined) this.firewall.change(ruleset);
    else this.firewall.apply(planChange(before.ruleset, ruleset));
    this.ids = ids;
  }

  /** undefined: nothing is in force that could be gone on with. */
  private readHeld(): EmittedIds | undefined {
    const ruleset = this.firewall.takeOver();
    return ruleset === undefined ? undefined : { ruleset, nextId: nextIdOf(ruleset), leftClasses: new Set() };
  }
}

function nextIdOf(ruleset: Ruleset): number {
  let highest = 0;
  for (const { id } of ruleset.profiles) highest = Math.max(highest, id);
  for (const { peerClass } of ruleset.podClasses) highest = Math.max(highest, peerClass);
  for (const { peerClass } of ruleset.rangeClasses) highest = Math.max(highest, peerClass);
  return highest === ID_MAX ? 1 : highest + 1;
}
