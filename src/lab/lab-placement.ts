// The lab's one node as the emitter sees it: every pod is local, but those on the other node's network.
import type { Placement, PodPlace } from '../emit/placement.ts';
import type { LabPlan } from './lab-plan.ts';

/** For the Program of `withLabAddresses(cluster, plan)`. */
export function placementOf(plan: LabPlan): Placement {
  const places = plan.pods.map(({ addresses, hostNetwork }, pod): PodPlace & { hostNetwork: boolean } => ({ pod, addresses, hostNetwork }));
  return {
    localPods: places.filter(({ hostNetwork }) => !hostNetwork).map(toPlace),
    // They share their node's address, and no selector tells them apart as peers: one stands for all.
    remotePods: places.filter(({ hostNetwork }) => hostNetwork).slice(0, 1).map(toPlace),
    podRanges: plan.blocks.filter(({ use }) => use === 'pods').map(({ range }) => range),
  };
}

function toPlace({ pod, addresses }: PodPlace): PodPlace {
  return { pod, addresses };
}
