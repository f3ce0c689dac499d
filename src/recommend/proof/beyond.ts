// What a connection lets through beyond the flows that it was written for: ports, addresses, and pairs of ends on one port.
import { subtractPorts, type PortSet } from '../../base/port-set.ts';
import { flowPoint } from '../../flow/flow-protocol.ts';
import type { FlowEnd } from '../../flow/flow-record.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Block, Connection, End } from '../ends/connection.ts';
import { mergeIntervals } from '../ends/address-groups.ts';
import { workloadKey } from '../ends/subjects.ts';

export interface Beyond {
  /** That no flow of it used. */
  readonly ports: PortSet;
  /** That no flow of it had. */
  readonly addresses: bigint;
  /** Pairs of ends on one port each, that no flow of it was between: of ends workloads and single addresses count. */
  readonly openings: bigint;
}

export interface SeenOf {
  readonly table: FlowTable;
  /** With the pods that only the flows know. */
  readonly cluster: Cluster;
}

/** Of a connection that was not seen, all that it opens. */
export function beyondOf({ table, cluster }: SeenOf, { source, target, ports, seen }: Connection): Beyond {
  const { columns } = table;
  const rows = seen?.rows ?? [];
  const pointOfRow = (row: number): number => flowPoint(columns.protocol[row]!, columns.port[row]!);
  const points = new Set(rows.map(pointOfRow));
  const who = whosOf(table);
  const isOne = (end: End): boolean => sizeOf(end) === 1n;
  const combinationOf = (row: number): number | string => {
    if (isOne(source)) return who[columns.target[row]!]! * POINTS + pointOfRow(row);
    return isOne(target) ? who[columns.source[row]!]! * POINTS + pointOfRow(row) : `${who[columns.source[row]!]} ${who[columns.target[row]!]} ${pointOfRow(row)}`;
  };
  const combined = isOne(source) && isOne(target) ? points.size : new Set(rows.map(combinationOf)).size;
  const pairs = sizeOf(source) * sizeOf(target) - alone(cluster, source, target);
  const granted = pairs * BigInt(countPoints(ports));
  const addresses = [source, target].find(({ kind }) => kind === 'addresses');
  const seenAddresses = addresses === undefined ? 0 : new Set(rows.map((row) => who[(addresses === source ? columns.source : columns.target)[row]!])).size;
  return {
    ports: subtractPorts(ports, mergeIntervals([...points].map((point) => [point, point]))),
    addresses: addresses === undefined ? 0n : sizeOf(addresses) - BigInt(seenAddresses),
    openings: granted - BigInt(combined),
  };
}

/** Workloads of one pod, which has no other of its workload to speak to. */
function alone({ pods }: Cluster, source: End, target: End): bigint {
  if (source.kind !== 'subject' || target.kind !== 'subject' || source.subject !== target.subject) return 0n;
  const counts = new Map<string, number>();
  for (const index of source.subject.pods) {
    const { workload, replicas } = pods[index]!;
    counts.set(workloadKey(workload), (counts.get(workloadKey(workload)) ?? 0) + replicas);
  }
  return BigInt([...counts.values()].filter((count) => count < 2).length);
}

/** Workloads or addresses; pods known by their labels alone count as one. */
function sizeOf(end: End): bigint {
  switch (end.kind) {
    case 'subject':
      return BigInt(end.subject.workloads.length);
    case 'pods':
      return 1n;
    case 'addresses':
      return end.blocks.reduce((sum, block) => sum + sizeOfBlock(block), 0n);
  }
}

function sizeOfBlock({ cidr, except }: Block): bigint {
  return except.reduce((sum, range) => sum - (range.last - range.first + 1n), cidr.last - cidr.first + 1n);
}

function countPoints(ports: PortSet): number {
  let sum = 0;
  for (let i = 0; i < ports.length; i += 2) sum += ports[i + 1]! - ports[i]! + 1;
  return sum;
}

/** More than the points of the line of ports. */
const POINTS = 1 << 18;

const knownWhos = new WeakMap<FlowTable, { readonly size: number; readonly whos: readonly number[] }>();

/** By end, a number for the workload or address that it is: the same for all of its ends. */
function whosOf(table: FlowTable): readonly number[] {
  const known = knownWhos.get(table);
  if (known?.size === table.ends.all.length) return known.whos;
  const numbers = new Map<string, number>();
  const whos = table.ends.all.map((end) => {
    const text = whoText(end);
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  });
  knownWhos.set(table, { size: whos.length, whos });
  return whos;
}

function whoText(end: FlowEnd): string {
  return end.kind === 'pod' ? `${end.workload.kind}/${end.namespace}/${end.workload.name}` : `${end.address.family} ${end.address.value}`;
}
