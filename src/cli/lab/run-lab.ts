// A cluster brought up on this host with its policies in force: plan, namespaces, compiled rules, loaded rules.
import { existsSync } from 'node:fs';
import type { Cluster } from '../../model/cluster.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { Program } from '../../compile/program.ts';
import { outsideRanges } from '../../analyze/outside-ranges.ts';
import { emitRuleset } from '../../emit/emit.ts';
import { loadSteps } from '../../emit/plan-change.ts';
import type { Firewall } from '../../kernel/firewall.ts';
import { openFirewall } from '../../kernel/nft-firewall.ts';
import { placementOf } from '../../lab/lab-placement.ts';
import { planLab, withLabAddresses, type LabEndpoint, type LabPlan } from '../../lab/lab-plan.ts';
import { startLab, type Lab } from '../../lab/lab.ts';

export interface RunningLab {
  readonly plan: LabPlan;
  /** Compiled with the addresses that the lab gives. */
  readonly program: Program;
  readonly lab: Lab;
  readonly firewall: Firewall;
  /** Takes everything away. */
  close(): Promise<void>;
}

export interface LabWishes {
  readonly replicasMax?: number;
  /** Numbers to listen on beside those that policies and pods name. */
  readonly ports?: readonly number[];
}

export function planCluster(cluster: Cluster, { replicasMax, ports }: LabWishes = {}): LabPlan {
  const ranges = outsideRanges(compileCluster(cluster));
  return planLab(cluster, { families: existsSync('/proc/sys/net/ipv6') ? [4, 6] : [4], outsideRanges: ranges, ...(replicasMax !== undefined && { replicasMax }), ...(ports !== undefined && { ports }) });
}

/** Throws LabError or FirewallError where this host says no; then nothing is left. */
export async function runLab(cluster: Cluster, plan: LabPlan): Promise<RunningLab> {
  const program = compileCluster(withLabAddresses(cluster, plan));
  const { ruleset } = emitRuleset(program, placementOf(plan));
  const lab = await startLab(plan);
  let firewall: Firewall | undefined;
  try {
    firewall = openFirewall({ namespace: lab.node });
    firewall.load(loadSteps(ruleset));
  } catch (error) {
    firewall?.close();
    await lab.close();
    throw error;
  }
  const loaded = firewall;
  const close = async (): Promise<void> => {
    loaded.close();
    await lab.close();
  };
  return { plan, program, lab, firewall: loaded, close };
}

/** What goes into the table: all ends but the DNS pod that the lab added, each with its namespace. */
export function shownEnds({ plan, lab }: RunningLab, isDnsShown: boolean): { endpoints: LabEndpoint[]; namespaces: number[] } {
  const isShown = ({ subject }: LabEndpoint): boolean => isDnsShown || subject.kind !== 'pod' || subject.pod !== plan.dnsPod;
  const indices = [...plan.endpoints.keys()].filter((index) => isShown(plan.endpoints[index]!));
  return { endpoints: indices.map((index) => plan.endpoints[index]!), namespaces: indices.map((index) => lab.namespaces[index]!) };
}
