// What a ruleset or a half-changed table lets one local address do with another, one direction alone.
import type { IpAddress } from '../../src/base/ip-address.ts';
import { ALL_PORTS, NO_PORTS, subtractPorts, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import { PeerLookup } from '../../src/emit/peer-lookup.ts';
import type { Ruleset } from '../../src/emit/ruleset.ts';
import type { Direction } from '../../src/model/network-policy.ts';

export interface Question {
  readonly direction: Direction;
  readonly local: IpAddress;
  readonly peer: IpAddress;
}

/** A ruleset made ready for many questions. */
export class Verdicts {
  readonly ruleset: Ruleset;
  private readonly lookups = new Map<string, PeerLookup>();

  constructor(ruleset: Ruleset) {
    this.ruleset = ruleset;
  }

  lookup(direction: Direction, family: 4 | 6): PeerLookup {
    const key = `${direction}${family}`;
    let found = this.lookups.get(key);
    if (found === undefined) this.lookups.set(key, (found = new PeerLookup(this.ruleset, direction, family)));
    return found;
  }

  /** undefined: not one of this node's pods. */
  isIsolated({ direction, local }: Question): boolean | undefined {
    const pod = this.ruleset.localPods.find(({ address }) => address.family === local.family && address.value === local.value);
    return pod === undefined ? undefined : direction === 'egress' ? pod.isEgressIsolated : pod.isIngressIsolated;
  }

  portsOf(question: Question): PortSet {
    const isIsolated = this.isIsolated(question);
    if (isIsolated === undefined) return this.isInPodRange(question.local) ? NO_PORTS : ALL_PORTS;
    if (!isIsolated) return ALL_PORTS;
    const lookup = this.lookup(question.direction, question.local.family);
    return lookup.portsOf(question.local.value, lookup.classAt(question.peer.value));
  }

  private isInPodRange({ family, value }: IpAddress): boolean {
    return this.ruleset.podRanges.some((range) => range.family === family && range.first <= value && value <= range.last);
  }
}

/** Every local address of any of the rulesets with every address that any of them tells apart. */
export function questionsOf(rulesets: readonly Ruleset[]): Question[] {
  const locals = distinct(rulesets.flatMap(({ localPods }) => localPods.map(({ address }) => address)));
  const peers = distinct([
    ...rulesets.flatMap(({ podClasses }) => podClasses.map(({ address }) => address)),
    ...rulesets.flatMap(({ rangeClasses }) => rangeClasses.map(({ range }) => ({ family: range.family, value: range.first }))),
    ...rulesets.flatMap(({ rangeClasses }) => rangeClasses.map(({ range }) => ({ family: range.family, value: range.last }))),
    ...locals,
  ]);
  return (['egress', 'ingress'] as const).flatMap((direction) =>
    locals.flatMap((local) => peers.filter(({ family }) => family === local.family).map((peer): Question => ({ direction, local, peer }))));
}

/** What is in `ports` and in none of `limits`. */
export function excess(ports: PortSet, limits: readonly PortSet[]): PortSet {
  return subtractPorts(ports, limits.reduce(unionPorts, NO_PORTS));
}

function distinct(addresses: readonly IpAddress[]): IpAddress[] {
  return [...new Map(addresses.map((address) => [`${address.family} ${address.value}`, address])).values()];
}
