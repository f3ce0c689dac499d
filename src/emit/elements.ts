// A ruleset as the elements of maps and sets, and back.
import type { IpAddress, IpFamily, IpRange } from '../base/ip-address.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Element, Elements, Key } from './element.ts';
import { portsOfProfiles, profileElements } from './profile-elements.ts';
import { profileIdOf, profileNumber } from './profile-number.ts';
import type { LocalPod, Pair, Ruleset } from './ruleset.ts';
import { FAMILIES, letterOf, SET_SHAPES, type SetName } from './set-shape.ts';
import { joinRanges, sortRuleset } from './sort-ruleset.ts';

/** Every set, empty. */
export const NO_ELEMENTS: Elements = new Map(SET_SHAPES.map(({ name }) => [name, []]));

/** Throws when a pair names a profile that is not there: a bug of whoever built the ruleset. */
export function elementsOf(ruleset: Ruleset): Elements {
  const elements = new Map<SetName, Element[]>(SET_SHAPES.map((shape) => [shape.name, []]));
  const put = (set: SetName, element: Element): number => elements.get(set)!.push(element);
  const numbers = new Map(ruleset.profiles.map((profile) => [profile.id, profileNumber(profile)]));
  for (const pod of ruleset.localPods) for (const [set, element] of localPodElements(pod)) put(set, element);
  for (const range of joinRanges(ruleset.podRanges)) put(`podrange${range.family}`, intervalOf(range));
  for (const { direction, address, peerClass } of ruleset.podClasses) {
    put(`pc${letterOf(direction)}${address.family}`, { key: [address.value], data: peerClass });
  }
  for (const { direction, range, peerClass } of ruleset.rangeClasses) {
    put(`bc${letterOf(direction)}${range.family}`, { ...intervalOf(range), data: peerClass });
  }
  for (const { direction, address, peerClass, profile } of ruleset.pairs) {
    const number = numbers.get(profile);
    if (number === undefined) throw new Error(`bug: a pair names profile ${profile}, which is not in the ruleset`);
    put(`p${letterOf(direction)}${address.family}`, { key: [address.value, peerClass], data: number });
  }
  for (const profile of ruleset.profiles) for (const [set, element] of profileElements(profile)) put(set, element);
  return elements;
}

export function localPodElements({ address: { family, value }, isEgressIsolated, isIngressIsolated, isSelfAllowed }: LocalPod): [SetName, Element][] {
  return [
    [`le${family}`, { key: [value], data: Number(isEgressIsolated) }],
    [`li${family}`, { key: [value], data: Number(isIngressIsolated) }],
    ...(isSelfAllowed ? [[`self${family}`, { key: [value, value] }] satisfies [SetName, Element]] : []),
  ];
}

/** The ruleset that stands in these elements, sorted. */
export function rulesetOf(elements: Elements): Ruleset {
  const pairs: Pair[] = [];
  const numbers = new Set<number>();
  for (const { direction, family } of SIDES) {
    for (const { key, data } of elements.get(`p${letterOf(direction)}${family}`)!) {
      numbers.add(data!);
      pairs.push({ direction, address: addressOf(key, family), peerClass: Number(key[1]), profile: profileIdOf(data!) });
    }
  }
  for (const family of FAMILIES) for (const set of [`on${family}`, `named${family}`] as const) for (const { data } of elements.get(set)!) numbers.add(data!);
  return sortRuleset({
    localPods: FAMILIES.flatMap((family) => localPodsOf(elements, family)),
    podRanges: FAMILIES.flatMap((family) => elements.get(`podrange${family}`)!.map((element) => rangeOf(element, family))),
    podClasses: SIDES.flatMap(({ direction, family }) =>
      elements.get(`pc${letterOf(direction)}${family}`)!.map(({ key, data }) => ({ direction, address: addressOf(key, family), peerClass: data! })),
    ),
    rangeClasses: SIDES.flatMap(({ direction, family }) =>
      elements.get(`bc${letterOf(direction)}${family}`)!.map((element) => ({ direction, range: rangeOf(element, family), peerClass: element.data! })),
    ),
    pairs,
    profiles: portsOfProfiles(elements, numbers),
  });
}

const SIDES: readonly { readonly direction: Direction; readonly family: IpFamily }[] = FAMILIES.flatMap((family) =>
  (['egress', 'ingress'] as const).map((direction) => ({ direction, family })),
);

// A pod that stands in one of the two maps alone was left by a change that broke off: the other direction is read as
// isolated, which is what the next change will compare with and write.
function localPodsOf(elements: Elements, family: IpFamily): LocalPod[] {
  const isolation = (set: SetName): Map<bigint, boolean> =>
    new Map(elements.get(set)!.map(({ key, data }) => [key[0] as bigint, data !== 0]));
  const egress = isolation(`le${family}`);
  const ingress = isolation(`li${family}`);
  const self = new Set(elements.get(`self${family}`)!.map(({ key }) => key[0] as bigint));
  return [...new Set([...egress.keys(), ...ingress.keys()])].map((value) => ({
    address: { family, value },
    isEgressIsolated: egress.get(value) ?? true,
    isIngressIsolated: ingress.get(value) ?? true,
    isSelfAllowed: self.has(value),
  }));
}

function intervalOf(range: IpRange): Pick<Required<Element>, 'key' | 'last'> {
  return { key: [range.first], last: [range.last] };
}

function addressOf(key: Key, family: IpFamily): IpAddress {
  return { family, value: key[0] as bigint };
}

function rangeOf(element: Element, family: IpFamily): IpRange {
  return { family, first: element.key[0] as bigint, last: element.last![0] as bigint };
}
