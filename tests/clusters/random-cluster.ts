// Random small clusters of few words, so that labels, names, ports and addresses collide as often as they can.
import fc from 'fast-check';
import { randomClusterPolicies } from './random-cluster-policies.ts';
import { maybe, NAMESPACES, randomIpBlock, randomNamespaceSelector, randomSelector, record } from './random-cluster-words.ts';
import type * as raw from './raw-cluster.ts';

/** Most things stand in one namespace, so that they meet. */
const CROWDED_NAMESPACES = ['a', 'a', 'a', 'b', 'b', 'c'] as const;
const PORT_NAMES = ['http', 'dns'] as const;
const PORTS = [80, 81, 53, 1, 8080, 65535] as const;
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const NODES = ['n1', 'n2'] as const;
const ADDRESSES_4 = ['10.0.0.0', '10.0.0.1', '10.0.0.127', '10.0.0.128', '10.1.0.1', '192.168.0.1', '255.255.255.255'] as const;
/** As a number `::a00:1` is 10.0.0.1, and `::/96` is 0.0.0.0/0. */
const ADDRESSES_6 = ['::a00:1', 'fd00::', 'fd00::1', 'fd00:0:0:1::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'] as const;
const POD_RANGES = [[], [], ['10.0.0.0/24'], ['10.0.0.0/25', '10.1.0.0/24'], ['10.0.0.0/16', 'fd00::/64'], ['fd00::/120']] as const;

/** Labels that an object carries, some of a key or value that no selector names; nobody writes the labels that only controllers give. */
const ownLabels: fc.Arbitrary<raw.RawLabels> = fc.dictionary(fc.constantFrom('app', 'tier', 'unasked'), fc.constantFrom('x', 'y', '', 'unasked', 'unasked'), { maxKeys: 3, noNullPrototype: true });
const peer: fc.Arbitrary<raw.RawPeer> = fc.oneof(
  { weight: 2, arbitrary: record<raw.RawPeer>({ podSelector: randomSelector, namespaceSelector: fc.constantFrom(undefined, null), ipBlock: fc.constantFrom(undefined, null) }) },
  { weight: 2, arbitrary: record<raw.RawPeer>({ namespaceSelector: randomNamespaceSelector, podSelector: fc.constantFrom(undefined, null) }) },
  { weight: 2, arbitrary: record<raw.RawPeer>({ podSelector: randomSelector, namespaceSelector: randomNamespaceSelector }) },
  { weight: 3, arbitrary: record<raw.RawPeer>({ ipBlock: randomIpBlock, podSelector: fc.constantFrom(undefined, null) }) },
);

const protocol = fc.constantFrom(...PROTOCOLS);
const randomPort: fc.Arbitrary<raw.RawPort> = fc.oneof(
  record<raw.RawPort>({ protocol: maybe(protocol), port: fc.constantFrom(undefined, null) }),
  record<raw.RawPort>({ protocol: maybe(protocol), port: fc.constantFrom(...PORTS) }),
  { weight: 3, arbitrary: record<raw.RawPort>({ protocol: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(undefined, null) }, protocol), port: fc.constantFrom(...PORT_NAMES) }) },
  fc.tuple(maybe(protocol), fc.constantFrom(...PORTS, 1000), fc.constantFrom(0, 1, 8000, 65535)).map(([given, first, more]) => ({
    ...(given === undefined ? {} : { protocol: given }),
    port: first,
    endPort: Math.min(65535, first + more),
  })),
);

function rule<Word extends 'from' | 'to'>(word: Word): fc.Arbitrary<raw.RawRule<Word> | null> {
  const fields = { [word]: maybe(fc.array(peer, { minLength: 1, maxLength: 3, size: 'max' }), []), ports: maybe(fc.array(fc.oneof({ weight: 6, arbitrary: randomPort }, fc.constant(null)), { minLength: 1, maxLength: 3, size: 'max' }), []) };
  // The computed field is the one that the Word names.
  const whole = record<object>(fields as never) as fc.Arbitrary<raw.RawRule<Word>>;
  return fc.oneof({ weight: 12, arbitrary: whole }, fc.constant(null));
}

const rules = <Word extends 'from' | 'to'>(word: Word): fc.Arbitrary<readonly (raw.RawRule<Word> | null)[] | null | undefined> =>
  maybe(fc.array(rule(word), { minLength: 1, maxLength: 3, size: 'max' }), []);

const policyTypes: fc.Arbitrary<readonly ('Ingress' | 'Egress')[] | null | undefined> = fc.constantFrom(
  undefined, undefined, null, [], ['Ingress'] as const, ['Egress'] as const, ['Ingress', 'Egress'] as const, ['Egress', 'Ingress'] as const, ['Ingress', 'Ingress'] as const,
);

const spec: fc.Arbitrary<raw.RawSpec> = record<raw.RawSpec>({ podSelector: maybe(randomSelector, {}), policyTypes, ingress: rules('from'), egress: rules('to') });

export const randomPolicies: fc.Arbitrary<readonly raw.RawPolicy[]> = fc
  .array(fc.tuple(fc.constantFrom(...CROWDED_NAMESPACES), fc.oneof({ weight: 15, arbitrary: spec }, fc.constantFrom(undefined, null))), { maxLength: 10, size: 'max' })
  .map((list) => list.map(([namespace, body], index) => ({ namespace, name: `p${index}`, ...(body === undefined ? {} : { spec: body }) })));

const containerPort: fc.Arbitrary<raw.RawContainerPort> = record<raw.RawContainerPort>({
  name: fc.constantFrom(undefined, ...PORT_NAMES),
  protocol: fc.constantFrom(undefined, undefined, ...PROTOCOLS),
  containerPort: fc.constantFrom(...PORTS),
});

/** In one container the API server refuses a name twice and a port twice; two containers may share both. */
const container = fc.uniqueArray(containerPort, {
  maxLength: 3,
  selector: (one) => one.name ?? `${one.protocol ?? 'TCP'} ${one.containerPort}`,
}).map((ports) => ports.filter((one, at) => ports.findIndex((other) => (other.protocol ?? 'TCP') === (one.protocol ?? 'TCP') && other.containerPort === one.containerPort) === at));

const addresses = fc.tuple(fc.constantFrom(undefined, ...ADDRESSES_4), fc.constantFrom(undefined, undefined, ...ADDRESSES_6))
  .map((pair) => pair.filter((one) => one !== undefined));

const workload = fc
  .record({
    kind: fc.constantFrom('Pod' as const, 'Pod' as const, 'Deployment' as const, 'StatefulSet' as const),
    namespace: fc.constantFrom(...CROWDED_NAMESPACES),
    labels: ownLabels,
    replicas: fc.constantFrom(1, 2),
    containers: fc.array(container, { minLength: 1, maxLength: 2 }),
    hostNetwork: fc.constantFrom(false, false, false, false, true),
    nodeName: fc.constantFrom(undefined, undefined, ...NODES),
    addresses,
  })
  .map(({ kind, ...rest }) => (kind === 'Pod' ? { kind, ...rest, replicas: 1 } : { kind, ...rest, nodeName: undefined, addresses: [] }));

/** Often a workload is like the one before it but for one thing, so that what tells them apart matters. */
const workloads: fc.Arbitrary<readonly raw.RawWorkload[]> = fc
  .array(fc.tuple(workload, fc.constantFrom(undefined, undefined, 'labels', 'labels', 'labels', 'containers', 'hostNetwork', 'addresses', 'namespace')), { minLength: 1, maxLength: 10, size: 'max' })
  .map((list) => {
    const result: raw.RawWorkload[] = [];
    for (const [index, [one, difference]] of list.entries()) {
      const before = result.at(-1);
      const isTwin = before !== undefined && difference !== undefined && (difference !== 'addresses' || before.kind === 'Pod');
      const twin = isTwin ? { ...before, [difference]: difference === 'labels' ? withAppOf(one, before) : one[difference] } : one;
      result.push({ ...twin, name: `w${index}` });
    }
    return result;
  });

function withAppOf(one: Pick<raw.RawWorkload, 'labels'>, before: raw.RawWorkload): raw.RawLabels {
  const others = Object.entries(before.labels).filter(([name]) => name !== 'app');
  return Object.fromEntries([...others, ...Object.entries(one.labels).filter(([name]) => name === 'app')]);
}

/** One of them has an address that a pod may have too, on the host network of some other place. */
const randomNodes: fc.Arbitrary<readonly raw.RawNode[]> = fc.record({ n1: ownLabels, n2: ownLabels }).map(({ n1, n2 }) => [
  { name: 'n1', labels: n1, addresses: ['10.200.0.1', 'fd02::1'] },
  { name: 'n2', labels: n2, addresses: ['10.200.0.2', '10.0.0.128'] },
]);

export const randomCluster: fc.Arbitrary<raw.RawCluster> = fc.record({
  namespaces: fc.tuple(...NAMESPACES.map((name) =>
    fc.record({ labels: ownLabels, isWritten: fc.constantFrom(true, true, false) }).map(({ labels, isWritten }) => ({ name, isWritten, labels: isWritten ? labels : {} })),
  )),
  workloads,
  policies: randomPolicies,
  clusterPolicies: randomClusterPolicies,
  nodes: randomNodes,
  podRanges: fc.constantFrom(...POD_RANGES),
}).map((cluster) => withoutSharedAddresses(cluster));

/** Two pods with one address would be one end for the kernel and two for us. */
function withoutSharedAddresses(cluster: raw.RawCluster): raw.RawCluster {
  const taken = new Set<string>();
  const workloads = cluster.workloads.map((one) => {
    // Pods on the host network share the addresses of their node.
    if (one.hostNetwork) return one;
    const own = one.addresses.filter((address) => !taken.has(address));
    for (const address of own) taken.add(address);
    return { ...one, addresses: own };
  });
  return { ...cluster, workloads };
}
