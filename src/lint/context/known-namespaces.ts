// How much of a cluster an input holds: a part of its namespaces, all of them, or all of everything.
import type { Cluster } from '../../model/cluster.ts';

/** Every API server makes them by itself (kubernetes/kubernetes, system namespaces), and nobody writes all of them by hand. */
const MADE_BY_SERVER: readonly string[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Whether the input has the Namespace objects of a whole cluster, as a live one, a snapshot or an export has. */
export function holdsAllNamespaces({ namespaces }: Cluster): boolean {
  const written = new Set(namespaces.flatMap(({ name, origin }) => (origin === undefined ? [] : [name])));
  return MADE_BY_SERVER.every((name) => written.has(name));
}

/** Whether it has pods of the cluster's own besides, so that those of others will be there too. */
export function holdsWholeCluster(cluster: Cluster): boolean {
  return holdsAllNamespaces(cluster) && cluster.pods.some(({ namespace }) => namespace === 'kube-system');
}

/** Whether the input describes more than one namespace, and each that it uses: then a label that none of them has is worth a word. */
export function describesNamespaces({ namespaces, pods, policies }: Cluster): boolean {
  const written = new Set(namespaces.flatMap(({ name, origin }) => (origin === undefined ? [] : [name])));
  return written.size > 1 && [...pods, ...policies].every(({ namespace }) => written.has(namespace));
}
