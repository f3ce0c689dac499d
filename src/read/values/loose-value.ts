// Looks at values whose type nobody has promised: gives the type that is wanted, or refuses with a finding.
import type { Path } from '../../model/origin.ts';
import { refuse, type ObjectContext } from './object-context.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

/** What was there and could not be understood; a finding has said so. */
export const REFUSED: unique symbol = Symbol('refused');
export type Refused = typeof REFUSED;

/** undefined: missing or null, which the API treats alike. */
export type Loose<T> = T | undefined | Refused;

export function readMap(context: ObjectContext, value: Value | undefined, path: Path): Loose<LooseMap> {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as LooseMap;
  return refuseType(context, value, path, 'a map');
}

export function readList(context: ObjectContext, value: Value | undefined, path: Path): Loose<readonly Value[]> {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value as readonly Value[];
  return refuseType(context, value, path, 'a list');
}

/** What could be understood. Exactly as long as it is: lists that grew keep room for 16 more, and an agent keeps many of these. */
export function withoutRefused<Item>(list: readonly (Item | Refused)[]): readonly Item[] {
  return list.filter((item): item is Exclude<typeof item, Refused> => item !== REFUSED).slice();
}

/** As `readMap`, empty where there is none to read. */
export function mapAt(context: ObjectContext, value: Value | undefined, path: Path): LooseMap {
  const map = readMap(context, value, path);
  return map === undefined || map === REFUSED ? {} : map;
}

/** As `readList`, empty where there is none to read. */
export function listAt(context: ObjectContext, value: Value | undefined, path: Path): readonly Value[] {
  const list = readList(context, value, path);
  return list === undefined || list === REFUSED ? [] : list;
}

export function readText(context: ObjectContext, value: Value | undefined, path: Path): Loose<string> {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  return refuseType(context, value, path, 'text');
}

export function readBoolean(context: ObjectContext, value: Value | undefined, path: Path): Loose<boolean> {
  if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
  return refuseType(context, value, path, '`true` or `false`');
}

/** A whole number that fits 32 bits, as most numbers of the API. */
export function readInteger(context: ObjectContext, value: Value | undefined, path: Path): Loose<number> {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
  return refuseType(context, value, path, 'a whole number');
}

export function refuseType(context: ObjectContext, value: Value, path: Path, wanted: string): Refused {
  const field = lastName(path);
  const written = context.document.writtenAt(path);
  if (typeof value === 'boolean' && wanted === 'text' && written !== undefined && written !== String(value)) {
    refuse(context, path, 'yaml-boolean-word', `\`${written}\` is the boolean ${value} where ${field} wants text: unquoted y, n, yes, no, on and off are booleans to kubectl`, {
      help: 'put it in quotes',
      literal: JSON.stringify(written),
    });
    return REFUSED;
  }
  const isScalar = typeof value !== 'object' && value !== null;
  const mendable = wanted === 'text' && isScalar && written !== undefined && !written.includes('\n');
  refuse(context, path, 'wrong-type', `${field} wants ${wanted} and gets ${describe(value, written)}`, {
    ...(mendable ? { help: 'put it in quotes', literal: JSON.stringify(written) } : helpForType(value, { wanted, field: path.at(-1), written })),
  });
  return REFUSED;
}

/** Lists of single values, for which one is often written without its brackets. */
const LISTS_OF_WORDS: ReadonlySet<unknown> = new Set(['policyTypes', 'values', 'except', 'networks', 'domainNames']);

interface WantedType {
  readonly wanted: string;
  readonly field: string | number | undefined;
  readonly written: string | undefined;
}

function helpForType(value: Value, { wanted, field, written }: WantedType): { readonly help?: string; readonly literal?: string } {
  const isWord = typeof value === 'string' && written !== undefined && /^["']?[\w.:/, -]+["']?$/.test(written);
  if (wanted === 'a list' && isWord && LISTS_OF_WORDS.has(field)) return { help: 'put it in brackets', literal: `[${written}]` };
  if (wanted === 'a list' && typeof value === 'object') return { help: 'put `- ` before each item' };
  if (wanted === 'a whole number' && typeof value === 'string' && /^[0-9]+$/.test(value)) return { help: 'take the quotes away', literal: value };
  if (wanted === 'a list' && typeof value === 'string' && /^[\u2010-\u2015\u2212]/.test(value)) return { help: 'the dash is a typographic one: write `-`' };
  return {};
}

function describe(value: Value, written: string | undefined): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = shorten(written ?? JSON.stringify(value));
  return typeof value === 'string' ? `the text \`${text}\`` : typeof value === 'number' ? `the number ${text}` : `the boolean ${text}`;
}

/** User's text in a message: one line, at most 60 signs. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').replaceAll('`', "'");
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** The last field of a path for a message, with its index. */
export function lastName(path: Path): string {
  let first = path.length - 1;
  while (first > 0 && typeof path[first] === 'number') first--;
  const steps = path.slice(Math.max(first, 0));
  const text = steps.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join('');
  return text === '' ? 'the object' : `\`${shorten(text)}\``;
}
