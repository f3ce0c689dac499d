// Random cluster-wide policies of both tiers, of the same few words as the random clusters, as values of the model.
import fc from 'fast-check';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import type { ClusterNode } from '../../src/model/cluster.ts';
import type { ClusterPolicy, ScopedPods, TierPeer, TierPort, TierRule } from '../../src/model/cluster-policy.ts';
import { randomIpBlock, randomNamespaceSelector, randomPort, randomSelector } from './random-cluster.ts';
import { origin, settlePeer, settlePort, settleSelector } from './settle.ts';

/** Two nodes; one has the address of a random pod's, so that a rule on nodes meets something. */
export const NODES: readonly ClusterNode[] = [
  { name: 'n1', labels: new Map([['app', 'x']]), addresses: [parseIpAddress('10.1.0.1')!], podRanges: [] },
  { name: 'n2', labels: new Map([['tier', 'y']]), addresses: [parseIpAddress('10.200.0.2')!, parseIpAddress('fd00::1')!], podRanges: [] },
];

const scopedPods: fc.Arbitrary<ScopedPods> = fc
  .record({ namespaceSelector: fc.oneof(fc.constant({}), randomNamespaceSelector), podSelector: fc.oneof(fc.constant({}), randomSelector) })
  .map(({ namespaceSelector, podSelector }) => ({ namespaceSelector: settleSelector(namespaceSelector), podSelector: settleSelector(podSelector) }));

const podPeer: fc.Arbitrary<TierPeer> = scopedPods.map((pods) => ({ kind: 'scoped-pods', ...pods, origin: origin() }));

/** Ingress peers are pods alone; egress knows networks, nodes and names of domains too. */
const egressPeer: fc.Arbitrary<TierPeer> = fc.oneof(
  { weight: 2, arbitrary: podPeer },
  { weight: 2, arbitrary: randomIpBlock.map((ipBlock) => settlePeer({ ipBlock: { cidr: ipBlock.cidr } }, origin()) as TierPeer & { kind: 'ip-block' }) },
  { weight: 1, arbitrary: randomSelector.map((selector): TierPeer => ({ kind: 'nodes', selector: settleSelector(selector), origin: origin() })) },
  { weight: 1, arbitrary: fc.constant<TierPeer>({ kind: 'domain-name', pattern: '*.example.org', origin: origin() }) },
);

const port: fc.Arbitrary<TierPort> = fc.oneof(
  randomPort.map((given) => settlePort(given, origin())),
  fc.constantFrom('http', 'dns').map((name): TierPort => ({ kind: 'any-named', name, origin: origin() })),
);

function rules(peer: fc.Arbitrary<TierPeer>): fc.Arbitrary<readonly TierRule[]> {
  const rule = fc.record({
    action: fc.constantFrom('Accept' as const, 'Deny' as const, 'Pass' as const),
    peers: fc.oneof({ weight: 5, arbitrary: fc.array(peer, { minLength: 1, maxLength: 2 }) }, fc.constant(undefined)),
    ports: fc.oneof(fc.array(port, { minLength: 1, maxLength: 2 }), fc.constant(undefined)),
  });
  return fc.array(rule, { maxLength: 4, size: 'max' }).map((list) =>
    list.map(({ action, peers, ports }, index): TierRule => ({
      index,
      name: undefined,
      action,
      peers: peers === undefined ? { kind: 'everybody' } : { kind: 'listed', peers },
      ports: ports === undefined ? { kind: 'every' } : { kind: 'listed', ports },
      origin: origin('spec', index),
    })),
  );
}

/** Few priorities, so that some are equal. */
export const randomClusterPolicies: fc.Arbitrary<readonly ClusterPolicy[]> = fc
  .array(
    fc.record({
      tier: fc.constantFrom('Admin' as const, 'Baseline' as const),
      priority: fc.constantFrom(0, 1, 1, 1, 1000),
      subject: scopedPods,
      ingress: rules(podPeer),
      egress: rules(egressPeer),
    }),
    { maxLength: 6, size: 'max' },
  )
  .map((list) => list.map((policy, index): ClusterPolicy => ({ kind: 'ClusterNetworkPolicy', name: `c${index}`, ...policy, origin: origin() })).sort(inOrder));

/** Cluster order: tier, priority, name. */
function inOrder(a: ClusterPolicy, b: ClusterPolicy): number {
  return a.tier === b.tier ? a.priority - b.priority : a.tier === 'Admin' ? -1 : 1;
}
