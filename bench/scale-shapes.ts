// Large clusters in memory for benchmarks, by name: the usual mix, many small namespaces, and the shapes that punish an engine.
import type { IpRange } from '../src/base/ip-address.ts';
import type { Cluster } from '../src/model/cluster.ts';
import type { ClusterPolicy, ScopedPods, TierAction, TierPeer, TierRule } from '../src/model/cluster-policy.ts';
import { unwrittenDocument, type Origin } from '../src/model/origin.ts';
import { EVERYTHING, type Requirement, type Selector } from '../src/model/selector.ts';
import { readManifests } from '../src/read/read.ts';
import { Chance, generateManifests, type ClusterSize, type Manifest } from './generate-cluster.ts';

export interface Shape {
  readonly name: string;
  readonly make: () => Cluster;
  readonly goalSeconds: number;
  readonly goalMegabytes?: number;
}

/** The mix that grows tenfold. */
export const SMALL: ClusterSize = { mode: 'bare', pods: 10_000, policies: 2000, namespaces: 50 };
const BARE = { mode: 'bare', pods: 100_000, policies: 10_000 } as const;

export const SHAPES: readonly Shape[] = [
  { name: '10k bare pods, 2k policies, 50 namespaces', make: () => mixed(SMALL), goalSeconds: 0.4 },
  { name: '100k bare pods, 10k policies, 50 namespaces', make: () => mixed({ ...BARE, namespaces: 50 }), goalSeconds: 2, goalMegabytes: 1200 },
  { name: '100k bare pods, 10k policies, 1,000 namespaces', make: () => mixed({ ...BARE, namespaces: 1000 }), goalSeconds: 2, goalMegabytes: 1200 },
  { name: '… 50 namespaces and 60 cluster-wide policies', make: () => withTiers(mixed({ ...BARE, namespaces: 50 }), 60), goalSeconds: 2.5 },
  { name: '… 1,000 namespaces and 60 cluster-wide policies', make: () => withTiers(mixed({ ...BARE, namespaces: 1000 }), 60), goalSeconds: 2.5 },
  { name: '25k namespaces of 4 pods and 3 policies', make: () => smallNamespaces(25_000), goalSeconds: 4, goalMegabytes: 2000 },
  { name: 'one namespace of 100k pods, 10k policies', make: () => mixed({ ...BARE, namespaces: 1 }), goalSeconds: 15 },
  { name: '10k pods, each named by its own policy both ways', make: () => ownPolicyEach(10_000), goalSeconds: 15 },
  { name: '100k pods, 10k policies, 20 values In and NotIn on both sides', make: () => valueLists(100_000, 10_000), goalSeconds: 15 },
  { name: '20k pods under 2k ipBlocks with excepts', make: () => blocksOverPods(20_000, 2000), goalSeconds: 15 },
];

/** The manifests of a mix with each pod so many times: the same groups with more pods behind each. */
export function repeatedMix(size: ClusterSize, times: number): readonly Manifest[] {
  return generateManifests(size).flatMap((manifest) => {
    if (manifest['kind'] !== 'Pod') return [manifest];
    const metadata = manifest['metadata'] as Manifest; // written by the generator
    return Array.from({ length: times }, (_, index) => ({ ...manifest, metadata: { ...metadata, name: `${String(metadata['name'])}-${index}` } }));
  });
}

export function mixed(size: ClusterSize): Cluster {
  return readAll(generateManifests(size));
}

function readAll(manifests: readonly Manifest[]): Cluster {
  return readManifests([{ name: 'generated', chunks: () => listChunks(manifests) }]).cluster;
}

/** A stream of one `List`, so that no text of the whole is needed. */
export function* listChunks(manifests: readonly Manifest[]): Iterable<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode('{"apiVersion":"v1","kind":"List","items":[');
  for (const [index, manifest] of manifests.entries()) yield encoder.encode(`${index === 0 ? '' : ','}${JSON.stringify(manifest)}`);
  yield encoder.encode(']}');
}

/** As in Antrea's test of scale: in each namespace a default deny and two policies that name each other's pods. */
function smallNamespaces(count: number): Cluster {
  const kinds: readonly Manifest[] = [{ 'app-1': 'scale-1' }, { 'app-2': 'scale-2' }, { 'app-1': 'scale-1', 'app-2': 'scale-2' }, { other: 'x' }];
  const policy = (namespace: string, name: string, spec: Manifest): Manifest => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec });
  const one = { podSelector: { matchLabels: { 'app-1': 'scale-1' } } };
  const two = { podSelector: { matchLabels: { 'app-2': 'scale-2' } } };
  return readAll(Array.from({ length: count }, (_, index) => `ns-${index}`).flatMap((namespace) => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { app: namespace } } },
    ...kinds.map((labels, index) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${index}`, namespace, labels }, spec: { containers: [{ name: 'main', image: 'registry.example/main:1.0' }] } })),
    policy(namespace, 'deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    policy(namespace, 'one', { ...one, policyTypes: ['Ingress', 'Egress'], ingress: [{ from: [two] }], egress: [{ to: [two] }] }),
    policy(namespace, 'two', { ...two, policyTypes: ['Ingress', 'Egress'], ingress: [{ from: [one] }], egress: [{ to: [one] }] }),
  ]));
}

function ownPolicyEach(count: number): Cluster {
  const labels = (index: number): Manifest => ({ matchLabels: { app: `app-${index % count}` } });
  const pods = Array.from({ length: count }, (_, index) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${index}`, namespace: 'one', labels: { app: `app-${index}` } }, spec: { containers: [{ name: 'main', image: 'registry.example/main:1.0' }] } }));
  const policies = pods.map((_, index) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy-${index}`, namespace: 'one' },
    spec: {
      podSelector: labels(index),
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: labels(index + 1) }], ports: [{ protocol: 'TCP', port: 8080 }] }],
      egress: [{ to: [{ podSelector: labels(index + count - 1) }], ports: [{ protocol: 'TCP', port: 8080 }] }],
    },
  }));
  return readAll([...pods, ...policies]);
}

function valueLists(podCount: number, policyCount: number): Cluster {
  const chance = new Chance(7);
  const values = (): string[] => Array.from({ length: 20 }, () => `v${chance.below(200)}`);
  const keys = ['app', 'tier', 'release', 'zone'] as const;
  const listed = (): Manifest => ({ matchExpressions: [{ key: chance.pick(keys), operator: 'In', values: values() }, { key: chance.pick(keys), operator: 'NotIn', values: values() }] });
  const namespace = (): string => `ns-${chance.below(50)}`;
  const pods = Array.from({ length: podCount }, (_, index) => {
    const labels = Object.fromEntries(keys.map((key) => [key, `v${chance.below(200)}`]));
    return { apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${index}`, namespace: namespace(), labels }, spec: { containers: [{ name: 'main', image: 'registry.example/main:1.0' }] } };
  });
  const policies = Array.from({ length: policyCount }, (_, index) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy-${index}`, namespace: namespace() },
    spec: { podSelector: listed(), policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: listed() }], ports: [{ protocol: 'TCP', port: chance.pick([80, 443, 8080]) }] }] },
  }));
  return readAll([...pods, ...policies]);
}

function blocksOverPods(podCount: number, policyCount: number): Cluster {
  const chance = new Chance(9);
  const address = (n: number): string => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  const pods = Array.from({ length: podCount }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${index}`, namespace: `ns-${index % 50}`, labels: { app: `app-${index}` } },
    spec: { containers: [{ name: 'main', image: 'registry.example/main:1.0' }] },
    status: { phase: 'Running', podIP: address(index), podIPs: [{ ip: address(index) }] },
  }));
  const hole = (): string => `${address(chance.below(podCount) & ~15)}/28`;
  const policies = Array.from({ length: policyCount }, (_, index) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy-${index}`, namespace: `ns-${index % 50}` },
    spec: { podSelector: { matchLabels: { app: `app-${chance.below(podCount / 50) * 50 + (index % 50)}` } }, policyTypes: ['Ingress'], ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: [...new Set([hole(), hole()])] } }] }] },
  }));
  return readAll([...pods, ...policies]);
}

const ORIGIN: Origin = { document: unwrittenDocument('generated'), path: [] };

/** Two of three in the Admin tier; peers and subjects by team, stage and tier, and some blocks. */
export function withTiers(cluster: Cluster, count: number): Cluster {
  const chance = new Chance(11);
  const equal = (key: string, values: readonly string[]): Requirement => ({ kind: 'In', key, values });
  const namespaces = (): Selector => (chance.below(4) === 0 ? EVERYTHING : { requirements: [chance.below(2) === 0 ? equal('team', [chance.pick(['atlas', 'beacon', 'cobalt', 'delta'])]) : equal('stage', [chance.pick(['prod', 'dev'])])] });
  const pods = (): Selector => (chance.below(2) === 0 ? EVERYTHING : { requirements: [equal('tier', [chance.pick(['web', 'api', 'db'])])] });
  const scoped = (): ScopedPods => ({ namespaceSelector: namespaces(), podSelector: pods() });
  const block = (): IpRange => ({ family: 4, first: 0xac100000n + BigInt(chance.below(1000) * 256), last: 0xac1000ffn + BigInt(chance.below(1000) * 256 + 256_000) });
  const peer = (isEgress: boolean): TierPeer => {
    if (isEgress && chance.below(4) === 0) return { kind: 'ip-block', cidr: block(), except: [], text: 'block', origin: ORIGIN };
    return { kind: 'scoped-pods', ...scoped(), origin: ORIGIN };
  };
  const rule = (index: number, isEgress: boolean): TierRule => ({
    index,
    name: undefined,
    action: chance.pick(['Accept', 'Deny', 'Pass'] satisfies TierAction[]),
    peers: { kind: 'listed', peers: [peer(isEgress)] },
    ports: chance.below(3) === 0 ? { kind: 'every' } : { kind: 'listed', ports: [{ kind: 'range', protocol: 'TCP', first: 80, last: 80 + chance.below(3000), origin: ORIGIN }] },
    origin: ORIGIN,
  });
  const policy = (index: number): ClusterPolicy => ({
    kind: 'ClusterNetworkPolicy',
    name: `wide-${index}`,
    tier: index % 3 === 2 ? 'Baseline' : 'Admin',
    priority: index * 10,
    subject: scoped(),
    ingress: Array.from({ length: 1 + chance.below(3) }, (_, at) => rule(at, false)),
    egress: Array.from({ length: 1 + chance.below(3) }, (_, at) => rule(at, true)),
    origin: ORIGIN,
  });
  return { ...cluster, clusterPolicies: Array.from({ length: count }, (_, index) => policy(index)) };
}

