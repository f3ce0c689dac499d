// A cluster read from objects that name no namespace, as it is when they are applied to one.
import { compareText } from '../base/finding.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { findNamespace } from '../model/find-namespace.ts';

/** Where `read` puts objects that name no namespace. */
const UNNAMED = 'default';

/** Every object of `default` is in the namespace instead; its own labels are those of its object, where there is one. */
export function moveToNamespace(cluster: Cluster, name: string): Cluster {
  const move = <Item extends { readonly namespace: string }>(item: Item): Item => (item.namespace === UNNAMED ? { ...item, namespace: name } : item);
  const home: Namespace = findNamespace(cluster, name) ?? { name, labels: new Map([['kubernetes.io/metadata.name', name]]), unknownKeys: new Set(), origin: undefined };
  return {
    ...cluster,
    namespaces: [...cluster.namespaces.filter((one) => one.name !== name && one.name !== UNNAMED), home].sort((a, b) => compareText(a.name, b.name)),
    pods: cluster.pods.map((pod) => ({ ...move(pod), workload: move(pod.workload) })),
    services: cluster.services.map(move),
    policies: cluster.policies.map(move),
    ...(cluster.endpointSlices === undefined ? {} : { endpointSlices: cluster.endpointSlices.map(move) }),
    ...(cluster.ingresses === undefined ? {} : { ingresses: cluster.ingresses.map(move) }),
    ...(cluster.unreadObjects === undefined ? {} : { unreadObjects: cluster.unreadObjects.map(move) }),
  };
}
