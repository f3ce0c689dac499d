// Batches of many nodes whose flows have the cardinality of a large cluster, the same for the same seed.
import type { FlowEnd, FlowRecord } from '../src/flow/flow-record.ts';
import { FlowBatching } from '../src/history/batch/batching.ts';
import type { FlowBatch } from '../src/history/batch/flow-batch.ts';

export const SEED: number = 20_261_122;
export const NODES: number = 120;
export const FLOWS_OF_NODE: number = 5_000;
export const WORKLOADS: number = 2_000;
const NAMESPACES = 100;
/** Nodes on which a workload has pods. */
export const SPREAD: number = 4;
export const OUTSIDE: number = 4_000;

interface Placed {
  readonly end: FlowEnd;
  /** undefined: outside. */
  readonly node: number | undefined;
}

/** A batch of each node, the nodes of both ends telling of the same connections; times are those of 1970. */
export function makeBatches(): readonly FlowBatch[] {
  const random = randomOf(SEED);
  const pods = Array.from({ length: WORKLOADS }, (_, index) => Array.from({ length: SPREAD }, () => pod(index, Math.floor(random() * NODES))));
  const local = Array.from({ length: NODES }, (_, node) => pods.flat().filter((placed) => placed.node === node));
  const outside = Array.from({ length: OUTSIDE }, (_, index): FlowEnd => ({ kind: 'outside', address: { family: 4, value: BigInt(0x2000_0000 + Math.floor(random() * 0x1000_0000)) }, names: index % 3 === 0 ? [`host-${index}.example.com`] : [], node: undefined, isOwnNode: false }));
  // Few are asked by many: the square puts half of the flows onto a quarter of the targets.
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() ** 2 * items.length)]!;
  const batchings = Array.from({ length: NODES }, () => new FlowBatching());
  const isFull = (node: number): boolean => batchings[node]!.size >= FLOWS_OF_NODE;
  // Each in turn, so that most find a node that still tells at the other end.
  while (batchings.some((_, node) => !isFull(node))) {
    for (const [node, batching] of batchings.entries()) {
      if (isFull(node)) continue;
      const target: Placed = random() < 0.8 ? pick(pick(pods)) : { end: pick(outside), node: undefined };
      const flow = makeFlow(random, pick(local[node]!).end, target.end);
      const isSeenTwice = target.node !== undefined && target.node !== node;
      // What is refused is refused at its end: the source's node let it leave.
      batching.add(isSeenTwice ? { ...flow, verdict: 'allowed' } : flow);
      if (isSeenTwice && !isFull(target.node)) batchings[target.node]!.add(flow);
    }
  }
  return batchings.map((batching, node) => batching.batch({ node: nodeName(node), run: 'bench', sequence: 0, lost: 0 }));
}

function makeFlow(random: () => number, source: FlowEnd, target: FlowEnd): FlowRecord {
  const isDenied = random() < 0.05;
  const count = 1 + Math.floor(random() ** 4 * 5_000);
  const port = [443, 80, 8080, 5432, 3306, 6379, 9090, 53][Math.floor(random() * 8)]!;
  const namespace = target.kind === 'pod' ? target.namespace : source.kind === 'pod' ? source.namespace : '';
  const rule = { kind: 'NetworkPolicy', namespace, name: `policy-${Math.floor(random() * 5)}`, index: 0 };
  const side = { verdict: isDenied ? 'refuses' : 'allows', rules: isDenied ? [] : [rule], isolatedBy: [rule], nearMiss: undefined } as const;
  return { verdict: isDenied ? 'denied' : 'allowed', source, target, family: 4, protocol: port === 53 ? 17 : 6, port, count, openings: count, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: { ingress: side, egress: side } };
}

/** The twelfth is shop/db. */
function pod(index: number, node: number): Placed {
  const [namespace, name] = index === 12 ? ['shop', 'db'] : [index % NAMESPACES === 12 ? 'shop' : `team-${index % NAMESPACES}`, `app-${index}`];
  const labels = new Map([['app.kubernetes.io/name', name], ['app.kubernetes.io/part-of', namespace], ['tier', ['web', 'api', 'data'][index % 3]!]]);
  const end: FlowEnd = { kind: 'pod', namespace, workload: { kind: 'Deployment', namespace, name }, pod: undefined, labels, namespaceLabels: new Map([['team', namespace]]), node: nodeName(node), address: undefined };
  return { end, node };
}

function nodeName(node: number): string {
  return `node-${node}`;
}

/** Mulberry32, of Tommy Ettinger. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
