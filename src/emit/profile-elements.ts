// What a profile lets through, as elements of `px` (exact ports), `pp` (whole protocols) and `pr` (port ranges), and back.
import { ALL_PORTS, NO_PORTS, OTHER_POINT, PROTOCOLS, portSetOf, protocolRanges, type PortSet, type Protocol, unionPorts } from '../base/port-set.ts';
import type { Element, Elements } from './element.ts';
import { EVERY_PORT_BIT, isEveryPort, OTHER_PROTOCOLS_BIT, profileIdOf, profileNumber } from './profile-number.ts';
import type { Profile } from './ruleset.ts';
import type { SetName } from './set-shape.ts';

/** Assigned by IANA. */
export const PROTOCOL_NUMBER: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

/** None for a profile of every port: its number says it all. */
export function profileElements(profile: Profile): [SetName, Element][] {
  if (isEveryPort(profile.ports)) return [];
  const number = profileNumber(profile);
  return PROTOCOLS.flatMap((protocol) =>
    protocolRanges(profile.ports, protocol).map(([first, last]): [SetName, Element] => {
      const key = [number, PROTOCOL_NUMBER[protocol]];
      if (first === 1 && last === 65535) return ['pp', { key, data: profile.id }];
      if (first === last) return ['px', { key: [...key, first], data: profile.id }];
      return ['pr', { key: [...key, first], last: [...key, last], data: profile.id }];
    }),
  );
}

/** The profiles behind the numbers that pairs name and behind the elements of the three maps. */
export function portsOfProfiles(elements: Elements, pairNumbers: Iterable<number>): Profile[] {
  const ports = new Map<number, PortSet>();
  const add = (number: number, more: PortSet): unknown => ports.set(number, unionPorts(ports.get(number) ?? portsInNumber(number), more));
  for (const number of pairNumbers) add(number, NO_PORTS);
  for (const { key } of elements.get('pp')!) add(Number(key[0]), portSetOf(protocolOf(Number(key[1])), 1, 65535));
  for (const { key } of elements.get('px')!) add(Number(key[0]), portSetOf(protocolOf(Number(key[1])), Number(key[2]), Number(key[2])));
  for (const { key, last } of elements.get('pr')!) {
    add(Number(key[0]), portSetOf(protocolOf(Number(key[1])), Number(key[2]), Number(last![2])));
  }
  return [...ports].map(([number, set]) => ({ id: profileIdOf(number), ports: set }));
}

function portsInNumber(number: number): PortSet {
  if (number >= EVERY_PORT_BIT) return ALL_PORTS;
  return number >= OTHER_PROTOCOLS_BIT ? [OTHER_POINT, OTHER_POINT] : NO_PORTS;
}

function protocolOf(number: number): Protocol {
  const protocol = PROTOCOLS.find((name) => PROTOCOL_NUMBER[name] === number);
  if (protocol === undefined) throw new Error(`bug: protocol ${number} stands in a map of ports`);
  return protocol;
}
