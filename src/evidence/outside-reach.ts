// What each pod may open towards the outside, and the outside towards it: worked out once for pods that policies treat alike.
import type { IpRange } from '../base/ip-address.ts';
import { overlaps } from '../base/known-ranges.ts';
import { NO_PORTS, unionPorts, type PortSet } from '../base/port-set.ts';
import { familyBits, quadOfAtom, quadOfGroup } from '../analyze/endpoint.ts';
import { joinRanges } from '../analyze/outside-ports.ts';
import { outsideRanges } from '../analyze/outside-ranges.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import type { Direction } from '../model/network-policy.ts';
import { internetRanges } from '../words/address-words.ts';

/** Addresses of nobody here with which the same ports are open. */
export interface OutsideReach {
  /** Neighboring ranges are one; ascending, IPv4 first. */
  readonly ranges: readonly IpRange[];
  readonly ports: PortSet;
  /** Some of them are of the internet: outside private, link-local, pod, Service and node ranges. */
  readonly isInternet: boolean;
}

/** Without what is closed. `pod` is an index of `cluster.pods`. */
export type OutsideFinder = (pod: number, direction: Direction) => readonly OutsideReach[];

export function outsideFinder(program: Program): OutsideFinder {
  const internet = internetRanges(program.cluster);
  const outside = outsideRanges(program).map((range) => ({ range, quad: quadOfAtom(program, program.findAtom({ family: range.family, value: range.first })), isInternet: internet.some((other) => overlaps(range, other)) }));
  const known = new Map<string, readonly OutsideReach[]>();
  return (pod, direction) => {
    const quad = quadOfGroup(program, program.groupOfPod[pod]!);
    const subject = direction === 'ingress' ? quad.ingressSubject : quad.egressSubject;
    const key = `${direction} ${subject} ${familyBits(quad.families)}`;
    let reach = known.get(key);
    if (reach === undefined) {
      const own = outside.filter(({ range }) => quad.families.includes(range.family)).map((one) => {
        const classes = direction === 'ingress' ? one.quad.ingressClass : one.quad.egressClass;
        return { ...one, id: program[direction].portsOf(subject, classes[one.range.family]) };
      });
      const groups = Map.groupBy(own.filter(({ id }) => id !== NO_PORTS_ID), ({ id, isInternet }) => `${id} ${isInternet}`);
      reach = Array.from(groups.values(), (members) => ({ ranges: joinRanges(members.map(({ range }) => range)), ports: program.portSets.portSet(members[0]!.id), isInternet: members[0]!.isInternet }));
      known.set(key, reach);
    }
    return reach;
  };
}

export function portsOfReach(reach: readonly OutsideReach[]): PortSet {
  return reach.reduce((ports, one) => unionPorts(ports, one.ports), NO_PORTS);
}
