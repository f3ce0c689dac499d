// What each end of the recorded flows is to a policy: a workload that a selector selects, an address, or nothing that a rule could name.
import type { IpAddress } from '../../base/ip-address.ts';
import { overlaps } from '../../base/known-ranges.ts';
import type { FlowEnd } from '../../flow/flow-record.ts';
import { compareText } from '../../base/finding.ts';
import { placeEnds, type PlacedEnds } from '../../flow/place-ends.ts';
import { comparePods } from '../../model/cluster-order.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import { unwrittenDocument, type Origin } from '../../model/origin.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';

export type FlowPlace =
  | { readonly kind: 'subject'; readonly subject: Subject }
  /** Of what has the network of its node, those of all of its pods. */
  | { readonly kind: 'addresses'; readonly addresses: readonly IpAddress[]; readonly names: readonly string[]; readonly node: string | undefined }
  | { readonly kind: 'nobody'; readonly why: 'unlabeled' | 'unknown-pod' };

export interface PlacedFlows extends PlacedEnds {
  readonly ends: readonly FlowEnd[];
}

/**
 * Pods that only the flows know stand once for each set of labels and without addresses: of all those that they had, a flow keeps
 * whichever came first.
 */
export function placeFlows(cluster: Cluster, ends: readonly FlowEnd[]): PlacedFlows {
  const own = new Set(cluster.pods);
  const placed = placeEnds(cluster, ends).cluster;
  const alike = new Map(placed.pods.map((pod) => [own.has(pod) ? pod : aloneKey(pod), own.has(pod) ? pod : { ...pod, addresses: [], origin: RECORDED }]));
  const pods = [...alike].sort(([a, one], [b, other]) => comparePods(one, other) || compareText(`${a}`, `${b}`)).map(([, pod]) => pod);
  return { ...placeEnds({ ...placed, pods }, ends), ends };
}

const RECORDED: Origin = { document: unwrittenDocument('(recorded flows)'), path: [] };

function aloneKey({ namespace, workload, name, labels }: Pod): string {
  return JSON.stringify([namespace, workload.kind, workload.name, name, [...labels].sort()]);
}

/** By end. What has its node's network is the address of the node. */
export function flowPlaces({ cluster, ends, podsOf }: PlacedFlows, subjects: Subjects): readonly FlowPlace[] {
  return ends.map((end, index): FlowPlace => {
    const [first] = podsOf[index]!;
    if (first === undefined) return end.kind === 'outside' ? placeOutside(cluster, end) : UNLABELED;
    const pod = cluster.pods[first]!;
    if (pod.hostNetwork) return placeOnNode(podsOf[index]!.map((one) => cluster.pods[one]!), end);
    const subject = subjects.of(first);
    return subject === undefined ? UNLABELED : { kind: 'subject', subject };
  });
}

const UNLABELED: FlowPlace = { kind: 'nobody', why: 'unlabeled' };

function placeOnNode(pods: readonly Pod[], { address }: FlowEnd): FlowPlace {
  const known = pods.flatMap(({ addresses }) => addresses).filter(({ family }) => address === undefined || address.family === family);
  const addresses = known.length === 0 && address !== undefined ? [address] : known;
  return addresses.length === 0 ? { kind: 'nobody', why: 'unknown-pod' } : { kind: 'addresses', addresses, names: [], node: pods[0]!.nodeName ?? pods[0]!.name };
}

/** An address that pods get belongs to whichever pod has it today: a rule for it would open to another one tomorrow. */
function placeOutside({ podRanges }: Cluster, { address, names, node, isOwnNode }: Extract<FlowEnd, { kind: 'outside' }>): FlowPlace {
  const isOfPods = node === undefined && !isOwnNode && podRanges.some((range) => overlaps(range, { family: address.family, first: address.value, last: address.value }));
  return isOfPods ? { kind: 'nobody', why: 'unknown-pod' } : { kind: 'addresses', addresses: [address], names, node };
}
