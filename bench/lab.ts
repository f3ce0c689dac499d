// How long a lab takes to stand up, and a TCP truth table of a hundred pods to be probed: `bin/node bench/lab.ts`, as root or under `unshare -Urnm`.
import { compileCluster } from '../src/compile/compile.ts';
import { emitRuleset } from '../src/emit/emit.ts';
import { loadSteps } from '../src/emit/plan-change.ts';
import { openFirewall } from '../src/kernel/nft-firewall.ts';
import { placementOf } from '../src/lab/lab-placement.ts';
import { planLab, withLabAddresses } from '../src/lab/lab-plan.ts';
import { startLab } from '../src/lab/lab.ts';
import type { Cluster } from '../src/model/cluster.ts';
import { proveTruthTable } from '../src/probe/probe.ts';
import { cluster, pod, podPeer, policy, rule } from '../tests/lab/example-cluster.ts';

const RUNS = 3;

/** Workloads of five pods and three ports; each lets its neighbor in on one port. */
function benchCluster(pods: number): Cluster {
  const names = Array.from({ length: pods / 5 }, (_, index) => `w${index}`);
  return cluster({
    pods: names.map((name) => pod(`bench/${name}`, { replicas: 5, ports: ['http:TCP/8080', 'metrics:TCP/9090', 'UDP/5353'] })),
    policies: names.map((name, index) =>
      policy(`bench/${name}`, { selector: { app: name }, ingress: [rule([podPeer({ app: names[(index + 1) % names.length]! })], ['TCP/8080'])] })),
  });
}

async function measureStart(pods: number): Promise<number> {
  const start = performance.now();
  const lab = await startLab(planLab(benchCluster(pods)));
  const elapsed = performance.now() - start;
  await lab.close();
  return elapsed;
}

async function measureTable(pods: number): Promise<number> {
  const input = benchCluster(pods);
  const plan = planLab(input);
  const lab = await startLab(plan);
  const firewall = openFirewall({ namespace: lab.node });
  try {
    const program = compileCluster(withLabAddresses(input, plan));
    firewall.load(loadSteps(emitRuleset(program, placementOf(plan)).ruleset));
    const ends = plan.endpoints.filter((_, index) => index !== plan.dnsPod);
    const namespaces = lab.namespaces.filter((_, index) => index !== plan.dnsPod);
    const start = performance.now();
    const table = await proveTruthTable(program, ends, {
      prober: lab.prober,
      namespaces,
      readLedger: () => firewall.readLedger({ drain: true }),
      isWanted: ({ protocol, port }, family) => family === 4 && protocol === 'TCP' && port === 8080,
    });
    const elapsed = performance.now() - start;
    if (!table.agrees) throw new Error(`${table.differences.length} of ${table.probed} probes differ`);
    console.log(`  ${table.probed} pairs, ${table.allowed} allowed, ${table.denied} denied`);
    return elapsed;
  } finally {
    firewall.close();
    await lab.close();
  }
}

async function report(name: string, goalMs: number, measure: () => Promise<number>): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push(await measure());
  console.log(`${name}: ${times.map((time) => time.toFixed(0)).join(', ')} ms (goal ${goalMs})`);
}

await report('200 pods up', 1500, () => measureStart(200));
await report('1,000 pods up', 5000, () => measureStart(995));
await report('100 x 100 TCP truth table', 2500, () => measureTable(100));
