// Random cluster-wide policies of the three kinds, of the same few words as the random clusters, some with what nobody can read.
import fc from 'fast-check';
import { randomIpBlock, randomNamespaceSelector, randomSelector } from './random-cluster-words.ts';
import type * as raw from './raw-cluster-policy.ts';
import type { RawSelector } from './raw-cluster.ts';

/** A server stores what it does not understand in a selector. */
const unreadable: RawSelector = { matchExpressions: [{ key: 'app', operator: 'Foo', values: ['x'] }] };

const podSelector = fc.oneof({ weight: 2, arbitrary: fc.constant<RawSelector>({}) }, { weight: 6, arbitrary: randomSelector });
const namespaceSelector = fc.oneof(fc.constant<RawSelector>({}), randomNamespaceSelector);

/** The v1alpha1 kinds want both selectors of `pods`; ClusterNetworkPolicy takes every namespace where one is missing. */
function scope(kind: raw.RawClusterPolicyKind): fc.Arbitrary<raw.RawScope> {
  const both = fc.record({ namespaceSelector, podSelector });
  const podsAlone = fc.record({ podSelector, namespaceSelector: fc.constantFrom(undefined, null) }).map(({ podSelector: selector, namespaceSelector: none }) => (none === null ? { podSelector: selector, namespaceSelector: none } : { podSelector: selector }));
  const pods = kind === 'ClusterNetworkPolicy' ? fc.oneof(both, podsAlone) : both;
  return fc.oneof(namespaceSelector.map((namespaces) => ({ namespaces })), pods.map((one) => ({ pods: one })));
}

const DOMAIN_NAMES = ['*.example.org', 'www.example.org', 'Example.org.', '*.www.example.org'] as const;

function peer(kind: raw.RawClusterPolicyKind, section: 'ingress' | 'egress'): fc.Arbitrary<raw.RawTierPeer> {
  const closed = { weight: 1, arbitrary: fc.constant<raw.RawTierPeer>({ namespaces: unreadable }) };
  const pods = { weight: 9, arbitrary: scope(kind) };
  if (section === 'ingress') return fc.oneof(pods, closed);
  const networks = fc.uniqueArray(randomIpBlock.map(({ cidr }) => cidr), { minLength: 1, maxLength: 2 });
  const names = fc.uniqueArray(fc.constantFrom(...DOMAIN_NAMES), { minLength: 1, maxLength: 2 }).map((domainNames) => ({ domainNames }));
  return fc.oneof(
    pods,
    closed,
    { weight: 9, arbitrary: networks.map((list) => ({ networks: list })) },
    { weight: 5, arbitrary: podSelector.map((nodes) => ({ nodes })) },
    { weight: kind === 'BaselineAdminNetworkPolicy' ? 0 : 3, arbitrary: names },
  );
}

const PORTS = [80, 81, 53, 1, 8080, 65535] as const;
const port = fc.constantFrom(...PORTS);
const portName = fc.constantFrom('http', 'http', 'dns', 'dns', '');

const protocol: fc.Arbitrary<raw.RawProtocol> = fc.oneof(
  fc.tuple(
    fc.constantFrom('tcp', 'tcp', 'udp', 'sctp'),
    fc.oneof<fc.Arbitrary<raw.RawTransport>[]>(
      port.map((number) => ({ destinationPort: { number } })),
      fc.tuple(fc.integer({ min: 1, max: 100 }), fc.constantFrom(1, 8000, 60000)).map(([start, more]) => ({ destinationPort: { range: { start, end: start + more } } })),
      fc.constant({}),
    ),
  ).map(([word, transport]) => ({ [word]: transport })),
  portName.map((destinationNamedPort) => ({ destinationNamedPort })),
);

/** The server of v1alpha1 stores any protocol, and ranges the wrong way round. */
const word = fc.constantFrom('TCP', 'TCP', 'UDP', 'UDP', 'SCTP', 'SCTP', undefined, undefined, 'ICMP');

const adminPort: fc.Arbitrary<raw.RawAdminPort> = fc.oneof(
  fc.tuple(word, port).map(([given, number]) => ({ portNumber: { ...(given === undefined ? {} : { protocol: given }), port: number } })),
  fc.tuple(word, port, port).map(([given, start, end]) => ({ portRange: { ...(given === undefined ? {} : { protocol: given }), start, end } })),
  portName.map((namedPort) => ({ namedPort })),
);

function rules(kind: raw.RawClusterPolicyKind, section: 'ingress' | 'egress'): fc.Arbitrary<readonly raw.RawTierRule[] | null | undefined> {
  const actions = { ClusterNetworkPolicy: ['Accept', 'Deny', 'Pass'], AdminNetworkPolicy: ['Allow', 'Deny', 'Pass'], BaselineAdminNetworkPolicy: ['Allow', 'Deny'] } as const;
  const ports: fc.Arbitrary<object> = kind === 'ClusterNetworkPolicy'
    ? fc.array(protocol, { minLength: 1, maxLength: 2 }).map((protocols) => ({ protocols }))
    : fc.array(adminPort, { minLength: 1, maxLength: 2 }).map((list) => ({ ports: list }));
  const rule = fc
    .record({
      action: fc.constantFrom(...actions[kind]),
      peers: fc.array(peer(kind, section), { minLength: 1, maxLength: 2 }),
      ports: fc.oneof(ports, fc.constant({})),
      name: fc.constantFrom({}, {}, { name: 'a rule' }),
    })
    .map(({ action, peers, ports: given, name }): raw.RawTierRule => ({ ...name, action, [section === 'ingress' ? 'from' : 'to']: peers, ...given }));
  return fc.oneof({ weight: 6, arbitrary: fc.array(rule, { minLength: 1, maxLength: 4 }) }, fc.constantFrom(undefined, null, []));
}

/** Few priorities, so that some are equal. */
const priority = fc.constantFrom(0, 1, 1, 1000);

function spec(kind: raw.RawClusterPolicyKind): fc.Arbitrary<raw.RawTierSpec> {
  const place = {
    ClusterNetworkPolicy: fc.record({ tier: fc.constantFrom('Admin' as const, 'Baseline' as const), priority }),
    AdminNetworkPolicy: fc.record({ priority }),
    BaselineAdminNetworkPolicy: fc.constant({}),
  };
  return fc
    .record({ place: place[kind] as fc.Arbitrary<object>, subject: scope(kind), ingress: rules(kind, 'ingress'), egress: rules(kind, 'egress') })
    .map(({ place: given, subject, ingress, egress }) => ({ ...given, subject, ...(ingress === undefined ? {} : { ingress }), ...(egress === undefined ? {} : { egress }) }));
}

const KINDS = ['ClusterNetworkPolicy', 'ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'] as const;

/** Often none, so that NetworkPolicy alone is seen too; never two BaselineAdminNetworkPolicies. */
export const randomClusterPolicies: fc.Arbitrary<readonly raw.RawClusterPolicy[]> = fc
  .oneof(
    fc.constant([]),
    fc.array(fc.constantFrom(...KINDS).chain((kind) => spec(kind).map((one) => ({ kind, spec: one }))), { minLength: 1, maxLength: 4 }),
  )
  .map((list) =>
    list
      .map(({ kind, spec: one }, index) => ({ kind, name: kind === 'BaselineAdminNetworkPolicy' ? 'default' : `c${index}`, spec: one }))
      .filter(({ name }, index, all) => name !== 'default' || all.findIndex((other) => other.name === name) === index),
  );
