// What an agent sends: flows of its node in columns of numbers, each end, reason and Service written once.
import { looseObject, textAt, type LooseObject } from '../../flow/loose-json.ts';

export interface FlowBatch {
  readonly node: string;
  /** Of the agent, another one each time it starts. */
  readonly run: string;
  /** Grows within a run; what was sent again has the same one. */
  readonly sequence: number;
  /** Judgments of which nothing more is known, since the batch before. */
  readonly lost: number;
  /** JSON as `endFields` gives it, by `source`. */
  readonly ends: readonly string[];
  /** JSON as `reasonFields` gives it. */
  readonly reasons: readonly string[];
  /** `namespace/name`. */
  readonly services: readonly string[];
  readonly columns: BatchColumns;
}

/** By record. */
export type BatchColumns = Readonly<Record<ColumnName, readonly number[]>>;

/** `openings`, `service` and `reason`: -1 where there is none. `firstSeen`, `lastSeen`: milliseconds since 1970. */
export type ColumnName = 'source' | 'target' | 'isDenied' | 'family' | 'protocol' | 'port' | 'service' | 'reason' | 'count' | 'openings' | 'firstSeen' | 'lastSeen';

export const COLUMN_NAMES: readonly ColumnName[] = ['source', 'target', 'isDenied', 'family', 'protocol', 'port', 'service', 'reason', 'count', 'openings', 'firstSeen', 'lastSeen'];

export const BATCH_RECORDS_MAX = 50_000;
const NAME_LENGTH_MAX = 512;
const TEXT_LENGTH_MAX = 64 * 1024;
/** The year 9999. */
const TIME_MAX = 253_402_300_799_999;

export type ReadBatch = { readonly kind: 'batch'; readonly batch: FlowBatch } | { readonly kind: 'broken'; readonly message: string };

export function writeBatch(batch: FlowBatch): string {
  return JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'FlowBatch', ...batch });
}

export function recordsOfBatch({ columns }: FlowBatch): number {
  return columns.count.length;
}

/** Never throws, whatever the text is. The texts of ends and reasons are not looked into. */
export function readBatch(text: string): ReadBatch {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return broken('this is no JSON');
  }
  const outer = looseObject(value);
  if (outer === undefined || outer['apiVersion'] !== 'bulkhead/v1' || outer['kind'] !== 'FlowBatch') return broken('this is no FlowBatch of bulkhead/v1');
  const [node, run] = [textAt(outer, 'node'), textAt(outer, 'run')];
  if (node === undefined || run === undefined) return broken('`node` and `run` are wanted, each a text');
  const { sequence, lost } = outer;
  if (!isWhole(sequence, Number.MAX_SAFE_INTEGER) || !isWhole(lost, Number.MAX_SAFE_INTEGER)) return broken('`sequence` and `lost` are wanted, each a whole number');
  const [ends, reasons, services] = [textsOf(outer, 'ends', TEXT_LENGTH_MAX), textsOf(outer, 'reasons', TEXT_LENGTH_MAX), textsOf(outer, 'services', NAME_LENGTH_MAX)];
  if (ends === undefined || reasons === undefined || services === undefined) return broken('`ends`, `reasons` and `services` are wanted, each a list of texts that are not too long');
  const columns = looseObject(outer['columns']);
  const fault = columns === undefined ? '`columns` is wanted' : faultOf(columns, { ends: ends.length, reasons: reasons.length, services: services.length });
  if (fault !== undefined) return broken(fault);
  return { kind: 'batch', batch: { node, run, sequence, lost, ends, reasons, services, columns: columns as BatchColumns } }; // `faultOf` has looked at each number
}

function broken(message: string): ReadBatch {
  return { kind: 'broken', message };
}

function isWhole(value: unknown, max: number, min = 0): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function textsOf(outer: LooseObject, name: string, lengthMax: number): readonly string[] | undefined {
  const list = outer[name];
  return Array.isArray(list) && list.every((item) => typeof item === 'string' && item !== '' && item.length <= lengthMax) ? list : undefined;
}

interface Sizes {
  readonly ends: number;
  readonly reasons: number;
  readonly services: number;
}

function faultOf(columns: LooseObject, { ends, reasons, services }: Sizes): string | undefined {
  const bounds: Readonly<Record<ColumnName, readonly [min: number, max: number]>> = {
    source: [0, ends - 1], target: [0, ends - 1], isDenied: [0, 1], family: [4, 6], protocol: [0, 255], port: [0, 65_535],
    service: [-1, services - 1], reason: [-1, reasons - 1], count: [1, Number.MAX_SAFE_INTEGER], openings: [-1, Number.MAX_SAFE_INTEGER], firstSeen: [0, TIME_MAX], lastSeen: [0, TIME_MAX],
  };
  const records = Array.isArray(columns['count']) ? columns['count'].length : 0;
  if (records > BATCH_RECORDS_MAX) return `a batch has at most ${BATCH_RECORDS_MAX} records, and this one has ${records}`;
  for (const name of COLUMN_NAMES) {
    const column: unknown = columns[name];
    if (!Array.isArray(column) || column.length !== records) return `\`columns.${name}\` is wanted, a number for each record`;
    const [min, max] = bounds[name];
    const at = column.findIndex((value) => !isWhole(value, max, min));
    if (at >= 0) return `\`columns.${name}[${at}]\` is no whole number from ${min} to ${max}`;
  }
  const { family, firstSeen, lastSeen } = columns as BatchColumns;
  const odd = family.findIndex((value, index) => value === 5 || firstSeen[index]! > lastSeen[index]!);
  return odd < 0 ? undefined : `record ${odd} is of no family, or was last seen before it was first seen`;
}
