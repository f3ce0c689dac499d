// A lab with its policies in force, for one test: everything is gone afterwards, also when the test fails.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IpFamily } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import type { Firewall } from '../../src/kernel/firewall.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { placementOf } from '../../src/lab/lab-placement.ts';
import { planLab, withLabAddresses, type LabOptions, type LabPlan } from '../../src/lab/lab-plan.ts';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ProbeWorld } from '../../src/probe/run-probes.ts';

export interface RunningLab {
  readonly lab: Lab;
  readonly plan: LabPlan;
  readonly program: Program;
  readonly firewall: Firewall;
  readonly world: ProbeWorld;
}

/** With a host in every range that the policies tell apart, unless told otherwise. */
export async function withLab<Result>(cluster: Cluster, options: LabOptions, run: (running: RunningLab) => Promise<Result>): Promise<Result> {
  return withStateFolder(async () => {
    const plan = planLab(cluster, { outsideRanges: compileCluster(cluster).atoms, ...options });
    const lab = await startLab(plan);
    const firewall = openFirewall({ namespace: lab.node });
    try {
      const program = compileCluster(withLabAddresses(cluster, plan));
      firewall.load(loadSteps(emitRuleset(program, placementOf(plan)).ruleset));
      const world = { prober: lab.prober, namespaces: lab.namespaces, readLedger: () => firewall.readLedger({ drain: true }) };
      return await run({ lab, plan, program, firewall, world });
    } finally {
      firewall.close();
      await lab.close();
    }
  });
}

/** Labs of the test are published in a folder of its own, not among those of the user. */
export async function withStateFolder<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const before = process.env['XDG_RUNTIME_DIR'];
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-test-'));
  process.env['XDG_RUNTIME_DIR'] = folder;
  try {
    return await run(folder);
  } finally {
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Index of an endpoint of a plan. */
export function endOf(plan: LabPlan, name: string): number {
  const index = plan.endpoints.findIndex((end) => end.name === name);
  if (index < 0) throw new Error(`no end ${name} among ${plan.endpoints.map((end) => end.name).join(', ')}`);
  return index;
}

export function addressOfEnd(plan: LabPlan, name: string, family: IpFamily): LabPlan['endpoints'][number]['addresses'][number] {
  return plan.endpoints[endOf(plan, name)]!.addresses.find((address) => address.family === family)!;
}
