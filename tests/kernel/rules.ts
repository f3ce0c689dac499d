// Small rulesets over the hosts of `firewall-world.ts`, written as who may do what.
import { LAST_ADDRESS, parseIpAddress, type IpRange } from '../../src/base/ip-address.ts';
import type { PortSet } from '../../src/base/port-set.ts';
import type { Ruleset } from '../../src/emit/ruleset.ts';
import { cutRange, sortRuleset } from '../../src/emit/sort-ruleset.ts';
import type { Direction } from '../../src/model/network-policy.ts';
import { addressOf, type HostName } from './firewall-world.ts';

type Pod = 'a' | 'b' | 'c';

export interface Rule {
  readonly direction: Direction;
  readonly local: Pod;
  readonly peer: Exclude<HostName, 'unknown'>;
  readonly ports: PortSet;
}

export interface Rules {
  /** Pods that the firewall knows; all three when missing. */
  readonly pods?: readonly Pod[];
  readonly isolated?: Partial<Record<Direction, readonly Pod[]>>;
  readonly allowed?: readonly Rule[];
}

const CLASS_OF: Readonly<Record<Rule['peer'], number>> = { a: 1, b: 2, c: 3, outside: 4 };
const POD_RANGES: readonly IpRange[] = [
  { family: 4, first: parseIpAddress('10.0.0.0')!.value, last: parseIpAddress('10.0.0.255')!.value },
  { family: 6, first: parseIpAddress('fd00::')!.value, last: parseIpAddress('fd00::ffff')!.value },
];

/** The same for both families. */
export function rulesetOf({ pods = ['a', 'b', 'c'], isolated = {}, allowed = [] }: Rules): Ruleset {
  const profiles = [...new Map(allowed.map(({ ports }) => [ports.join(), ports])).values()].map((ports, index) => ({ id: 11 + index, ports }));
  const profileOf = (ports: PortSet): number => profiles.find((profile) => profile.ports.join() === ports.join())!.id;
  const families = [4, 6] as const;
  const directions = ['egress', 'ingress'] as const;
  return sortRuleset({
    localPods: families.flatMap((family) => pods.map((pod) => ({
      address: addressOf(pod, family),
      isEgressIsolated: isolated.egress?.includes(pod) ?? false,
      isIngressIsolated: isolated.ingress?.includes(pod) ?? false,
      isSelfAllowed: true,
    }))),
    podRanges: POD_RANGES,
    podClasses: directions.flatMap((direction) => families.flatMap((family) => pods.map((pod) => ({ direction, address: addressOf(pod, family), peerClass: CLASS_OF[pod] })))),
    rangeClasses: directions.flatMap((direction) => families.flatMap((family) =>
      cutRange({ family, first: 0n, last: LAST_ADDRESS[family] }, POD_RANGES).map((range) => ({ direction, range, peerClass: CLASS_OF.outside })))),
    pairs: allowed.flatMap(({ direction, local, peer, ports }) => families.map((family) => ({ direction, address: addressOf(local, family), peerClass: CLASS_OF[peer], profile: profileOf(ports) }))),
    profiles,
  });
}
