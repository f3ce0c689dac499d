// What manifests declare and what flows show become one list: each connection is declared and seen, declared and not seen, or seen and not declared.
import { compareText } from '../../base/finding.ts';
import type { IpRange } from '../../base/ip-address.ts';
import { ALL_PORTS, hasPoint, intersectPorts, subtractPorts, unionPorts, type PortSet } from '../../base/port-set.ts';
import { flowPoint } from '../../flow/flow-protocol.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import { selects } from '../../model/selector.ts';
import { endKey, pairKey, sortWitnesses, standingOf, type Connection, type End } from '../ends/connection.ts';
import { seenIn } from '../ends/seen.ts';

export interface FlowsToJoin {
  readonly cluster: Cluster;
  readonly table: FlowTable;
}

/**
 * Of what manifests declare wider than they know (a decision is open, or pods are known by their labels alone) only what was seen
 * is kept of the ports that were. Sorted by source, target and standing; those between the same two ends share no port.
 */
export function joinFlows(context: FlowsToJoin, declared: readonly Connection[], seen: readonly Connection[]): readonly Connection[] {
  const left = new Map(declared.map((connection) => [connection, connection]));
  const bySubject = indexBySubject(declared);
  const found = seen.flatMap((connection) => {
    const near = new Set([connection.source, connection.target].flatMap((end) => (end.kind === 'subject' ? (bySubject.get(endKey(end)) ?? []) : [])));
    return joinOne(context, connection, [...near].map((one) => ({ one, left })));
  });
  const all = [...found, ...[...left.values()].filter(({ ports }) => ports.length > 0)];
  const folded = [...Map.groupBy(all, pairKey).values()].flatMap((same) => foldOpen(context, same));
  return folded.sort((a, b) => compareText(pairKey(a), pairKey(b)) || compareText(standingOf(a), standingOf(b)));
}

function indexBySubject(declared: readonly Connection[]): ReadonlyMap<string, readonly Connection[]> {
  const index = new Map<string, Connection[]>();
  for (const connection of declared) {
    for (const end of [connection.source, connection.target]) {
      if (end.kind !== 'subject') continue;
      const list = index.get(endKey(end));
      if (list === undefined) index.set(endKey(end), [connection]);
      else list.push(connection);
    }
  }
  return index;
}

interface Candidate {
  readonly one: Connection;
  /** What is left of each declared connection. */
  readonly left: Map<Connection, Connection>;
}

/** The parts of one seen connection: what is declared of it, and the rest. */
function joinOne(context: FlowsToJoin, seen: Connection, candidates: readonly Candidate[]): readonly Connection[] {
  const parts: Connection[] = [];
  let rest: PortSet = seen.ports;
  if (!isOpen(seen)) {
    for (const { one, left } of candidates) {
      const common = intersectPorts(rest, one.ports);
      const rows = rowsOn(context, seen, common);
      const how = rows.length === 0 ? undefined : meeting(context, one, seen);
      if (how === undefined) continue;
      const before = left.get(one)!;
      if (how === 'holds') left.set(one, { ...before, seen: seenIn(context.table, [...(before.seen?.rows ?? []), ...rows]) });
      else {
        const { isDeclared: _, ...known } = seen;
        parts.push({ ...known, ports: common, witnesses: one.witnesses, isByName: one.isByName, seen: seenIn(context.table, rows) });
        left.set(one, { ...before, ports: subtractPorts(before.ports, common) });
      }
      rest = subtractPorts(rest, common);
    }
  }
  const rows = rowsOn(context, seen, rest);
  return rows.length === 0 ? parts : [...parts, { ...seen, ports: rest, seen: seenIn(context.table, rows) }];
}

/** What opens every port, for no policy can name what was seen. */
function isOpen({ ports }: Connection): boolean {
  return subtractPorts(ALL_PORTS, ports).length === 0;
}

function rowsOn({ table: { columns } }: FlowsToJoin, { seen, ports: all }: Connection, ports: PortSet): readonly number[] {
  const rows = seen?.rows ?? [];
  return ports === all ? rows : rows.filter((row) => hasPoint(ports, flowPoint(columns.protocol[row]!, columns.port[row]!)));
}

/** `same`: what is declared is what was seen, or wider than anybody knows. `holds`: it is wider by intent. undefined: it is another. */
function meeting(context: FlowsToJoin, declared: Connection, seen: Connection): 'same' | 'holds' | undefined {
  const ends = (['source', 'target'] as const).map((side) => meetingOfEnds(context, declared, { end: declared[side], seen: seen[side] }, seen));
  if (ends.includes(undefined)) return undefined;
  return ends.includes('holds') ? 'holds' : 'same';
}

function meetingOfEnds({ cluster }: FlowsToJoin, { decision }: Connection, { end, seen }: { readonly end: End; readonly seen: End }, { seen: flows }: Connection): 'same' | 'holds' | undefined {
  if (endKey(end) === endKey(seen) && end.kind === 'subject') return 'same';
  if (end.kind === 'pods' && seen.kind === 'subject') {
    const areMeant = seen.subject.pods.every((pod) => (end.namespace === undefined || end.namespace === seen.subject.namespace) && end.selectors.some((selector) => selects(selector, cluster.pods[pod]!)));
    return areMeant ? 'same' : undefined;
  }
  if (end.kind !== 'addresses' || seen.kind !== 'addresses') return undefined;
  const isInside = seen.blocks.every(({ cidr }) => end.blocks.some((block) => holds(block.cidr, cidr) && !block.except.some((range) => holds(range, cidr) || holds(cidr, range))));
  if (!isInside) return undefined;
  if (decision === undefined) return 'holds';
  const names = (flows?.witnesses ?? []).flatMap(({ source, target }) => [source, target].flatMap((one) => (one.kind === 'outside' ? one.names : [])));
  return names.length === 0 || names.includes(end.name) ? 'same' : undefined;
}

function holds(outer: IpRange, inner: IpRange): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** A rule for every port leaves nothing to others between the same two. */
function foldOpen({ table }: FlowsToJoin, same: readonly Connection[]): readonly Connection[] {
  const open = same.find(isOpen);
  if (open === undefined || same.length === 1) return same;
  const { isDeclared: _, ...known } = open;
  const rows = same.flatMap(({ seen }) => seen?.rows ?? []);
  const ports = same.reduce<PortSet>((all, connection) => unionPorts(all, connection.ports), []);
  return [{
    ...known,
    ports,
    witnesses: sortWitnesses(same.flatMap(({ witnesses }) => witnesses)),
    isByName: same.some(({ isByName }) => isByName),
    ...(rows.length === 0 ? {} : { seen: seenIn(table, rows) }),
    ...(same.every(({ isDeclared }) => isDeclared === false) ? { isDeclared: false } : {}),
  }];
}
