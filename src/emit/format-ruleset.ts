// A ruleset as nft text: `add element` commands that `nft -f` takes, for documentation, cases and operators.
import { formatIpAddress } from '../base/ip-address.ts';
import type { Element, Key } from './element.ts';
import { elementsOf } from './elements.ts';
import type { Ruleset } from './ruleset.ts';
import { SET_SHAPES, type FieldKind, type SetShape } from './set-shape.ts';
import { sortRuleset } from './sort-ruleset.ts';

/** One command for each set that is not empty, one element a line. */
export function formatRuleset(ruleset: Ruleset, table: string = 'bulkhead'): string {
  const elements = elementsOf(sortRuleset(ruleset));
  return SET_SHAPES.filter((shape) => elements.get(shape.name)!.length > 0)
    .map((shape) => `add element inet ${table} ${shape.name} {\n${elements.get(shape.name)!.map((element) => `  ${formatElement(shape, element)}`).join(',\n')}\n}\n`)
    .join('');
}

/** `10.0.0.1 . 0:2 : 0:1` */
export function formatElement(shape: SetShape, element: Element): string {
  const key = shape.fields.map((field, index) => formatField(field, index, element)).join(' . ');
  return element.data === undefined ? key : `${key} : ${formatId(element.data)}`;
}

/** Major and minor number in hexadecimal, as traffic classes are written. */
export function formatId(id: number): string {
  return `${Math.floor(id / 65536).toString(16)}:${(id % 65536).toString(16)}`;
}

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);

function formatField(field: FieldKind, index: number, { key, last }: Element): string {
  const first = formatValue(field, key, index);
  const end = last === undefined ? first : formatValue(field, last, index);
  return first === end ? first : `${first}-${end}`;
}

function formatValue(field: FieldKind, key: Key, index: number): string {
  const value = key[index]!;
  switch (field) {
    case 'address4':
      return formatIpAddress({ family: 4, value: BigInt(value) });
    case 'address6':
      return formatIpAddress({ family: 6, value: BigInt(value) });
    case 'id':
      return formatId(Number(value));
    case 'protocol':
      return PROTOCOL_NAMES.get(Number(value)) ?? String(value);
    case 'port':
      return String(value);
  }
}
