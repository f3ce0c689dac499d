// The ports on which a lab listens and probes: the target's own, those that policies name, and one that nobody names.
import type { Protocol } from '../base/port-set.ts';
import type { Cluster, ContainerPort, Pod } from '../model/cluster.ts';
import type { PortMatch } from '../model/network-policy.ts';

/** Numbers from policies that every target is tried on; more are counted and left out. */
export const MENTIONED_PORTS_MAX = 64;

export interface ProbedPort {
  readonly protocol: Protocol;
  readonly port: number;
}

export interface MentionedPorts {
  /** Each number that a policy names and both ends of each range, tried on TCP and UDP, ascending. */
  readonly numbers: readonly number[];
  /** Those named for SCTP. */
  readonly sctp: readonly number[];
  /** In no policy and in no pod. */
  readonly unnamed: number;
  /** How many numbers are left out. */
  readonly leftOut: number;
}

/** `wanted`: numbers that somebody asks about beside the policies; they come first where there are too many. */
export function mentionedPorts(cluster: Cluster, wanted: readonly number[] = []): MentionedPorts {
  const matches = cluster.policies.flatMap((policy) =>
    [...(policy.ingress ?? []), ...(policy.egress ?? [])].flatMap((rule) => (rule.ports.kind === 'listed' ? rule.ports.ports : [])),
  );
  const numbers = [...new Set([...wanted, ...sortedNumbers(matches.flatMap(endsOf))])];
  const containerPorts = cluster.pods.flatMap(({ ports }) => ports);
  return {
    numbers: sortedNumbers(numbers.slice(0, MENTIONED_PORTS_MAX)),
    sctp: sortedNumbers(matches.filter(({ protocol }) => protocol === 'SCTP').flatMap(endsOf)).slice(0, MENTIONED_PORTS_MAX),
    unnamed: choosePortNobodyNames(matches, [...containerPorts, ...wanted.map((port) => ({ port }))]),
    leftOut: Math.max(0, numbers.length - MENTIONED_PORTS_MAX),
  };
}

/** What is tried on a pod, or on a host outside, which has no ports of its own; by protocol, then number. */
export function probedPorts(mentioned: MentionedPorts, own: readonly ContainerPort[]): ProbedPort[] {
  const numbers = sortedNumbers([...own.map(({ port }) => port), ...mentioned.numbers, mentioned.unnamed]);
  const ownSctp = own.filter(({ protocol }) => protocol === 'SCTP').map(({ port }) => port);
  const sctp = sortedNumbers([...ownSctp, ...mentioned.sctp]);
  if (sctp.length > 0) sctp.push(mentioned.unnamed);
  const portsOf = (protocol: Protocol, list: readonly number[]): ProbedPort[] => list.map((port) => ({ protocol, port }));
  return [...portsOf('TCP', numbers), ...portsOf('UDP', numbers), ...portsOf('SCTP', sctp)];
}

/** Ports of a pod with a name and protocol; several containers may share one (semantics: all their numbers). */
export function namedPorts(pod: Pod, name: string, protocol: Protocol): number[] {
  return sortedNumbers(pod.ports.filter((port) => port.name === name && port.protocol === protocol).map(({ port }) => port));
}

// A port of a protocol as a whole mentions no number; a named one leads to container ports, which are tried anyway.
function endsOf(match: PortMatch): number[] {
  return match.kind === 'range' ? [match.first, match.last] : [];
}

function choosePortNobodyNames(matches: readonly PortMatch[], own: readonly Pick<ContainerPort, 'port'>[]): number {
  const used = new Set(own.map(({ port }) => port));
  const ranges = matches.filter((match) => match.kind === 'range');
  const isFree = (port: number): boolean => !used.has(port) && !ranges.some(({ first, last }) => first <= port && port <= last);
  for (let port = UNNAMED_PORT_FIRST; port <= 65535; port++) if (isFree(port)) return port;
  for (let port = 1; port < UNNAMED_PORT_FIRST; port++) if (isFree(port)) return port;
  // The ranges cover every port: one that is at least no end of theirs.
  const ends = new Set([...used, ...matches.flatMap(endsOf)]);
  let port = UNNAMED_PORT_FIRST;
  while (ends.has(port)) port++;
  return port;
}

/** Belongs to no well-known service and is outside the range of ports that Linux gives to clients. */
const UNNAMED_PORT_FIRST = 7777;

function sortedNumbers(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}
