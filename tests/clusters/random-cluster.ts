// Random small clusters of few words, so that labels, names, ports and addresses collide as often as they can.
import fc from 'fast-check';
import type * as raw from './raw-cluster.ts';

const NAMESPACES = ['a', 'b', 'c'] as const;
const KEYS = ['app', 'tier', 'pod-template-hash'] as const;
const VALUES = ['x', 'x', 'y', ''] as const;
/** Most things stand in one namespace, so that they meet. */
const CROWDED_NAMESPACES = ['a', 'a', 'a', 'b', 'b', 'c'] as const;
const PORT_NAMES = ['http', 'dns'] as const;
const PORTS = [80, 81, 53, 1, 8080, 65535] as const;
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const NODES = ['n1', 'n2'] as const;
const ADDRESSES_4 = ['10.0.0.0', '10.0.0.1', '10.0.0.127', '10.0.0.128', '10.1.0.1', '192.168.0.1', '255.255.255.255'] as const;
/** As a number `::a00:1` is 10.0.0.1, and `::/96` is 0.0.0.0/0. */
const ADDRESSES_6 = ['::a00:1', 'fd00::', 'fd00::1', 'fd00:0:0:1::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'] as const;
/** Each block with what may be excepted from it; some with host bits set, which the API server masks. */
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  '0.0.0.0/0': ['10.0.0.0/8', '10.0.0.0/24', '0.0.0.0/1', '128.0.0.0/1', '255.255.255.255/32'],
  '10.0.0.0/8': ['10.0.0.0/24', '10.0.0.0/25', '10.0.0.128/25', '10.0.0.1/32', '10.0.0.0/9', '10.128.0.0/9'],
  '10.0.0.0/24': ['10.0.0.0/25', '10.0.0.128/25', '10.0.0.127/32', '10.0.0.64/26'],
  '10.0.0.5/24': ['10.0.0.129/25', '10.0.0.0/32'],
  '10.0.0.1/32': [],
  '::/0': ['fd00::/8', '8000::/1', '::/1', 'fd00::1/128'],
  '::/96': ['::a00:0/104', '::a00:1/128'],
  '::a00:1/128': [],
  'fd00::/8': ['fd00::/16', 'fd00::/64', 'fd00::1/128', 'fd00:0:0:1::/64'],
  'fd00::1/120': ['fd00::/128', 'fd00::/127'],
};
const POD_RANGES = [[], [], ['10.0.0.0/24'], ['10.0.0.0/25', '10.1.0.0/24'], ['10.0.0.0/16', 'fd00::/64'], ['fd00::/120']] as const;

/** A value, or one of the ways to say nothing: left out, null, and where given, an empty form. */
function maybe<Value>(arbitrary: fc.Arbitrary<Value>, ...empty: readonly Value[]): fc.Arbitrary<Value | null | undefined> {
  return fc.oneof({ weight: 5, arbitrary }, { weight: 2, arbitrary: fc.constantFrom(undefined, null, ...empty) });
}

/** Records without the fields that are undefined, as a manifest would be written. */
function record<Shape extends object>(fields: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key] | undefined> }): fc.Arbitrary<Shape> {
  const whole = fc.record(fields as Record<string, fc.Arbitrary<unknown>>);
  // Only fields that hold undefined are left out, and those are optional in each Shape used here.
  return whole.map((value) => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Shape);
}

const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom(...VALUES);
/** Labels that an object carries, some of a key or value that no selector names; nobody writes the labels that only controllers give. */
const ownLabels: fc.Arbitrary<raw.RawLabels> = fc.dictionary(fc.constantFrom('app', 'tier', 'unasked'), fc.constantFrom('x', 'y', '', 'unasked', 'unasked'), { maxKeys: 3, noNullPrototype: true });
const matchLabels: fc.Arbitrary<raw.RawLabels> = fc.dictionary(key, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true });

const expression: fc.Arbitrary<raw.RawExpression> = fc.oneof(
  record<raw.RawExpression>({
    key,
    operator: fc.constantFrom('In', 'In', 'NotIn'),
    values: fc.oneof(fc.shuffledSubarray(['x', 'y', ''], { minLength: 1 }), fc.constantFrom(['x', 'x'], ['y', 'x', 'y'])),
  }),
  record<raw.RawExpression>({ key, operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constantFrom(undefined, null, []) }),
);

export const randomSelector: fc.Arbitrary<raw.RawSelector> = record<raw.RawSelector>({
  matchLabels: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 3, arbitrary: maybe(matchLabels, {}) }),
  matchExpressions: fc.oneof(
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: maybe(fc.array(expression, { minLength: 1, maxLength: 2 }), []) },
  ),
});

/** Namespaces are told apart by their name's label as well as by those they share with pods. */
export const randomNamespaceSelector: fc.Arbitrary<raw.RawSelector> = fc.oneof(
  randomSelector,
  fc.constantFrom(...NAMESPACES).map((name) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } })),
  fc.subarray([...NAMESPACES], { minLength: 1 }).map((values) => ({
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn' as const, values }],
  })),
);

export const randomIpBlock: fc.Arbitrary<raw.RawBlock> = fc.constantFrom(...Object.keys(BLOCKS)).chain((cidr) =>
  record<raw.RawBlock>({
    cidr: fc.constant(cidr),
    except: BLOCKS[cidr]!.length === 0 ? fc.constantFrom(undefined, null, []) : maybe(fc.array(fc.constantFrom(...BLOCKS[cidr]!), { minLength: 1, maxLength: 3 }), []),
  }),
);

const peer: fc.Arbitrary<raw.RawPeer> = fc.oneof(
  { weight: 2, arbitrary: record<raw.RawPeer>({ podSelector: randomSelector, namespaceSelector: fc.constantFrom(undefined, null), ipBlock: fc.constantFrom(undefined, null) }) },
  { weight: 2, arbitrary: record<raw.RawPeer>({ namespaceSelector: randomNamespaceSelector, podSelector: fc.constantFrom(undefined, null) }) },
  { weight: 2, arbitrary: record<raw.RawPeer>({ podSelector: randomSelector, namespaceSelector: randomNamespaceSelector }) },
  { weight: 3, arbitrary: record<raw.RawPeer>({ ipBlock: randomIpBlock, podSelector: fc.constantFrom(undefined, null) }) },
);

const protocol = fc.constantFrom(...PROTOCOLS);
export const randomPort: fc.Arbitrary<raw.RawPort> = fc.oneof(
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

export const randomCluster: fc.Arbitrary<raw.RawCluster> = fc.record({
  namespaces: fc.tuple(...NAMESPACES.map((name) =>
    fc.record({ labels: ownLabels, isWritten: fc.constantFrom(true, true, false) }).map(({ labels, isWritten }) => ({ name, isWritten, labels: isWritten ? labels : {} })),
  )),
  workloads,
  policies: randomPolicies,
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
