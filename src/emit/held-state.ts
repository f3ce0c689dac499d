// What a kernel holds, read back, in the form in which a live emission goes on from it.
import type { IpAddress, IpFamily, IpRange } from '../base/ip-address.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { ClassRange, ClassRanges } from './class-ranges.ts';
import type { Element, Elements } from './element.ts';
import { rulesetOf } from './elements.ts';
import { ID_MAX, type LocalPod, type Pair, type Profile } from './ruleset.ts';
import { FAMILIES, letterOf, type SetName } from './set-shape.ts';

export interface Held extends Readonly<Record<Direction, HeldDirection>> {
  readonly localPods: readonly HeldPod[];
  readonly podRanges: readonly IpRange[];
  readonly profiles: readonly Profile[];
  /** Of classes and profiles. */
  readonly ids: ReadonlySet<number>;
  readonly nextId: number;
}

/** A pod that stands in one of its two maps alone counts as isolated in the other direction; one in neither is undefined. */
export interface HeldPod {
  readonly address: IpAddress;
  readonly pod: LocalPod | undefined;
  readonly elements: readonly (readonly [SetName, Element])[];
}

export interface HeldDirection {
  readonly classes: Readonly<Record<IpFamily, readonly { readonly value: bigint; readonly peerClass: number }[]>>;
  readonly ranges: ClassRanges;
  readonly pairs: readonly Pair[];
}

export function readHeld(elements: Elements): Held {
  const { localPods, podRanges, pairs, profiles } = rulesetOf(elements);
  const [egress, ingress] = (['egress', 'ingress'] as const).map((direction) => heldDirection(elements, direction, pairs));
  const ids = new Set([...profiles.map(({ id }) => id), ...pairs.map(({ peerClass }) => peerClass), ...classIds(elements)]);
  ids.delete(0);
  const highest = [...ids].reduce((most, id) => Math.max(most, id), 0);
  return { localPods: podsWithElements(elements, localPods), podRanges, profiles, ids, nextId: highest >= ID_MAX ? 1 : highest + 1, egress: egress!, ingress: ingress! };
}

function heldDirection(elements: Elements, direction: Direction, pairs: readonly Pair[]): HeldDirection {
  const classes = (family: IpFamily): { value: bigint; peerClass: number }[] =>
    elements.get(`pc${letterOf(direction)}${family}`)!.map(({ key, data }) => ({ value: key[0] as bigint, peerClass: data! })); // fields of kind address are bigints
  const ranges = (family: IpFamily): ClassRange[] =>
    elements.get(`bc${letterOf(direction)}${family}`)!
      .map(({ key, last, data }) => ({ first: key[0] as bigint, last: last![0] as bigint, peerClass: data! })) // fields of kind address are bigints
      .sort((a, b) => (a.first < b.first ? -1 : 1));
  return { classes: { 4: classes(4), 6: classes(6) }, ranges: { 4: ranges(4), 6: ranges(6) }, pairs: pairs.filter((pair) => pair.direction === direction) };
}

function* classIds(elements: Elements): Generator<number> {
  for (const direction of DIRECTIONS) {
    for (const family of FAMILIES) {
      for (const set of [`pc${letterOf(direction)}${family}`, `bc${letterOf(direction)}${family}`] as const) for (const { data } of elements.get(set)!) yield data!;
    }
  }
}

function podsWithElements(elements: Elements, pods: readonly LocalPod[]): HeldPod[] {
  const found = new Map<string, { readonly address: IpAddress; readonly pod: LocalPod | undefined; readonly elements: (readonly [SetName, Element])[] }>();
  for (const pod of pods) found.set(keyOf(pod.address), { address: pod.address, pod, elements: [] });
  for (const family of FAMILIES) {
    for (const set of [`le${family}`, `li${family}`, `self${family}`] as const) {
      for (const element of elements.get(set)!) {
        const address = { family, value: element.key[0] as bigint }; // a field of kind address
        let held = found.get(keyOf(address));
        if (held === undefined) found.set(keyOf(address), (held = { address, pod: undefined, elements: [] }));
        held.elements.push([set, element]);
      }
    }
  }
  return [...found.values()];
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}
