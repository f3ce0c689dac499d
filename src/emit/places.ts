// Addresses of a placement settled: each one a single pod's, local or not, or a matter of dispute and therefore closed.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import type { Placement } from './placement.ts';

/** `group` undefined: two pods claim the address, so nothing is known about it. */
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
    else if (held.isLocal === place.isLocal && !areAlike(program, held.group, place.group)) places.set(key, { ...held, group: undefined });
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

// Pods on the network of one node share its address, and rules see nothing of them but that address.
function areAlike({ groups }: Program, a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a === b || (groups[a]!.hostNetwork && groups[b]!.hostNetwork);
}
