// What only the whole cluster tells of its cluster-wide policies: equal priorities over the same pods, nodes that nobody knows.
import { selects } from '../../model/selector.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import type { ClusterPolicy, TierPeer } from '../../model/cluster-policy.ts';
import { DIRECTIONS } from '../../model/network-policy.ts';
import { locateOrigin } from '../../model/origin.ts';
import { addFinding, type FindingList } from '../values/finding-list.ts';

export function addClusterPolicyFindings(findings: FindingList, cluster: Cluster): void {
  if (cluster.clusterPolicies.length === 0) return;
  addEqualPriorities(findings, cluster);
  for (const policy of cluster.clusterPolicies) {
    const rule = policy.egress.flatMap(({ peers }) => (peers.kind === 'listed' ? peers.peers : [])).find((peer) => isOfUnknownNodes(cluster, peer));
    if (rule !== undefined) addUnknownNodes(findings, policy, rule);
  }
}

/** Pairs of policies of one priority that are held against each other; with more, the first ones speak for the rest. */
const EQUAL_PAIRS_MAX = 10_000;

function addEqualPriorities(findings: FindingList, cluster: Cluster): void {
  const equals = [...Map.groupBy(cluster.clusterPolicies, ({ tier, priority }) => `${tier} ${priority}`).values()].filter(({ length }) => length > 1);
  if (equals.length === 0) return;
  const meet = subjectOverlap(cluster);
  let left = EQUAL_PAIRS_MAX;
  for (const policies of equals) {
    for (const [index, policy] of policies.entries()) {
      const other = policies.slice(0, Math.min(index, left)).find((earlier) => haveDirectionInCommon(earlier, policy) && meet(earlier, policy));
      left -= Math.min(index, left);
      if (other !== undefined) addEqualPriority(findings, other, policy);
    }
  }
}

function haveDirectionInCommon(a: ClusterPolicy, b: ClusterPolicy): boolean {
  return DIRECTIONS.some((direction) => a[direction].length > 0 && b[direction].length > 0);
}

/** Whether two policies govern a pod of the input together. */
function subjectOverlap({ namespaces, pods }: Cluster): (a: ClusterPolicy, b: ClusterPolicy) => boolean {
  const podsOf = Map.groupBy(pods.filter(({ hostNetwork }) => !hostNetwork), ({ namespace }) => namespace);
  // Pods of one controller carry the same map of labels.
  const looks = new Map([...podsOf].map(([namespace, own]): [string, Pod[]] => [namespace, [...new Map(own.map((pod) => [pod.labels, pod])).values()]]));
  const namespacesOf = new Map<ClusterPolicy, readonly string[]>();
  const governedNamespaces = (policy: ClusterPolicy): readonly string[] => {
    let names = namespacesOf.get(policy);
    if (names === undefined) {
      names = namespaces.filter((namespace) => looks.has(namespace.name) && selects(policy.subject.namespaceSelector, namespace)).map(({ name }) => name);
      namespacesOf.set(policy, names);
    }
    return names;
  };
  return (a, b) => {
    const ofB = new Set(governedNamespaces(b));
    return governedNamespaces(a).some((name) => ofB.has(name) && looks.get(name)!.some((pod) => selects(a.subject.podSelector, pod) && selects(b.subject.podSelector, pod)));
  };
}

function addEqualPriority(findings: FindingList, first: ClusterPolicy, second: ClusterPolicy): void {
  const place = (policy: ClusterPolicy): ReturnType<typeof locateOrigin> => locateOrigin({ ...policy.origin, path: [...policy.origin.path, 'spec', 'priority'] });
  addFinding(findings, {
    code: 'equal-priorities',
    severity: 'warning',
    message: `the ${second.kind} \`${second.name}\` and the ${first.kind} \`${first.name}\` have the priority ${second.priority} in the ${second.tier} tier and govern the same pods: where they differ the answer takes Deny before Pass before ${second.kind === 'AdminNetworkPolicy' ? 'Allow' : 'Accept'}, and a cluster may take either`,
    ...place(second),
    object: { kind: second.kind, namespace: '', name: second.name },
    related: [{ message: 'the first one', ...place(first) }],
    help: 'give one of the two another priority',
  });
}

function isOfUnknownNodes({ nodes }: Cluster, peer: TierPeer): boolean {
  if (peer.kind !== 'nodes') return false;
  return nodes.every(({ labels, addresses }) => addresses.length === 0 || !selects(peer.selector, { labels, unknownKeys: NO_KEYS }));
}

const NO_KEYS: ReadonlySet<string> = new Set();

function addUnknownNodes(findings: FindingList, policy: ClusterPolicy, peer: TierPeer): void {
  addFinding(findings, {
    code: 'nodes-not-known',
    severity: 'warning',
    message: `the ${policy.kind} \`${policy.name}\` has a rule for nodes, and the input holds no Node with an address that it selects: in the answer the rule matches nobody`,
    ...locateOrigin(peer.origin),
    object: { kind: policy.kind, namespace: '', name: policy.name },
    help: 'add the output of `kubectl get nodes -o yaml` to the input',
  });
}
