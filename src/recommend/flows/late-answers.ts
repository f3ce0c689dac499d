// Answers that a kernel took for new connections, for it had forgotten those that they belong to: known by the ports of their openers.
import { portedProtocol } from '../../flow/flow-protocol.ts';
import { DENIED_BIT, type FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { FlowPlace } from './flow-places.ts';

/** The first port that Linux gives to who opens a connection: `net.ipv4.ip_local_port_range` (kernel, "IP Sysctl"). */
const EPHEMERAL_FIRST = 32_768;
/** On as many such ports of one pair nobody serves. */
const PORTS_OF_ANSWERS = 3;

export interface PlacedTable {
  readonly cluster: Cluster;
  readonly table: FlowTable;
  /** By end of the table. */
  readonly places: readonly FlowPlace[];
}

/**
 * Whether a row is one: the other end opened a connection of the same protocol the other way, no container lists the port,
 * and it was seen once or stands beside others of its kind.
 */
export function findLateAnswers(context: PlacedTable): (row: number) => boolean {
  const { table } = context;
  const rows = suspectRows(context);
  const opened = openedPairs(table, rows);
  const answering = rows.filter((row) => opened.has(pairKey(table, row, 'reverse')));
  const counts = new Map<string, number>();
  for (const row of answering) counts.set(pairKey(table, row), (counts.get(pairKey(table, row)) ?? 0) + 1);
  const late = new Set(answering.filter((row) => table.columns.count[row]! <= 1 || counts.get(pairKey(table, row))! >= PORTS_OF_ANSWERS));
  return (row) => late.has(row);
}

function suspectRows({ table, places, cluster }: PlacedTable): readonly number[] {
  const { target, port, protocol, flags } = table.columns;
  const rows: number[] = [];
  for (let row = 0; row < table.size; row++) {
    if (port[row]! < EPHEMERAL_FIRST || (flags[row]! & DENIED_BIT) !== 0) continue;
    const place = places[target[row]!]!;
    const named = portedProtocol(protocol[row]!);
    const listed = place.kind === 'subject' && place.subject.pods.some((pod) => cluster.pods[pod]!.ports.some((own) => own.port === port[row] && own.protocol === named));
    if (!listed) rows.push(row);
  }
  return rows;
}

/** Of pairs that suspects go between, those that opened something on a port that serves. */
function openedPairs(table: FlowTable, suspects: readonly number[]): ReadonlySet<string> {
  if (suspects.length === 0) return new Set();
  const wanted = new Set(suspects.map((row) => pairKey(table, row, 'reverse')));
  const opened = new Set<string>();
  for (let row = 0; row < table.size; row++) {
    if (table.columns.port[row]! >= EPHEMERAL_FIRST || table.columns.port[row] === 0) continue;
    const key = pairKey(table, row);
    if (wanted.has(key)) opened.add(key);
  }
  return opened;
}

function pairKey({ columns: { source, target, protocol } }: FlowTable, row: number, way: 'forward' | 'reverse' = 'forward'): string {
  const [first, second] = way === 'forward' ? [source[row], target[row]] : [target[row], source[row]];
  return `${first} ${second} ${protocol[row]}`;
}
