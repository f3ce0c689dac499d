// How long a change takes from the API server's event to the committed batch on a node with 500 pods: apply, plan and netlink, p50 and p99.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterChange } from '../src/compile/cluster-change.ts';
import { LiveProgram } from '../src/compile/live-program.ts';
import { LiveEmission } from '../src/emit/live-emission.ts';
import type { Firewall } from '../src/kernel/firewall.ts';
import { closeNamespace, createNamespace } from '../src/kernel/network-namespace.ts';
import { openFirewall } from '../src/kernel/nft-firewall.ts';
import type { Cluster, Pod } from '../src/model/cluster.ts';
import type { NetworkPolicy } from '../src/model/network-policy.ts';
import { Chance } from './generate-cluster.ts';
import { addressAt, NODE, placedCluster } from './placed-cluster.ts';
import { mixed, withTiers } from './scale-shapes.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCAL_PODS = 500;
const CHANGES = 2000;
const WARM_UP_CHANGES = 300;
/** Changes of pods in a second, of the goal. */
const CHANGES_PER_SECOND = 100;
const TIERS = ['web', 'api', 'worker', 'cache', 'db'] as const;

const SIZES = [
  { name: '10k pods, 1k policies, 50 namespaces', pods: 10_000, policies: 1000, namespaces: 50, tiers: 0 },
  { name: '10k pods, 1k policies, 50 namespaces, 20 cluster-wide policies', pods: 10_000, policies: 1000, namespaces: 50, tiers: 20 },
  { name: '100k pods, 10k policies, 1,000 namespaces', pods: 100_000, policies: 10_000, namespaces: 1000, tiers: 0 },
] as const;

/** In a process of its own, with the nursery that `bin/bulkhead` gives itself. */
function runChild(index: number): void {
  const child = spawnSync(join(ROOT, 'bin/node'), ['--expose-gc', '--max-semi-space-size=32', fileURLToPath(import.meta.url), String(index)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  process.stdout.write(child.stdout);
}

function measure({ name, tiers, ...size }: (typeof SIZES)[number]): void {
  const plain = placedCluster(mixed({ mode: 'bare', ...size }), LOCAL_PODS);
  const cluster = tiers === 0 ? plain : withTiers(plain, tiers);
  const namespace = createNamespace();
  const firewall = openFirewall({ namespace });
  try {
    console.log(`${name}, ${LOCAL_PODS} pods on the node (goals: p50 5 ms, p99 50 ms)`);
    const bench = new Bench(cluster, firewall);
    bench.run('pods as they come: relabeled, removed, added', CHANGES, (index) => bench.anyPod(index));
    bench.run('pod of this node relabeled', 500, () => bench.relabeled(bench.pickLocal()));
    bench.run('pod of this node replaced by another', 500, (index) => bench.replaced(bench.pickLocal(), index));
    bench.run('policy edited', 500, () => bench.editedPolicy());
    bench.run('policy of a namespace edited that has pods here', 500, () => bench.editedPolicy(bench.pickLocal().namespace));
    bench.report();
  } finally {
    firewall.close();
    closeNamespace(namespace);
  }
}

class Bench {
  private readonly chance = new Chance(5);
  private readonly live: LiveProgram;
  private readonly emission: LiveEmission;
  private readonly firewall: Firewall;
  private nextAddress: number;
  private turn = 0;

  constructor(cluster: Cluster, firewall: Firewall) {
    this.firewall = firewall;
    this.nextAddress = cluster.pods.length;
    this.live = new LiveProgram(cluster);
    const compiled = heapMegabytes();
    const started = performance.now();
    this.emission = new LiveEmission(this.live, NODE);
    const plan = this.emission.plan([]);
    const planned = performance.now();
    firewall.load(plan.steps);
    console.log(`  first emission ${(planned - started).toFixed(0)} ms, load of ${this.elementCount()} elements ${(performance.now() - planned).toFixed(0)} ms`);
    console.log(`  heap and arrays ${compiled.toFixed(0)} MB with the Program, ${(heapMegabytes() - compiled).toFixed(1)} MB more with the emission`);
  }

  run(what: string, count: number, next: (index: number) => ClusterChange): void {
    const times: number[] = [];
    const cpuTimes: number[] = [];
    let [elements, generations, compactions] = [0, 0, 0];
    for (let index = 0; index < count + WARM_UP_CHANGES; index++) {
      if (this.tidy()) compactions++;
      const change = next(index);
      const clock = process.cpuUsage();
      const start = performance.now();
      this.emission.follow(this.live.apply(change));
      const plan = this.emission.plan([]);
      this.firewall.apply(plan);
      if (index < WARM_UP_CHANGES) continue;
      times.push(performance.now() - start);
      const { user, system } = process.cpuUsage(clock);
      cpuTimes.push((user + system) / 1e3);
      if (plan.takesAway) generations++;
      for (const { removed, added } of plan.steps) elements += removed.length + added.length;
    }
    const at = (part: number, list: number[]): string => list.sort((a, b) => a - b)[Math.min(count - 1, Math.floor(count * part))]!.toFixed(2);
    console.log(`  ${what}: p50 ${at(0.5, times)} ms, p99 ${at(0.99, times)} ms, worst ${at(1, times)} ms of ${count} (CPU ${at(0.5, cpuTimes)}, ${at(0.99, cpuTimes)}, ${at(1, cpuTimes)} ms); ${(elements / count).toFixed(1)} elements each, ${Math.round((100 * generations) / count)} % new generations${compactions === 0 ? '' : `; ${compactions} compactions between them`}`);
  }

  report(): void {
    console.log(`  ${this.elementCount()} elements at the end; resident ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB, at most`);
  }

  /** Half of them relabeled; what goes comes back under another name and address. */
  anyPod(index: number): ClusterChange {
    if (index % 2 === 0) return this.relabeled(this.pickPod());
    return this.replaced(this.pickPod(), index);
  }

  relabeled(pod: Pod): ClusterChange {
    return { kind: 'put-pod', pod: { ...pod, labels: new Map([...pod.labels, ['tier', this.chance.pick(TIERS)]]) } };
  }

  /** One of the two: the other comes with the next call. */
  replaced(pod: Pod, index: number): ClusterChange {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined) {
      this.waiting = { ...pod, name: `${pod.name.replace(/~.*/, '')}~${index}`, workload: { ...pod.workload, name: `${pod.workload.name.replace(/~.*/, '')}~${index}` }, addresses: [addressAt(this.nextAddress++)] };
      return { kind: 'remove-pod', pod };
    }
    return { kind: 'put-pod', pod: waiting };
  }

  editedPolicy(namespace?: string): ClusterChange {
    const { policies } = this.live.program.cluster;
    const own = namespace === undefined ? policies : policies.filter((policy) => policy.namespace === namespace);
    const policy: NetworkPolicy = this.chance.pick(own.length === 0 ? policies : own);
    const other = this.chance.pick(policies);
    return { kind: 'put-policy', policy: { ...policy, ingress: other.ingress, egress: other.egress } };
  }

  pickPod(): Pod {
    return this.chance.pick(this.live.program.cluster.pods);
  }

  pickLocal(): Pod {
    return this.chance.pick(this.live.program.cluster.pods.filter(({ nodeName }) => nodeName === NODE));
  }

  private waiting: Pod | undefined;

  /** As an agent does once a second. */
  private tidy(): boolean {
    if (++this.turn % CHANGES_PER_SECOND !== 0) return false;
    this.emission.forgetLeftIds();
    if (this.live.wantsCompaction) this.live.compact();
    else if (this.emission.wantsCompaction) this.emission.compact();
    else return false;
    this.firewall.apply(this.emission.plan([]));
    return true;
  }

  private elementCount(): number {
    return [...this.emission.elements().values()].reduce((sum, list) => sum + list.length, 0);
  }
}

/** What is in use, once garbage is collected. */
function heapMegabytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

const only = process.argv[2];
if (only === undefined) for (const index of SIZES.keys()) runChild(index);
else measure(SIZES[Number(only)]!);
