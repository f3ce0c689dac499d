// A profile as the number that stands in the maps: its id, and two bits for what needs no look-up.
import { ALL_PORTS, hasOtherProtocols, type PortSet } from '../base/port-set.ts';
import { ID_MAX, type Profile } from './ruleset.ts';

/** `8000:0`: every port of every protocol. */
export const EVERY_PORT_BIT = 0x80000000;

/** `4000:0`: every protocol beyond TCP, UDP and SCTP. */
export const OTHER_PROTOCOLS_BIT = 0x40000000;

/** Not negative: bits of a JavaScript number above 2³¹ are added, not or-ed. */
export function profileNumber(profile: Profile): number {
  if (isEveryPort(profile.ports)) return profile.id + EVERY_PORT_BIT;
  return hasOtherProtocols(profile.ports) ? profile.id + OTHER_PROTOCOLS_BIT : profile.id;
}

/** The id in a profile's number. */
export function profileIdOf(number: number): number {
  return number % OTHER_PROTOCOLS_BIT;
}

export function isEveryPort(ports: PortSet): boolean {
  return ports.length === ALL_PORTS.length && ports.every((point, index) => point === ALL_PORTS[index]);
}

export function isId(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= ID_MAX;
}
