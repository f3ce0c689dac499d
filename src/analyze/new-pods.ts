// Pods that could be created tomorrow: without labels, and with the labels that rules name and nobody has yet.
import type { Cluster, Namespace, Pod } from '../model/cluster.ts';
import type { TierPeer } from '../model/cluster-policy.ts';
import { DIRECTIONS, type Peer } from '../model/network-policy.ts';
import { unwrittenDocument, type Origin } from '../model/origin.ts';
import { canonicalSelector, EVERYTHING, selects, type Requirement, type Selector } from '../model/selector.ts';

export interface NewPods {
  /** The first is of a namespace that is not there; then one for each namespace; then the labelled ones. */
  readonly pods: readonly NewPod[];
  /** Those that are not there. */
  readonly namespaces: readonly Namespace[];
}

export type NewPod = { readonly pod: Pod; /** Index of the pod without labels to compare it with. */ readonly without: number } & (
  | { readonly kind: 'any-namespace' | 'own-namespace' }
  | { readonly kind: 'labelled'; readonly podSelector: Selector; readonly namespace: NewNamespace }
);

export type NewNamespace = { readonly kind: 'named'; readonly name: string } | { readonly kind: 'selected'; readonly selector: Selector };

/** Labels and names in selectors that differ become a pod each; beyond these the rest is left out. */
const LABELLED_MAX = 10_000;

/** Those without labels: in a namespace that is not there, then in each that is. */
export function unlabelledPodsOf(cluster: Cluster): { readonly pods: readonly Pod[]; readonly namespace: Namespace } {
  const namespace = namespaceWith(freshName(cluster, 0), new Map());
  return { pods: [namespace, ...cluster.namespaces].map(({ name }) => podWith(name, new Map())), namespace };
}

export function newPodsOf(cluster: Cluster): NewPods {
  const unlabelled = unlabelledPodsOf(cluster);
  const namespaces: Namespace[] = [unlabelled.namespace];
  const pods: NewPod[] = unlabelled.pods.map((pod, index) => ({ kind: index === 0 ? 'any-namespace' : 'own-namespace', pod, without: 0 }));
  const indexOf = new Map(cluster.namespaces.map(({ name }, index) => [name, index + 1]));
  for (const peer of unmatchedPeers(cluster)) {
    const labels = labelsFor(peer.podSelector);
    const place = labels && placeFor(cluster, peer.namespace, namespaces);
    if (labels === undefined || place === undefined) continue;
    pods.push({ kind: 'labelled', ...peer, pod: podWith(place, labels), without: peer.namespace.kind === 'named' ? indexOf.get(place)! : 0 });
  }
  return { pods, namespaces };
}

interface LabelledPeer {
  readonly podSelector: Selector;
  readonly namespace: NewNamespace;
}

/** Peers of any policy that no pod here meets. */
function unmatchedPeers(cluster: Cluster): LabelledPeer[] {
  const peers = new Map<string, LabelledPeer>();
  const add = (podSelector: Selector, namespace: NewNamespace): void => {
    const place = namespace.kind === 'named' ? namespace.name : canonicalSelector(namespace.selector);
    const key = `${namespace.kind} ${place}\n${canonicalSelector(podSelector)}`;
    if (!peers.has(key) && peers.size < LABELLED_MAX) peers.set(key, { podSelector, namespace });
  };
  for (const policy of cluster.policies) {
    const rules = DIRECTIONS.flatMap((direction) => policy[direction] ?? []);
    for (const peer of rules.flatMap((rule): readonly Peer[] => (rule.peers.kind === 'listed' ? rule.peers.peers : []))) {
      if (peer.kind === 'pods') add(peer.podSelector, peer.namespaces.kind === 'own' ? { kind: 'named', name: policy.namespace } : { kind: 'selected', selector: peer.namespaces.selector });
    }
  }
  for (const policy of cluster.clusterPolicies ?? []) {
    const rules = DIRECTIONS.flatMap((direction) => policy[direction]);
    for (const peer of rules.flatMap((rule): readonly TierPeer[] => (rule.peers.kind === 'listed' ? rule.peers.peers : []))) {
      if (peer.kind === 'scoped-pods') add(peer.podSelector, { kind: 'selected', selector: peer.namespaceSelector });
    }
  }
  return [...peers.values()].filter((peer) => !isMet(cluster, peer));
}

function isMet(cluster: Cluster, { podSelector, namespace }: LabelledPeer): boolean {
  const names = new Set(cluster.namespaces.filter((one) => (namespace.kind === 'named' ? one.name === namespace.name : selects(namespace.selector, one))).map(({ name }) => name));
  return cluster.pods.some((pod) => !pod.hostNetwork && names.has(pod.namespace) && selects(podSelector, pod));
}

/** undefined: nothing can meet it. */
function labelsFor(selector: Selector, fixed: ReadonlyMap<string, string> = new Map()): Map<string, string> | undefined {
  const labels = new Map(fixed);
  for (const requirement of selector.requirements) {
    if (labels.has(requirement.key)) continue;
    const value = valueFor(selector.requirements.filter(({ key }) => key === requirement.key));
    if (value !== undefined) labels.set(requirement.key, value);
  }
  return selects(selector, { labels, unknownKeys: new Set() }) ? labels : undefined;
}

/** undefined: the key is better left out. */
function valueFor(requirements: readonly Requirement[]): string | undefined {
  const refused = new Set(requirements.flatMap((one) => (one.kind === 'NotIn' ? one.values : [])));
  const wanted = requirements.find((one) => one.kind === 'In');
  if (wanted !== undefined && 'values' in wanted) {
    const others = requirements.filter((one) => one.kind === 'In');
    return wanted.values.find((value) => !refused.has(value) && others.every((one) => 'values' in one && one.values.includes(value)));
  }
  if (!requirements.some((one) => one.kind === 'Exists')) return undefined;
  let value = 'any';
  while (refused.has(value)) value += '-';
  return value;
}

const NAME_LABEL = 'kubernetes.io/metadata.name';

/** The name of a namespace that meets it: a new one where that can be, for nothing governs it yet; added to `made`. */
function placeFor(cluster: Cluster, namespace: NewNamespace, made: Namespace[]): string | undefined {
  if (namespace.kind === 'named') return namespace.name;
  if (canonicalSelector(namespace.selector) === canonicalSelector(EVERYTHING)) return made[0]!.name;
  const name = valueFor(namespace.selector.requirements.filter(({ key }) => key === NAME_LABEL)) ?? freshName(cluster, made.length);
  const isThere = cluster.namespaces.some((one) => one.name === name);
  const labels = isThere ? undefined : labelsFor(namespace.selector, new Map([[NAME_LABEL, name]]));
  if (labels === undefined) return cluster.namespaces.find((one) => selects(namespace.selector, one))?.name;
  const known = made.find((one) => one.name === name);
  if (known !== undefined) return selects(namespace.selector, known) ? name : undefined;
  made.push(namespaceWith(name, labels));
  return name;
}

function freshName(cluster: Cluster, number: number): string {
  let name = `new-namespace-${number}`;
  while (cluster.namespaces.some((namespace) => namespace.name === name)) name += '-';
  return name;
}

function namespaceWith(name: string, labels: ReadonlyMap<string, string>): Namespace {
  return { name, labels: new Map([...labels, [NAME_LABEL, name]]), unknownKeys: new Set(), origin: undefined };
}

const ORIGIN: Origin = { document: unwrittenDocument('(new)'), path: [] };

function podWith(namespace: string, labels: ReadonlyMap<string, string>): Pod {
  const name = 'new-pod';
  return { namespace, name, workload: { kind: 'Pod', namespace, name }, labels, unknownKeys: new Set(), replicas: 1, ports: [], hostNetwork: false, addresses: [], nodeName: undefined, origin: ORIGIN };
}
