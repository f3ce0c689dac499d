// What it costs to write and prove policies for a million different recorded flows.
import { recommend } from '../src/recommend/recommend.ts';
import { recommendationYaml } from '../src/report/define/recommendation.ts';
import { FlowTable } from '../src/flow/flow-table.ts';
import type { FlowEnd } from '../src/flow/flow-record.ts';
import type { Cluster } from '../src/model/cluster.ts';
import { Chance } from './generate-cluster.ts';

const FLOWS = Number(process.env['BENCH_FLOWS'] ?? 1_000_000);
const REPEATS = Number(process.env['BENCH_REPEATS'] ?? 2);
const NAMESPACES = 50;
const WORKLOADS = 1000;
/** Whom one workload asks. */
const TARGETS = 10;
const OUTSIDE = 20_000;
const SEED = 7;
const DAY_MS = 86_400_000;

const EMPTY: Cluster = { namespaces: [], pods: [], services: [], endpointSlices: [], ingresses: [], ingressClasses: [], nodes: [], policies: [], clusterPolicies: [], podRanges: [], unreadObjects: [] };

const table = fillTable();
const runs = Array.from({ length: REPEATS }, () => timeRecommendation());
const best = runs.reduce((a, b) => (a.seconds <= b.seconds ? a : b));
console.log(`${table.size} different flows of ${WORKLOADS} workloads and ${OUTSIDE} addresses, seed ${SEED}: ${best.policies} policies with ${best.rules} rules written and proven in ${best.seconds.toFixed(1)} s CPU, ${best.spare} rules spare; ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`);

function workloadEnd(index: number): FlowEnd {
  const [namespace, name] = [`team-${index % NAMESPACES}`, `app-${index}`];
  return { kind: 'pod', namespace, workload: { kind: 'Deployment', namespace, name }, pod: undefined, labels: new Map([['app', name]]), namespaceLabels: new Map(), address: undefined };
}

/** Each workload asks few others on a port or two, and is asked by many addresses, each on one of two ports. */
function fillTable(): FlowTable {
  const chance = new Chance(SEED);
  const filled = new FlowTable();
  const workloads = Array.from({ length: WORKLOADS }, (_, index) => filled.ends.intern(workloadEnd(index))!);
  const outside = Array.from({ length: OUTSIDE }, (_, index) => filled.ends.intern({ kind: 'outside', address: { family: 4, value: BigInt(0x0b000000 + index * 37) }, names: [], node: undefined, isOwnNode: false })!);
  const add = (source: number, target: number, port: number): void => {
    const firstSeen = chance.below(20) * DAY_MS;
    filled.addRow({ source, target, verdict: 'allowed', family: 4, protocol: 6, port, count: 1 + chance.below(50), openings: 1, firstSeen, lastSeen: firstSeen + chance.below(3) * DAY_MS });
  };
  for (const source of workloads) for (let asked = 0; asked < TARGETS; asked++) add(source, chance.pick(workloads), chance.pick([5432, 6379, 8080, 9090]));
  while (filled.size < FLOWS) add(chance.pick(outside), workloads[chance.below(100)]!, chance.pick([80, 443]));
  return filled;
}

function timeRecommendation(): { readonly seconds: number; readonly policies: number; readonly rules: number; readonly spare: number } {
  const before = process.cpuUsage();
  const recommendation = recommend(EMPTY, [], { flows: { table, outside: { kind: 'prefix', bits: { 4: 16, 6: 48 } } } });
  for (const _ of recommendationYaml(recommendation)); // written out
  const { user, system } = process.cpuUsage(before);
  const { rules, spare } = recommendation.flows!.proof;
  return { seconds: (user + system) / 1e6, policies: recommendation.drafts.length, rules, spare };
}
