// Who may see which flows: those with an end in a namespace that he may read, and of the other end no more than who it is.
import { DIRECTIONS, type Direction } from '../../model/network-policy.ts';
import type { FlowEnd, FlowReason, FlowRecord, SideReason } from '../../flow/flow-record.ts';

/** Names of namespaces. */
export type Readable = 'all' | ReadonlySet<string>;

export function isReadable(readable: Readable, end: FlowEnd): boolean {
  return readable === 'all' || (end.kind === 'pod' && readable.has(end.namespace));
}

/** What of an end everybody may know who may see the flow: neither labels nor pod, nor where it runs. */
export function concealEnd(readable: Readable, end: FlowEnd): FlowEnd {
  if (end.kind === 'outside' || isReadable(readable, end)) return end;
  const { workload } = end;
  const isBare = workload.kind === 'Pod';
  return { ...end, workload: isBare ? { ...workload, name: 'a-pod' } : workload, pod: undefined, labels: new Map(), namespaceLabels: new Map(), node: undefined, address: undefined };
}

const SIDE: Readonly<Record<Direction, 'source' | 'target'>> = { ingress: 'target', egress: 'source' };

/** Policies of a namespace that he may not read are not named; what they said is. */
export function concealRecord(readable: Readable, record: FlowRecord): FlowRecord {
  if (readable === 'all') return record;
  const reason = record.reason === undefined ? undefined : (Object.fromEntries(DIRECTIONS.map((direction) => [direction, concealSide(readable, record[SIDE[direction]], record.reason![direction])])) as FlowReason); // both directions
  const [source, target] = [concealEnd(readable, record.source), concealEnd(readable, record.target)];
  const isWhole = source === record.source && target === record.target;
  // Who told it may be where the other end runs.
  const node = isWhole || [source, target].some((end) => end.node === record.node) ? record.node : undefined;
  return { ...record, source, target, node, service: isReadable(readable, record.target) ? record.service : undefined, reason };
}

function concealSide(readable: Readable, end: FlowEnd, side: SideReason): SideReason {
  return end.kind === 'outside' || isReadable(readable, end) ? side : { verdict: side.verdict, rules: [], isolatedBy: [], nearMiss: undefined };
}
