// What the flows of a store have in common, in memory: ends, reasons, names, and the flows themselves; and what of it is not yet on the disk.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FlowEnd } from '../../flow/flow-record.ts';
import { looseObject } from '../../flow/loose-json.ts';
import { endFault, readFlowEnd } from '../../flow/read-flow-end.ts';
import { queryColumns, queryRows } from './duckdb.ts';
import { FlowKeys, KEY_COLUMNS } from './flow-keys.ts';
import { TextIds } from './text-ids.ts';

/** Beyond each of them, records of what is new are counted as lost. */
export const ENDS_MAX: number = 1 << 18;
export const REASONS_MAX: number = 1 << 18;
export const NAMES_MAX: number = 1 << 16;
export const FLOWS_MAX: number = 1 << 22;

export interface Dictionaries {
  readonly ends: TextIds;
  readonly reasons: TextIds;
  readonly names: TextIds;
  readonly flows: FlowKeys;
  /** By number of an end; those not yet asked for are missing. */
  readonly parsedEnds: (FlowEnd | undefined)[];
  /** Made since the last transaction, in their order. */
  readonly fresh: FreshEntries;
}

export interface FreshEntries {
  readonly ends: number[];
  readonly reasons: number[];
  readonly names: number[];
  readonly flows: number[];
}

export async function loadDictionaries(connection: DuckDBConnection): Promise<Dictionaries> {
  const texts = async (table: string, max: number): Promise<TextIds> => TextIds.load((await queryRows(connection, `SELECT id, text FROM ${table}`)) as readonly (readonly [number, string])[], max); // as the schema says
  return {
    ends: await texts('ends', ENDS_MAX),
    reasons: await texts('reasons', REASONS_MAX),
    names: await texts('names', NAMES_MAX),
    flows: await FlowKeys.load(queryColumns(connection, `SELECT id, ${KEY_COLUMNS.join(', ')} FROM flows`), FLOWS_MAX),
    parsedEnds: [],
    fresh: { ends: [], reasons: [], names: [], flows: [] },
  };
}

/** undefined: there is no room. */
export function internText({ fresh, ...all }: Dictionaries, kind: 'ends' | 'reasons' | 'names', text: string): number | undefined {
  const known = all[kind].idOf(text);
  if (known !== undefined) return known;
  const id = all[kind].add(text);
  if (id !== undefined) fresh[kind].push(id);
  return id;
}

export function parsedEnd({ ends, parsedEnds }: Dictionaries, id: number): FlowEnd | undefined {
  const known = parsedEnds[id];
  if (known !== undefined) return known;
  const text = ends.textOf(id);
  const end = text === undefined ? undefined : readEndText(text);
  if (end !== undefined) parsedEnds[id] = end;
  return end;
}

/** undefined: it is none, or has a name that no object can have. Never throws. */
export function readEndText(text: string): FlowEnd | undefined {
  const object = objectOf(text);
  const end = object === undefined ? undefined : readFlowEnd(object, 'source');
  return end === undefined || endFault(end) !== undefined ? undefined : end;
}

export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return looseObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** In the transaction that is open. */
export async function writeFresh(connection: DuckDBConnection, { fresh, flows, ...all }: Dictionaries): Promise<void> {
  for (const kind of ['ends', 'reasons', 'names'] as const) {
    if (fresh[kind].length === 0) continue;
    const appender = await connection.createAppender(kind);
    for (const id of fresh[kind]) {
      appender.appendInteger(id);
      appender.appendVarchar(all[kind].textOf(id)!);
      appender.endRow();
    }
    appender.closeSync();
  }
  if (fresh.flows.length > 0) await writeFlows(connection, flows, fresh.flows);
}

async function writeFlows(connection: DuckDBConnection, { columns }: FlowKeys, ids: readonly number[]): Promise<void> {
  const { source, target, port, protocol, flags, node, service, reason } = columns;
  const appender = await connection.createAppender('flows');
  for (const id of ids) {
    appender.appendInteger(id);
    for (const column of [source, target, port, protocol, flags, node, service, reason]) appender.appendInteger(column[id]!);
    appender.endRow();
  }
  appender.closeSync();
}

export function forgetFresh({ fresh }: Dictionaries): void {
  for (const list of Object.values(fresh)) (list as number[]).length = 0;
}
