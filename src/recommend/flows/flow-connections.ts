// Connections that recorded flows show, and the flows that no rule is written for, with the reason.
import { isDnsPod } from '../../analyze/dns-pods.ts';
import type { IpAddress, IpRange } from '../../base/ip-address.ts';
import { ALL_PORTS, hasOtherProtocols, OTHER_POINT, pointOf, portSetOf, unionPorts, type PortSet } from '../../base/port-set.ts';
import { flowPoint } from '../../flow/flow-protocol.ts';
import { DENIED_BIT, type FlowTable } from '../../flow/flow-table.ts';
import { addressKey, namesOfAddresses } from '../../flow/named-addresses.ts';
import type { Cluster } from '../../model/cluster.ts';
import { compareAddresses, EXACT, groupAddresses, mergeIntervals, type OutsideGrouping, type SeenAddress } from '../ends/address-groups.ts';
import { rangeBlocks } from '../ends/address-blocks.ts';
import type { Connection, End } from '../ends/connection.ts';
import { findLateAnswers, type PlacedTable } from './late-answers.ts';
import type { FlowPlace } from './flow-places.ts';
import { scrapeSign } from './seen-scrapes.ts';
import { seenIn } from '../ends/seen.ts';
import type { Subject } from '../ends/subjects.ts';

/** Of a cluster with the pods that only the flows know. */
export interface FlowContext extends PlacedTable {
  /** By row, 1 where it is allowed with every namespace closed and no rule at all: from a node to its pods, or between ends that are not closed. */
  readonly needsNone: Uint8Array;
  readonly grouping: OutsideGrouping;
  /** Grants what was refused as well. */
  readonly withDenied: boolean;
  /** What no port names stands in connections of its own, which can be left out. */
  readonly onlyDecided: boolean;
}

/**
 * `denied`: it was refused. `late-answer`: by its port it answers a connection that was forgotten. `unlabeled`: no label that
 * stays tells its pods. `unknown-pod`: its address is one of a pod that nobody named. These are closed; the others need no rule.
 */
export type Unwritten = 'denied' | 'late-answer' | 'unlabeled' | 'unknown-pod' | 'needs-none';

export interface FlowConnections {
  readonly connections: readonly Connection[];
  readonly unwritten: ReadonlyMap<Unwritten, readonly number[]>;
}

export function connectionsOfFlows(context: FlowContext): FlowConnections {
  const { pairs, outside, unwritten } = sortRows(context);
  const addresses = numberAddresses(context.places);
  return { connections: [...[...pairs.values()].flatMap((pair) => connectionsOfPair(context, pair)), ...[...outside.values()].flatMap((side) => connectionsOfSide(context, side, addresses))], unwritten };
}

interface Pair {
  readonly source: Subject;
  readonly target: Subject;
  readonly rows: number[];
}

/** What one workload has to do with addresses, in one direction. */
interface Side {
  readonly subject: Subject;
  readonly own: 'source' | 'target';
  readonly rows: number[];
}

interface SortedRows {
  readonly pairs: ReadonlyMap<number, Pair>;
  readonly outside: ReadonlyMap<number, Side>;
  readonly unwritten: ReadonlyMap<Unwritten, readonly number[]>;
}

function sortRows(context: FlowContext): SortedRows {
  const { table, places } = context;
  const { source, target } = table.columns;
  const numbers = numberSubjects(places);
  const isLate = findLateAnswers(context);
  const pairs = new Map<number, Pair>();
  const outside = new Map<number, Side>();
  const unwritten = new Map<Unwritten, number[]>();
  for (let row = 0; row < table.size; row++) {
    const [from, into] = [places[source[row]!]!, places[target[row]!]!];
    const why = whyUnwritten(context, from, into, row) ?? (isLate(row) ? 'late-answer' : undefined);
    if (why !== undefined) addTo(unwritten, why, () => [], row);
    else if (from.kind === 'subject' && into.kind === 'subject') addRow(pairs, numbers.get(from.subject)! * numbers.size + numbers.get(into.subject)!, () => ({ source: from.subject, target: into.subject, rows: [] }), row);
    else if (from.kind === 'subject') addRow(outside, numbers.get(from.subject)! * 2, () => ({ subject: from.subject, own: 'source' as const, rows: [] }), row);
    else if (into.kind === 'subject') addRow(outside, numbers.get(into.subject)! * 2 + 1, () => ({ subject: into.subject, own: 'target' as const, rows: [] }), row);
  }
  return { pairs, outside, unwritten };
}

function numberSubjects(places: readonly FlowPlace[]): ReadonlyMap<Subject, number> {
  const subjects = new Set(places.flatMap((place) => (place.kind === 'subject' ? [place.subject] : [])));
  return new Map([...subjects].map((subject, index) => [subject, index]));
}

function addTo<Key>(lists: Map<Key, number[]>, key: Key, make: () => number[], row: number): void {
  const list = lists.get(key) ?? make();
  if (list.length === 0) lists.set(key, list);
  list.push(row);
}

function addRow<Group extends { readonly rows: number[] }>(groups: Map<number, Group>, key: number, make: () => Group, row: number): void {
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = make()));
  group.rows.push(row);
}

function whyUnwritten({ table, needsNone, withDenied }: FlowContext, source: FlowPlace, target: FlowPlace, row: number): Unwritten | undefined {
  if (needsNone[row] === 1) return 'needs-none';
  if ((table.columns.flags[row]! & DENIED_BIT) !== 0 && !withDenied) return 'denied';
  if (source.kind === 'nobody') return source.why;
  return target.kind === 'nobody' ? target.why : undefined;
}

export function pointAt({ columns: { protocol, port } }: FlowTable, row: number): number {
  return flowPoint(protocol[row]!, port[row]!);
}

function portsOfRows(table: FlowTable, rows: readonly number[]): PortSet {
  return mergeIntervals([...new Set(rows.map((row) => pointAt(table, row)))].map((point) => [point, point]));
}

function partsOf({ table, onlyDecided }: FlowContext, rows: readonly number[]): readonly (readonly number[])[] {
  if (!onlyDecided) return [rows];
  const isPortless = (row: number): boolean => pointAt(table, row) === OTHER_POINT;
  return [rows.filter((row) => !isPortless(row)), rows.filter(isPortless)].filter((part) => part.length > 0);
}

const PORTLESS = 'no policy can name ICMP and protocols without ports: this opens every port between the two';

/** What is opened for these ports. */
function openingOf(ports: PortSet): Pick<Connection, 'ports' | 'decision'> {
  return hasOtherProtocols(ports) ? { ports: ALL_PORTS, decision: PORTLESS } : { ports, decision: undefined };
}

function connectionsOfPair(context: FlowContext, { source, target, rows }: Pair): readonly Connection[] {
  const { cluster, table } = context;
  return partsOf(context, rows).map((part): Connection => {
    const seen = portsOfRows(table, part);
    const ports = isDns(cluster, target) ? withBothOfDns(seen) : seen;
    const scrape = scrapeSign(cluster, { source, target }, seen);
    return { source: { kind: 'subject', subject: source }, target: { kind: 'subject', subject: target }, witnesses: [], isByName: false, ...openingOf(ports), seen: seenIn(table, part), ...(scrape === undefined ? {} : { scrape }), isDeclared: false };
  });
}

function isDns({ pods }: Cluster, { pods: own }: Subject): boolean {
  return own.some((pod) => isDnsPod(pods[pod]!));
}

/** An answer that is too long for UDP is asked for again over TCP (RFC 7766, section 5). */
function withBothOfDns(ports: PortSet): PortSet {
  return [53, 5353].reduce<PortSet>((all, port) => (ports.includes(pointOf('UDP', port)) ? unionPorts(all, portSetOf('TCP', port, port)) : all), ports);
}

function connectionsOfSide(context: FlowContext, { subject, own, rows }: Side, addresses: NumberedAddresses): readonly Connection[] {
  const { cluster, table } = context;
  const grouping = groupingOf(context, own);
  const end: End = { kind: 'subject', subject };
  return partsOf(context, rows).flatMap((part) => {
    const seen = rowsByAddress(context, own, part, addresses).map(({ address, places, rows: same }): SeenAddress & { readonly rows: readonly number[] } => ({ address, ...nameOf(places), ...domainNameOf(context, grouping, address), ports: portsOfRows(table, same), rows: same }));
    return groupAddresses(seen, grouping, podAddresses(cluster)).map((group): Connection => {
      const other: End = { kind: 'addresses', name: group.name, blocks: rangeBlocks(group.prefixes), ...(group.dnsName === undefined ? {} : { dnsName: group.dnsName }) };
      const held = [...new Set(group.seen.flatMap(({ rows: same }) => same))];
      const [source, target] = own === 'source' ? [end, other] : [other, end];
      return { source, target, witnesses: [], isByName: false, ...openingOf(group.ports), seen: seenIn(table, held), isDeclared: false };
    });
  });
}

/** A source is never known by a name. */
function groupingOf({ grouping }: FlowContext, own: Side['own']): OutsideGrouping {
  return grouping.kind === 'domain-names' && own === 'target' ? EXACT : grouping;
}

/** A name that every look-up of the address gave, and that a policy can name (ClusterNetworkPolicy, `domainNames`). */
function domainNameOf({ table }: FlowContext, grouping: OutsideGrouping, address: IpAddress): { readonly name?: string | undefined } {
  if (grouping.kind !== 'domain-names') return {};
  const names = knownNames(table).get(addressKey(address))?.names ?? [];
  return { name: names.find((name) => /^([a-z0-9]([-a-z0-9_]*[a-z0-9])?\.)+[a-z0-9]([-a-z0-9_]*[a-z0-9])?$/.test(name)) };
}

const nameCache = new WeakMap<FlowTable, ReturnType<typeof namesOfAddresses>>();

function knownNames(table: FlowTable): ReturnType<typeof namesOfAddresses> {
  const known = nameCache.get(table) ?? namesOfAddresses(table.ends.all);
  nameCache.set(table, known);
  return known;
}

type AddressPlace = Extract<FlowPlace, { kind: 'addresses' }>;

/** More than a table of flows has. */
const ROWS_MAX = 2 ** 32;

interface NumberedAddresses {
  /** Each once, by `compareAddresses`. */
  readonly sorted: readonly IpAddress[];
  /** By end, those of its place, as numbers of the sorted ones. */
  readonly ofEnd: readonly (readonly number[])[];
}

/** Once for all workloads: each has to do with many of them. */
function numberAddresses(places: readonly FlowPlace[]): NumberedAddresses {
  const sorted = [...new Map(places.flatMap((place) => (place.kind === 'addresses' ? place.addresses.map((address) => [addressKey(address), address] as const) : []))).values()].sort(compareAddresses);
  const numbers = new Map(sorted.map((address, number) => [addressKey(address), number]));
  return { sorted, ofEnd: places.map((place) => (place.kind === 'addresses' ? place.addresses.map((address) => numbers.get(addressKey(address))!) : [])) };
}

interface RowsOfAddress {
  readonly address: IpAddress;
  readonly places: readonly AddressPlace[];
  readonly rows: readonly number[];
}

/** In the order of the addresses. */
function rowsByAddress({ table, places }: FlowContext, own: Side['own'], rows: readonly number[], { sorted, ofEnd }: NumberedAddresses): readonly RowsOfAddress[] {
  const ends = own === 'source' ? table.columns.target : table.columns.source;
  // A sort of plain numbers, the address above the row.
  const keys = Float64Array.from(rows.flatMap((row) => ofEnd[ends[row]!]!.map((number) => number * ROWS_MAX + row))).sort();
  const found: RowsOfAddress[] = [];
  for (let start = 0, end = 0; start < keys.length; start = end) {
    const number = Math.floor(keys[start]! / ROWS_MAX);
    while (end < keys.length && keys[end]! < (number + 1) * ROWS_MAX) end++;
    const same = Array.from(keys.subarray(start, end), (key) => key % ROWS_MAX);
    found.push({ address: sorted[number]!, places: same.map((row) => places[ends[row]!] as AddressPlace), rows: same }); // the other end of a side is one
  }
  return found;
}

/** Of several names the first by the alphabet, so that the order of the flows says nothing. */
function nameOf(same: readonly AddressPlace[]): Pick<SeenAddress, 'name' | 'node'> {
  const places = new Set(same);
  if (places.size === 1 && same[0]!.names.length <= 1) return { name: same[0]!.names[0], node: same[0]!.node };
  const [names, nodes] = [[...places].flatMap((place) => place.names).sort(), [...places].flatMap(({ node }) => node ?? []).sort()];
  return { name: names[0], node: nodes[0] };
}

const podAddressCache = new WeakMap<Cluster, readonly IpRange[]>();

function podAddresses(cluster: Cluster): readonly IpRange[] {
  let known = podAddressCache.get(cluster);
  if (known === undefined) {
    const own = cluster.pods.filter(({ hostNetwork }) => !hostNetwork).flatMap(({ addresses }) => addresses.map(({ family, value }): IpRange => ({ family, first: value, last: value })));
    podAddressCache.set(cluster, (known = [...cluster.podRanges, ...own]));
  }
  return known;
}

