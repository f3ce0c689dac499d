// The names, labels and ports that a cluster has, as words that can be answered with.
import { compareText } from '../base/finding.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { selects, type LabelSet } from '../model/selector.ts';
import { EVERY_NAMESPACE, type PodPlace } from './answers.ts';

export function offerNamespaces({ namespaces }: Cluster): readonly string[] {
  return namespaces.map(({ name }) => name);
}

/** Keys by which workloads are usually told apart, the better ones first. */
const NAMING_KEYS = ['app.kubernetes.io/name', 'app', 'k8s-app', 'name'] as const;

/** Labels that are of one release, version or pod, and would not be there tomorrow. */
const PASSING_KEY = /hash|version|revision|instance|chart|managed-by|pod-index|pod-name|job-name|controller-uid|generation/;

/** `app=web`, once each, of the pods in a namespace; of `undefined`, in all. */
export function offerSelectors(cluster: Cluster, namespace: string | undefined): readonly string[] {
  const labels = podsIn(cluster, namespace).filter(({ hostNetwork }) => !hostNetwork).flatMap((pod) => namingLabel(pod) ?? []);
  return [...new Set(labels)].sort(compareText);
}

function namingLabel({ labels }: Pod): string | undefined {
  const key = NAMING_KEYS.find((known) => labels.has(known)) ?? [...labels.keys()].find((candidate) => !PASSING_KEY.test(candidate));
  return key === undefined ? undefined : `${key}=${labels.get(key)}`;
}

export interface OfferedPort {
  /** `tcp/5432` */
  readonly word: string;
  /** The name of the port, where it has one. */
  readonly name: string | undefined;
}

export function offerPorts(pods: readonly Pod[]): readonly OfferedPort[] {
  const offers = new Map<string, OfferedPort>();
  for (const { protocol, port, name } of pods.flatMap(({ ports }) => ports)) {
    const word = `${protocol.toLowerCase()}/${port}`;
    if (offers.get(word)?.name === undefined) offers.set(word, { word, name });
  }
  return [...offers.values()];
}

/** The pods that a selector can match: those in the network of their node are out of its reach. */
export function podsAt(cluster: Cluster, { namespace, podSelector }: PodPlace): readonly Pod[] {
  return podsIn(cluster, namespace === EVERY_NAMESPACE ? undefined : namespace).filter((pod) => !pod.hostNetwork && selects(podSelector, pod as LabelSet));
}

function podsIn({ pods }: Cluster, namespace: string | undefined): readonly Pod[] {
  return namespace === undefined ? pods : pods.filter((pod) => pod.namespace === namespace);
}
