// Whether a change refuses something that was allowed; only then are live connections judged again.
import type { IpAddress, IpFamily, IpRange } from '../base/ip-address.ts';
import { NO_PORTS, subtractPorts, type PortSet } from '../base/port-set.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { PeerLookup } from './peer-lookup.ts';
import type { LocalPod, Ruleset } from './ruleset.ts';
import { cutRange, joinRanges } from './sort-ruleset.ts';
import { FAMILIES } from './set-shape.ts';

/** Exact but for two cases that count as taking away: a local pod that goes, and a range that single addresses fill wholly. */
export function takesAway(current: Ruleset, wanted: Ruleset): boolean {
  if (closesRanges(current, wanted) || removesOrClosesPods(current, wanted)) return true;
  return DIRECTIONS.some((direction) => FAMILIES.some((family) => narrowsPairs({ current, wanted, direction, family })));
}

export function closesRanges(current: Pick<Ruleset, 'podRanges'>, wanted: Pick<Ruleset, 'podRanges'>): boolean {
  const held = joinRanges(current.podRanges);
  return wanted.podRanges.some((range) => cutRange(range, held).length > 0);
}

// A new local pod inside the ranges was refused altogether until now, so nothing of it can be taken away.
function removesOrClosesPods(current: Ruleset, wanted: Ruleset): boolean {
  const before = byAddress(current.localPods);
  const after = byAddress(wanted.localPods);
  for (const key of before.keys()) if (!after.has(key)) return true;
  const held = joinRanges(current.podRanges);
  return wanted.localPods.some((pod) => closesPod(before.get(addressKey(pod.address)), pod, held));
}

/** `podRanges` of the time of `before`: sorted, disjoint. */
export function closesPod(before: LocalPod | undefined, pod: LocalPod, podRanges: readonly IpRange[]): boolean {
  if (before !== undefined) return (pod.isEgressIsolated && !before.isEgressIsolated) || (pod.isIngressIsolated && !before.isIngressIsolated) || (before.isSelfAllowed && !pod.isSelfAllowed);
  const range = { family: pod.address.family, first: pod.address.value, last: pod.address.value };
  return (pod.isEgressIsolated || pod.isIngressIsolated) && cutRange(range, podRanges).length > 0;
}

interface Side {
  readonly current: Ruleset;
  readonly wanted: Ruleset;
  readonly direction: Direction;
  readonly family: IpFamily;
}

// Every address went from some class to some class; few such steps differ, so pairs are compared by step, not by address.
function narrowsPairs({ current, wanted, direction, family }: Side): boolean {
  const before = new PeerLookup(current, direction, family);
  const after = new PeerLookup(wanted, direction, family);
  const steps = before.classSteps(after);
  const old = byAddress(current.localPods);
  for (const pod of wanted.localPods) {
    const was = old.get(addressKey(pod.address));
    if (pod.address.family !== family || was === undefined || !isIsolated(was, direction) || !isIsolated(pod, direction)) continue;
    for (const step of steps) {
      if (narrows(before.portsOf(pod.address.value, step.before), after.portsOf(pod.address.value, step.after))) return true;
    }
  }
  return false;
}

function narrows(before: PortSet, after: PortSet): boolean {
  return before !== after && before !== NO_PORTS && subtractPorts(before, after).length > 0;
}

export function isIsolated(pod: LocalPod, direction: Direction): boolean {
  return direction === 'egress' ? pod.isEgressIsolated : pod.isIngressIsolated;
}

function byAddress(pods: readonly LocalPod[]): Map<string, LocalPod> {
  return new Map(pods.map((pod) => [addressKey(pod.address), pod]));
}

function addressKey(address: IpAddress): string {
  return `${address.family} ${address.value}`;
}

