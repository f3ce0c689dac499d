// Ends of recorded flows find their place in a cluster: its own pods where it has them, else pods as they were at the time.
import type { IpAddress } from '../base/ip-address.ts';
import { compareText } from '../base/finding.ts';
import { comparePods } from '../model/cluster-order.ts';
import type { Cluster, Namespace, Pod } from '../model/cluster.ts';
import { UNWRITTEN } from '../model/policy-draft.ts';
import type { FlowEnd, PodEnd } from './flow-record.ts';
import { unknownKeysOf } from './fold-end.ts';

/** `kubernetes.io/metadata.name` is of every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

export interface PlacedEnds {
  /** With the pods and namespaces that only the flows know. */
  readonly cluster: Cluster;
  /** By end, indices of `cluster.pods`; empty for what is no pod. Several where pods of a workload may differ. */
  readonly podsOf: readonly (readonly number[])[];
}

/** A pod or workload of the cluster stands as the cluster has it, whatever its labels were. */
export function placeEnds(cluster: Cluster, ends: readonly FlowEnd[]): PlacedEnds {
  const known = indexPods(cluster.pods);
  const found = ends.map((end) => known(end));
  const added = ends.map((end, index) => (end.kind === 'pod' && found[index]!.length === 0 ? podOf(end) : undefined));
  const pods = [...cluster.pods, ...added.filter((pod) => pod !== undefined)].sort(comparePods);
  const places = new Map(pods.map((pod, index) => [pod, index]));
  const podsOf = ends.map((_, index) => (added[index] === undefined ? found[index]! : [added[index]]).map((pod) => places.get(pod)!));
  return { cluster: { ...cluster, pods, namespaces: withNamespaces(cluster.namespaces, ends) }, podsOf };
}

/** By the name of the pod, then by its workload; an address that a pod has is the pod's. */
function indexPods(pods: readonly Pod[]): (end: FlowEnd) => readonly Pod[] {
  const byName = Map.groupBy(pods, ({ namespace, name }) => `${namespace}/${name}`);
  const byWorkload = Map.groupBy(pods, ({ workload: { kind, namespace, name } }) => `${kind}/${namespace}/${name}`);
  const byAddress = new Map(pods.filter(({ hostNetwork }) => !hostNetwork).flatMap((pod) => pod.addresses.map((address): [string, Pod] => [addressKey(address), pod])));
  return (end) => {
    if (end.kind === 'outside') return [byAddress.get(addressKey(end.address)) ?? []].flat();
    const { kind, namespace, name } = end.workload;
    const named = end.pod === undefined ? undefined : byName.get(`${namespace}/${end.pod}`);
    return named ?? byWorkload.get(`${kind}/${namespace}/${name}`) ?? [];
  };
}

function addressKey({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

/** Its ports are not known, so that no rule matches it by the name of one. Several, for a flow of a workload to itself is one pod to another. */
function podOf(end: PodEnd): Pod {
  const { namespace, workload, pod, labels, address } = end;
  return {
    namespace,
    name: pod ?? workload.name,
    workload,
    labels,
    unknownKeys: unknownKeysOf(end),
    replicas: pod === undefined ? 2 : 1,
    ports: [],
    hostNetwork: false,
    addresses: address === undefined ? [] : [address],
    nodeName: undefined,
    origin: UNWRITTEN,
  };
}

function withNamespaces(known: readonly Namespace[], ends: readonly FlowEnd[]): readonly Namespace[] {
  const names = new Map(known.map((namespace) => [namespace.name, namespace]));
  for (const end of ends) {
    if (end.kind === 'outside') continue;
    const { namespace: name, namespaceLabels } = end;
    const held = names.get(name);
    if (held === undefined || (held.origin === undefined && held.labels.size <= 1 && namespaceLabels.size > 0)) {
      names.set(name, { name, labels: new Map([...namespaceLabels, [NAME_LABEL, name]]), unknownKeys: new Set(), origin: undefined });
    }
  }
  return [...names.values()].sort((a, b) => compareText(a.name, b.name));
}
