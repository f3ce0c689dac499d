// How long one change takes, to the updated Program and the difference, with all rows known before: p50 and p99 by kind of change.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterChange } from '../src/compile/cluster-change.ts';
import { LiveProgram } from '../src/compile/live-program.ts';
import type { Cluster, Namespace, Pod } from '../src/model/cluster.ts';
import type { NetworkPolicy } from '../src/model/network-policy.ts';
import { Chance } from './generate-cluster.ts';
import { mixed } from './scale-shapes.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CHANGES = 400;
const NAMESPACE_CHANGES = 200;
/** Of each kind before it is measured: an agent runs for weeks, not for the first second. */
const WARM_UP_CHANGES = 50;
const TIERS = ['web', 'api', 'worker', 'cache', 'db'] as const;

const SIZES = [
  { name: '10k pods, 2k policies, 50 namespaces', pods: 10_000, policies: 2000, namespaces: 50, p50: 1, p99: 10, namespaceP99: 50 },
  { name: '100k pods, 10k policies, 50 namespaces', pods: 100_000, policies: 10_000, namespaces: 50, p50: 3, p99: 50, namespaceP99: 500 },
  { name: '100k pods, 10k policies, 1,000 namespaces', pods: 100_000, policies: 10_000, namespaces: 1000, p50: 3, p99: 50, namespaceP99: 500 },
] as const;

/** How many changes one live Program follows, and after how many its memory is told. */
const LONG_CHANGES = 100_000;
const TOLD_EVERY = 20_000;
/** How many times the memory of the start a live Program may come to. */
const GROWTH_GOAL = 2;

/** In a process of its own, with the nursery that `bin/bulkhead` gives itself. */
function runChild(...words: readonly string[]): void {
  const child = spawnSync(join(ROOT, 'bin/node'), ['--expose-gc', '--max-semi-space-size=32', fileURLToPath(import.meta.url), ...words], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  process.stdout.write(child.stdout);
}

function measure({ name, p50, p99, namespaceP99, ...size }: (typeof SIZES)[number]): void {
  const cluster = mixed({ mode: 'bare', ...size });
  // Policies that come during the run are of the same mix, and are not there yet.
  const kept = cluster.policies.filter((_, index) => index % 10 !== 0);
  const spare = cluster.policies.filter((_, index) => index % 10 === 0);
  const bench = new Bench({ ...cluster, policies: kept }, new Chance(5));
  console.log(`${name} (goals: p50 ${p50} ms, p99 ${p99} ms; namespace label p99 ${namespaceP99} ms)`);
  bench.run('pod: label that nobody names', CHANGES, () => bench.relabel('unasked', `v${bench.chance.below(1000)}`));
  bench.run('pod: other tier', CHANGES, () => bench.relabel('tier', bench.chance.pick(TIERS)));
  bench.run('pod removed', CHANGES, () => ({ kind: 'remove-pod', pod: bench.pickPod() }));
  bench.run('pod added', CHANGES, (index) => bench.addedPod(index));
  bench.run('policy added, mix of kinds', CHANGES, (index) => ({ kind: 'put-policy', policy: spare[index % spare.length]! }));
  bench.run('policy removed', CHANGES, () => bench.removedPolicy());
  bench.run('policy edited', CHANGES, () => bench.editedPolicy());
  bench.run('deny-all for a namespace', 100, (index) => bench.denyAll(index));
  bench.run('namespace label team', NAMESPACE_CHANGES, () => bench.relabelNamespace('team', bench.chance.pick(['atlas', 'beacon', 'cobalt', 'delta'])));
  console.log(`  resident ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB, at most`);
}

/** Changes of all kinds in turn, most of pods, as a watch tells them. */
function measureMemory({ name, pods, policies, namespaces }: (typeof SIZES)[number]): void {
  const bench = new Bench(mixed({ mode: 'bare', pods, policies, namespaces }), new Chance(6));
  const start = heapMegabytes();
  console.log(`${LONG_CHANGES} changes, ${name}: heap and arrays ${start.toFixed(0)} MB after the first compile`);
  let most = start;
  let compactions = 0;
  const clock = process.cpuUsage();
  for (let index = 1; index <= LONG_CHANGES; index++) {
    if (bench.follow(bench.anyChange(index))) compactions++;
    if (index % TOLD_EVERY !== 0) continue;
    const now = heapMegabytes();
    most = Math.max(most, now);
    const { user, system } = process.cpuUsage(clock);
    console.log(`  after ${index}: ${now.toFixed(0)} MB, ${bench.sizes()}, ${compactions} compactions, ${((user + system) / 1e3 / index).toFixed(2)} ms CPU a change`);
  }
  console.log(`  at most ${(most / start).toFixed(2)} times the memory of the start (goal ${GROWTH_GOAL} times); resident ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB, at most`);
}

/** What is in use, once garbage is collected. */
function heapMegabytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

class Bench {
  readonly chance: Chance;
  private readonly live: LiveProgram;
  private readonly takenPods: Pod[] = [];
  private readonly takenPolicies: NetworkPolicy[] = [];

  constructor(cluster: Cluster, chance: Chance) {
    this.chance = chance;
    this.live = new LiveProgram(cluster);
    this.warmRows();
  }

  run(what: string, count: number, next: (index: number) => ClusterChange): void {
    const times: number[] = [];
    let moved = 0;
    let compactions = 0;
    for (let index = 0; index < WARM_UP_CHANGES; index++) this.live.apply(next(index));
    for (let index = WARM_UP_CHANGES; index < WARM_UP_CHANGES + count; index++) {
      // As an agent does between changes; else a change does it, much later.
      if (this.live.wantsCompaction) {
        this.live.compact();
        this.warmRows();
        compactions++;
      }
      const change = next(index);
      const start = process.hrtime.bigint();
      const { ingress, egress } = this.live.apply(change);
      times.push(Number(process.hrtime.bigint() - start) / 1e6);
      moved += ingress.subjects.length + ingress.classes.length + egress.subjects.length + egress.classes.length;
    }
    times.sort((a, b) => a - b);
    const at = (part: number): string => times[Math.min(count - 1, Math.floor(count * part))]!.toFixed(3);
    console.log(`  ${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms of ${count}; ${(moved / count).toFixed(1)} moves each${compactions === 0 ? '' : `; ${compactions} compactions between them`}`);
  }

  /** Gives whether it was time for a compaction. */
  follow(change: ClusterChange): boolean {
    const isTime = this.live.wantsCompaction;
    if (isTime) this.live.compact();
    this.live.apply(change);
    return isTime;
  }

  /**
   * Of a hundred changes 82 are of pods, 16 of policies, one of a namespace's label and one of a node. What is removed
   * comes back under another name, so that the cluster stays what it was.
   */
  anyChange(index: number): ClusterChange {
    const turn = index % 100;
    if (turn === 0) return this.relabelNamespace('team', this.chance.pick(['atlas', 'beacon', 'cobalt', 'delta']));
    if (turn === 1) return { kind: 'put-node', node: { name: `node-${this.chance.below(50)}`, labels: new Map([['turn', String(index)]]), addresses: [], podRanges: [] } };
    if (turn < 18) return turn % 2 === 0 ? this.editedPolicy() : turn % 4 === 1 ? this.replacedPolicy(index) : this.takenPolicy();
    if (turn % 4 === 0) return this.takenPod();
    return turn % 4 === 1 ? this.replacedPod(index) : turn % 4 === 2 ? this.relabel('tier', this.chance.pick(TIERS)) : this.relabel('release', `v${index}`);
  }

  private takenPod(): ClusterChange {
    const pod = this.pickPod();
    this.takenPods.push(pod);
    return { kind: 'remove-pod', pod };
  }

  private replacedPod(index: number): ClusterChange {
    const pod = this.takenPods.shift() ?? this.pickPod();
    const name = `${pod.name.replace(/~.*/, '')}~${index}`;
    return { kind: 'put-pod', pod: { ...pod, name, workload: { ...pod.workload, name } } };
  }

  private takenPolicy(): ClusterChange {
    const policy = this.pickPolicy();
    this.takenPolicies.push(policy);
    return { kind: 'remove-policy', namespace: policy.namespace, name: policy.name };
  }

  private replacedPolicy(index: number): ClusterChange {
    const policy = this.takenPolicies.shift() ?? this.pickPolicy();
    return { kind: 'put-policy', policy: { ...policy, name: `${policy.name.replace(/~.*/, '')}~${index}` } };
  }

  sizes(): string {
    const { cluster, groups, ingress, egress } = this.live.program;
    return `${cluster.pods.length} pods, ${groups.length} groups, ${ingress.classCount} + ${egress.classCount} classes, ${ingress.subjectCount} + ${egress.subjectCount} subjects`;
  }

  private warmRows(): void {
    const { program } = this.live;
    for (const direction of [program.ingress, program.egress]) for (const subject of new Set(direction.subjectOfGroup)) direction.rowOf(subject);
  }

  pickPod(): Pod {
    return this.chance.pick(this.live.program.cluster.pods);
  }

  private pickPolicy(): NetworkPolicy {
    return this.chance.pick(this.live.program.cluster.policies);
  }

  relabel(key: string, value: string): ClusterChange {
    const pod = this.pickPod();
    return { kind: 'put-pod', pod: { ...pod, labels: new Map([...pod.labels, [key, value]]) } };
  }

  addedPod(index: number): ClusterChange {
    const pod = this.pickPod();
    const name = `new-${index}`;
    return { kind: 'put-pod', pod: { ...pod, name, workload: { ...pod.workload, name }, labels: new Map([...pod.labels, ['app', name]]) } };
  }

  removedPolicy(): ClusterChange {
    const { namespace, name } = this.pickPolicy();
    return { kind: 'remove-policy', namespace, name };
  }

  /** The rules of another policy under this one's name. */
  editedPolicy(): ClusterChange {
    const [policy, other] = [this.pickPolicy(), this.pickPolicy()];
    return { kind: 'put-policy', policy: { ...policy, ingress: other.ingress, egress: other.egress } };
  }

  denyAll(index: number): ClusterChange {
    const policy = this.pickPolicy();
    return { kind: 'put-policy', policy: { ...policy, name: `deny-all-${index}`, podSelector: { requirements: [] }, ingress: [], egress: index % 2 === 0 ? [] : undefined } };
  }

  relabelNamespace(key: string, value: string): ClusterChange {
    const namespace: Namespace = this.chance.pick(this.live.program.cluster.namespaces);
    return { kind: 'put-namespace', namespace: { ...namespace, labels: new Map([...namespace.labels, [key, value]]) } };
  }
}

const only = process.argv[2];
if (only === 'one') measure(SIZES[Number(process.argv[3])]!);
else if (only === 'memory-of') measureMemory(SIZES[0]);
else {
  for (const index of SIZES.keys()) if (only === undefined || only === String(index)) runChild('one', String(index));
  if (only === undefined || only === 'memory') runChild('memory-of');
}
