// The maps and sets of the skeleton: name, fields of the key, intervals or not, data or not.
import type { IpFamily } from '../base/ip-address.ts';
import type { Direction } from '../model/network-policy.ts';

/** `id` is a class or profile in the form of a packet priority (`major:minor`). */
export type FieldKind = 'address4' | 'address6' | 'id' | 'protocol' | 'port';

type DirectionLetter = 'e' | 'i';

export type SetName =
  | `l${DirectionLetter}${IpFamily}`
  | `pc${DirectionLetter}${IpFamily}`
  | `bc${DirectionLetter}${IpFamily}`
  | `p${DirectionLetter}${IpFamily}`
  | `podrange${IpFamily}`
  | `self${IpFamily}`
  | `ln${IpFamily}`
  | `on${IpFamily}`
  | `ask${IpFamily}`
  | `dnsvia${IpFamily}`
  | `dnsat${IpFamily}`
  | `named${IpFamily}`
  | 'px'
  | 'pp'
  | 'pr';

export interface SetShape<Name extends string = string> {
  readonly name: Name;
  readonly fields: readonly FieldKind[];
  /** The key is a range; of a concatenation each field is one. */
  readonly isInterval: boolean;
  /** A map: the data is always an id. */
  readonly isMap: boolean;
  /** Elements carry a text, and end by themselves after so long. */
  readonly notedForSeconds?: number;
  /** The most elements; missing where only memory is the bound. */
  readonly sizeMax?: number;
  /** One sentence for those who read the table. */
  readonly meaning: string;
}

/** Addresses that answers gave, of one family; what does not fit is refused, so whoever writes them keeps a lower bound. */
export const NAMED_SIZE = 65_536;

/**
 * How long the kernel keeps what was learnt of a name when nobody renews it. It is no matter of the TTL, which says how
 * long new connections may be opened: the connections that are there go on as long as the address is known.
 */
export const NAMED_SECONDS = 172_800;

export const FAMILIES: readonly IpFamily[] = [4, 6];

/** `e` for egress, `i` for ingress, as the names of sets and chains have it. */
export function letterOf(direction: Direction): DirectionLetter {
  return direction === 'egress' ? 'e' : 'i';
}

/** In the order in which they are declared. */
export const SET_SHAPES: readonly SetShape<SetName>[] = [...FAMILIES.flatMap(shapesOfFamily), ...profileShapes()];

const SHAPE_BY_NAME: ReadonlyMap<SetName, SetShape<SetName>> = new Map(SET_SHAPES.map((shape) => [shape.name, shape]));

export function shapeOf(name: SetName): SetShape<SetName> {
  return SHAPE_BY_NAME.get(name)!;
}

/** Beside `namedN`: what may be opened anew, until the TTL ends. No policy stands in them, so they are written apart from it. */
export const FRESH_SHAPES: Readonly<Record<IpFamily, SetShape>> = { 4: freshShape(4), 6: freshShape(6) };

function freshShape(family: IpFamily): SetShape {
  const address: FieldKind = family === 4 ? 'address4' : 'address6';
  return { name: `fresh${family}`, fields: [address, address], isInterval: false, isMap: false, sizeMax: NAMED_SIZE, meaning: '(pod, address it was told) of which the time to live goes on' };
}

function shapesOfFamily(family: IpFamily): SetShape<SetName>[] {
  const address: FieldKind = family === 4 ? 'address4' : 'address6';
  const directional = (['egress', 'ingress'] as const).flatMap((direction): SetShape<SetName>[] => {
    const letter = letterOf(direction);
    return [
      { name: `l${letter}${family}`, fields: [address], isInterval: false, isMap: true, meaning: `local pods: 0:1 isolated for ${direction}, 0:0 not` },
      { name: `pc${letter}${family}`, fields: [address], isInterval: false, isMap: true, meaning: `peer class of a single address, for ${direction}` },
      { name: `bc${letter}${family}`, fields: [address], isInterval: true, isMap: true, meaning: `peer class of a range, for ${direction}` },
      { name: `p${letter}${family}`, fields: [address, 'id'], isInterval: false, isMap: true, meaning: `(local pod, peer class) to profile, for ${direction}` },
    ];
  });
  return [
    ...directional,
    { name: `podrange${family}`, fields: [address], isInterval: true, isMap: false, meaning: 'where pods of this node get their addresses from: unknown ones are refused' },
    { name: `self${family}`, fields: [address, address], isInterval: false, isMap: false, meaning: 'each local pod with itself' },
    { name: `ln${family}`, fields: [address], isInterval: false, isMap: true, meaning: 'local pods whose traffic to this node itself is judged: 0:1' },
    { name: `on${family}`, fields: [address, address], isInterval: true, isMap: true, meaning: '(such a pod, range of addresses of this node) to profile' },
    { name: `ask${family}`, fields: [address], isInterval: false, isMap: false, meaning: 'local pods whose answers of DNS are looked at' },
    { name: `dnsvia${family}`, fields: [address], isInterval: false, isMap: false, meaning: 'Services of DNS, whoever answers behind them' },
    { name: `dnsat${family}`, fields: [address], isInterval: false, isMap: false, meaning: 'servers of DNS that answer at this address themselves' },
    { name: `named${family}`, fields: [address, address], isInterval: false, isMap: true, notedForSeconds: NAMED_SECONDS, sizeMax: NAMED_SIZE, meaning: '(such a pod, address it was told for a name) to profile' },
  ];
}

function profileShapes(): SetShape<SetName>[] {
  return [
    { name: 'px', fields: ['id', 'protocol', 'port'], isInterval: false, isMap: true, meaning: 'what a profile lets through: exact ports' },
    { name: 'pp', fields: ['id', 'protocol'], isInterval: false, isMap: true, meaning: 'whole protocols' },
    { name: 'pr', fields: ['id', 'protocol', 'port'], isInterval: true, isMap: true, meaning: 'port ranges' },
  ];
}
