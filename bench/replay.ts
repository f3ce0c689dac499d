// What it costs to hold ten million different recorded flows against proposed policies, and to read flows from lines of JSON.
import { FlowGathering } from '../src/flow/gather-flows.ts';
import { FlowTable } from '../src/flow/flow-table.ts';
import { replayFlows } from '../src/flow/replay.ts';
import { flowJson } from '../src/flow/write-flow.ts';
import type { FlowEnd } from '../src/flow/flow-record.ts';
import type { Cluster } from '../src/model/cluster.ts';
import { Chance } from './generate-cluster.ts';
import { mixed } from './scale-shapes.ts';

const FLOWS = Number(process.env['BENCH_FLOWS'] ?? 10_000_000);
const REPEATS = Number(process.env['BENCH_REPEATS'] ?? 3);
const GOAL_SECONDS = 5;
const OUTSIDE = 10_000;
const LINES = 100_000;
const PORTS = [53, 443, 3000, 5432, 8080, 8443, 9000, 9090];
const SEED = 7;

const cluster = mixed({ mode: 'bare', pods: 20_000, policies: 2000, namespaces: 200 });
const table = fillTable(cluster);
const runs = Array.from({ length: REPEATS }, () => timeReplay(cluster, table));
const best = runs.reduce((a, b) => (a.seconds <= b.seconds ? a : b));
console.log(`${table.size} different flows between ${table.ends.all.length} ends, 2000 policies, seed ${SEED}: replayed in ${best.seconds.toFixed(2)} s CPU, the proposed policies compiled (goal ${GOAL_SECONDS} s); ${best.refused} would be refused; ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`);
const lines = linesOf(table);
const reading = Array.from({ length: REPEATS }, () => secondsOf(() => readAll(lines)));
console.log(`lines of JSON: ${Math.round(LINES / Math.min(...reading))} a second, of ${Math.round(lines.join('\n').length / LINES)} bytes each`);

function endsOf({ pods }: Cluster): readonly FlowEnd[] {
  const inside = pods.map((pod): FlowEnd => ({ kind: 'pod', namespace: pod.namespace, workload: pod.workload, pod: pod.name, labels: pod.labels, namespaceLabels: new Map(), address: undefined }));
  const outside = Array.from({ length: OUTSIDE }, (_, index): FlowEnd => ({ kind: 'outside', address: { family: 4, value: BigInt(0x0b000000 + index * 4099) }, names: [], node: undefined, isOwnNode: false }));
  return [...inside, ...outside];
}

/** Random pairs, until there are as many different flows as wanted; each was let through. */
function fillTable(seen: Cluster): FlowTable {
  const chance = new Chance(SEED);
  const filled = new FlowTable();
  const ends = endsOf(seen).map((end) => filled.ends.intern(end)!);
  const pods = seen.pods.length;
  while (filled.size < FLOWS) {
    const [a, b] = [chance.below(ends.length), chance.below(pods)];
    const [source, target] = chance.below(2) === 0 ? [a, b] : [b, a];
    filled.addRow({ source: ends[source]!, target: ends[target]!, verdict: 'allowed', family: 4, protocol: 6, port: chance.pick(PORTS), count: 1, openings: 1, firstSeen: 0, lastSeen: 1 });
  }
  return filled;
}

function timeReplay(proposed: Cluster, flows: FlowTable): { readonly seconds: number; readonly refused: number } {
  let refused = 0;
  const seconds = secondsOf(() => {
    const replay = replayFlows(proposed, flows);
    refused = replay.refused.flows;
    replay.refused.mostSeen(50);
  });
  return { seconds, refused };
}

function linesOf(flows: FlowTable): readonly string[] {
  return Array.from({ length: LINES }, (_, row) => JSON.stringify(flowJson(flows.recordAt(row))));
}

function readAll(texts: readonly string[]): void {
  const gathering = new FlowGathering();
  for (const [index, text] of texts.entries()) gathering.addLine(text, 'bench', index + 1);
}

function secondsOf(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
