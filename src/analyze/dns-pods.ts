// By what the pods of the cluster's DNS are known.
import type { Pod } from '../model/cluster.ts';

/** The labels by which the usual installations name their DNS pods. */
export const DNS_LABELS: readonly (readonly [key: string, value: string])[] = [
  ['k8s-app', 'kube-dns'],
  ['k8s-app', 'coredns'],
  ['k8s-app', 'node-local-dns'],
  ['app.kubernetes.io/name', 'coredns'],
  ['dns.operator.openshift.io/daemonset-dns', 'default'],
];
export const DNS_NAMESPACES: readonly string[] = ['kube-system', 'openshift-dns'];

export function isDnsPod(pod: Pod): boolean {
  return DNS_LABELS.some(([key, value]) => pod.labels.get(key) === value);
}
