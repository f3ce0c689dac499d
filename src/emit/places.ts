// Addresses of a placement settled: each one a single pod's, local or not, or a matter of dispute and therefore closed.
import { formatIpAddress, type IpAddress, type IpFamily } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import { DIRECTIONS } from '../model/network-policy.ts';
import type { Placement } from './placement.ts';

/** `group` undefined: pods that policies treat unlike claim the address, so nothing is known about it. */
export interface Place {
  readonly address: IpAddress;
  readonly group: number | undefined;
  readonly isLocal: boolean;
}

/** A local pod's claim beats a remote one's: the node knows its own pods better than the API server's last word. */
export function settlePlaces(program: Program, placement: Placement): Place[] {
  const places = new Map<string, Place>();
  const claim = (place: Place): void => {
    const key = formatIpAddress(place.address);
    const held = places.get(key);
    if (held === undefined) places.set(key, place);
    else if (held.isLocal === place.isLocal && !areAlike(program, { family: place.address.family, isLocal: place.isLocal }, [held.group, place.group])) places.set(key, { ...held, group: undefined });
  };
  const { pods } = program.cluster;
  const groupOf = (pod: number): number => program.groupOfPod[pod]!;
  for (const { pod, addresses } of placement.localPods) {
    if (!pods[pod]!.hostNetwork) for (const address of addresses) claim({ address, group: groupOf(pod), isLocal: true });
  }
  const others = [...placement.localPods.filter(({ pod }) => pods[pod]!.hostNetwork), ...placement.remotePods];
  for (const { pod, addresses } of others) for (const address of addresses) claim({ address, group: groupOf(pod), isLocal: false });
  return [...places.values()];
}

/** Nothing that this node decides tells two groups apart at an address of this family; undefined is like none. Subjects of other nodes are decided there. */
export function areAlike(program: Program, { family, isLocal }: { readonly family: IpFamily; readonly isLocal: boolean }, [a, b]: readonly [number | undefined, number | undefined]): boolean {
  if (a === undefined || b === undefined) return false;
  // Pods on the network of one node share its address, and rules see nothing of them but that address.
  if (a === b || (program.groups[a]!.hostNetwork && program.groups[b]!.hostNetwork)) return true;
  return DIRECTIONS.every((direction) => {
    const { subjectOfGroup, classOfGroup } = program[direction];
    return classOfGroup[family][a] === classOfGroup[family][b] && (!isLocal || subjectOfGroup[a] === subjectOfGroup[b]);
  });
}
