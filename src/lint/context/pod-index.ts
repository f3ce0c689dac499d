// Finds the pods that a selector selects, by label, so that linting never visits pods once for each policy.
import type { Cluster, Namespace, Pod } from '../../model/cluster.ts';
import type { NetworkPolicy, PodPeer } from '../../model/network-policy.ts';
import { selects, type Requirement, type Selector } from '../../model/selector.ts';

/** Pods by whether policies can match them: those on the host's network have its address and are never selected. */
export interface SelectedPods {
  readonly pods: readonly Pod[];
  readonly hostPods: readonly Pod[];
}

export interface PodIndex {
  readonly cluster: Cluster;
  /** Whether the address of some pod is not known. */
  readonly hasUnknownAddresses: boolean;
  namespace(name: string): Namespace | undefined;
  podsIn(namespace: string): readonly Pod[];
  /** The pods that the policy's podSelector names. */
  selectedBy(policy: NetworkPolicy): SelectedPods;
  /** The pods that a peer of the policy names. */
  matchedBy(peer: PodPeer, policy: NetworkPolicy): SelectedPods;
  /** Pods of any namespace with these labels. */
  selectedAnywhere(selector: Selector): SelectedPods;
  namespacesOf(peer: PodPeer, policy: NetworkPolicy): ReadonlySet<string>;
}

/** Equal selectors are looked up once. */
export function createPodIndex(cluster: Cluster): PodIndex {
  const hasHostPods = cluster.pods.some((pod) => pod.hostNetwork);
  const namespaces = new Map(cluster.namespaces.map((namespace) => [namespace.name, namespace]));
  const everywhere = new LabelIndex(cluster.pods);
  const byNamespace = new Map<string, Pod[]>();
  for (const pod of cluster.pods) append(byNamespace, pod.namespace, pod);
  const own = remember((namespace: string) => new LabelIndex(byNamespace.get(namespace) ?? []));
  const named = rememberByText((selector: Selector) => new Set(cluster.namespaces.filter((ns) => selects(selector, ns)).map((ns) => ns.name)));
  const anywhere = rememberByText((selector: Selector) => everywhere.select(selector));
  const selectedIn = rememberByText(([namespace, selector]: readonly [string, Selector]) => divide(own(namespace).select(selector), hasHostPods));
  const matchedAcross = rememberByText(([scope, selector]: readonly [Selector, Selector]) => {
    const namespaces = named(scope);
    const pods = namespaces.size === 1 ? own([...namespaces][0]!).select(selector) : anywhere(selector);
    return divide(pods.filter((pod) => namespaces.has(pod.namespace)), hasHostPods);
  });
  const matched = new Map<PodPeer, SelectedPods>();
  return {
    cluster,
    hasUnknownAddresses: cluster.pods.some((pod) => pod.addresses.length === 0),
    namespace: (name) => namespaces.get(name),
    podsIn: (namespace) => byNamespace.get(namespace) ?? [],
    selectedBy: remember((policy: NetworkPolicy) => selectedIn([policy.namespace, policy.podSelector])),
    matchedBy: (peer, policy) => {
      // A peer stands in one policy, so its own namespace is always the same.
      const known = matched.get(peer);
      if (known !== undefined) return known;
      const { namespaces: scope, podSelector } = peer;
      const pods = scope.kind === 'own' ? selectedIn([policy.namespace, podSelector]) : matchedAcross([scope.selector, podSelector]);
      matched.set(peer, pods);
      return pods;
    },
    selectedAnywhere: (selector) => divide(anywhere(selector), hasHostPods),
    namespacesOf: (peer, policy) => (peer.namespaces.kind === 'own' ? new Set([policy.namespace]) : named(peer.namespaces.selector)),
  };
}

/** Label to pods; a selector is tested only on the pods of its rarest label. */
class LabelIndex {
  private readonly pods: readonly Pod[];
  private byLabel: Map<string, Pod[]> | undefined;

  constructor(pods: readonly Pod[]) {
    this.pods = pods;
  }

  select(selector: Selector): readonly Pod[] {
    if (selector.requirements.length === 0) return this.pods;
    return this.candidates(selector).filter((pod) => selects(selector, pod));
  }

  private candidates(selector: Selector): readonly Pod[] {
    let rarest: readonly Pod[] = this.pods;
    for (const requirement of selector.requirements) {
      if (requirement.kind !== 'In') continue;
      const pods = this.podsWith(requirement);
      if (pods.length < rarest.length) rarest = pods;
    }
    return rarest;
  }

  private podsWith(requirement: Requirement & { readonly values: readonly string[] }): readonly Pod[] {
    const labels = (this.byLabel ??= indexLabels(this.pods));
    const lists = [...new Set(requirement.values)].map((value) => labels.get(labelText(requirement.key, value)) ?? []);
    return lists.length === 1 ? lists[0]! : lists.flat();
  }
}

function indexLabels(pods: readonly Pod[]): Map<string, Pod[]> {
  const labels = new Map<string, Pod[]>();
  for (const pod of pods) {
    for (const [key, value] of pod.labels) append(labels, labelText(key, value), pod);
  }
  return labels;
}

// Neither a label's key nor its value may hold a line feed.
function labelText(key: string, value: string): string {
  return `${key}\n${value}`;
}

function append(lists: Map<string, Pod[]>, key: string, pod: Pod): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [pod]);
  else list.push(pod);
}

function divide(pods: readonly Pod[], hasHostPods: boolean): SelectedPods {
  if (!hasHostPods || !pods.some((pod) => pod.hostNetwork)) return { pods, hostPods: [] };
  return { pods: pods.filter((pod) => !pod.hostNetwork), hostPods: pods.filter((pod) => pod.hostNetwork) };
}

function remember<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = make(key);
      known.set(key, value);
    }
    return value;
  };
}

function rememberByText<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<string, Value>();
  return (key) => {
    const text = JSON.stringify(key);
    let value = known.get(text);
    if (value === undefined) {
      value = make(key);
      known.set(text, value);
    }
    return value;
  };
}
