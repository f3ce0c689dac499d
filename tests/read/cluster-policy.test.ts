// Holds the reading of cluster-wide policies against the resource definitions of network-policy-api, and against what fails closed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPolicy, TierPeer, TierPort, TierRule } from '../../src/model/cluster-policy.ts';
import { formatSelector } from '../../src/model/selector.ts';
import type { ReadOptions, ReadResult } from '../../src/read/read.ts';
import { formatFindings, readText } from './reading.ts';

type Kind = ClusterPolicy['kind'];

const HEAD: Readonly<Record<Kind, string>> = {
  ClusterNetworkPolicy: 'tier: Admin, priority: 5, ',
  AdminNetworkPolicy: 'priority: 5, ',
  BaselineAdminNetworkPolicy: '',
};

/** The spec on one line, the sixth of its text. */
function policyText(kind: Kind, spec: string): string {
  const version = kind === 'ClusterNetworkPolicy' ? 'v1alpha2' : 'v1alpha1';
  return `apiVersion: policy.networking.k8s.io/${version}\nkind: ${kind}\nmetadata:\n  name: default\nspec:\n  {${spec}}\n`;
}

function withRule(kind: Kind, section: 'ingress' | 'egress', rule: string): string {
  return policyText(kind, `${HEAD[kind]}subject: {namespaces: {}}, ${section}: [${rule}]`);
}

function formatRule({ action, peers, ports }: TierRule): string {
  const who = peers.kind === 'everybody' ? 'everybody' : peers.peers.map(formatPeer).join(' + ') || 'nobody';
  const what = ports.kind === 'every' ? 'every protocol' : ports.ports.map(formatPort).join(' + ') || 'no port';
  return `${action} ${who}: ${what}`;
}

function formatPeer(peer: TierPeer): string {
  switch (peer.kind) {
    case 'scoped-pods':
      return `ns(${formatSelector(peer.namespaceSelector)})/${formatSelector(peer.podSelector)}`;
    case 'nodes':
      return `nodes(${formatSelector(peer.selector)})`;
    case 'domain-name':
      return peer.pattern;
    case 'ip-block':
      return peer.text;
  }
}

function formatPort(port: TierPort): string {
  switch (port.kind) {
    case 'any-named':
      return port.name;
    case 'protocol':
      return port.protocol;
    case 'named':
      return `${port.protocol} ${port.name}`;
    case 'range':
      return port.first === port.last ? `${port.protocol} ${port.first}` : `${port.protocol} ${port.first}-${port.last}`;
  }
}

function rulesOf({ cluster }: ReadResult): string[] {
  return cluster.clusterPolicies.flatMap(({ ingress, egress }) => [...ingress, ...egress].map(formatRule));
}

/** Codes alone: the places are those of the values, as everywhere. */
function codesOf({ findings }: ReadResult): string[] {
  return findings.map(({ severity, code }) => `${severity} ${code}`);
}

interface RuleCase {
  readonly kind?: Kind;
  readonly section?: 'ingress' | 'egress';
  readonly findings?: readonly string[];
}

/** What a rule means where it is read, the wanted meaning first. */
function means(name: string, expected: string, rule: string, { kind = 'ClusterNetworkPolicy', section = 'egress', findings = [] }: RuleCase = {}): void {
  test(`means: ${name}`, () => {
    const result = readText(withRule(kind, section, rule));
    assert.deepEqual(codesOf(result).filter((text) => !text.endsWith('nodes-not-known')), findings);
    assert.deepEqual(rulesOf(result), [expected]);
  });
}

/** What a server refuses: an error; read leniently, the rule fails closed. */
function refused(name: string, code: string, rule: string, { kind = 'ClusterNetworkPolicy', section = 'egress' }: RuleCase = {}): void {
  test(`refused: ${name}`, () => {
    const strict = readText(withRule(kind, section, rule));
    assert.ok(codesOf(strict).includes(`error ${code}`), codesOf(strict).join());
    const lenient = readText(withRule(kind, section, rule), { lenient: true });
    assert.ok(codesOf(lenient).every((text) => text.startsWith('warning')), codesOf(lenient).join());
    assert.deepEqual(rulesOf(lenient), [/action: A/.test(rule) && code !== 'invalid-value' ? 'Accept nobody: every protocol' : 'Deny everybody: every protocol']);
  });
}

const ALL = '{namespaces: {}}';

// Peers.
means('namespaces', 'Deny ns(everything)/everything: every protocol', `{action: Deny, to: [${ALL}]}`);
means('namespaces by label, in ingress', 'Pass ns(a=b)/everything: every protocol', '{action: Pass, from: [{namespaces: {matchLabels: {a: b}}}]}', { section: 'ingress' });
means('pods without namespaceSelector', 'Accept ns(everything)/a=b: every protocol', '{action: Accept, to: [{pods: {podSelector: {matchLabels: {a: b}}}}]}');
means('pods with a null namespaceSelector', 'Accept ns(everything)/everything: every protocol', '{action: Accept, to: [{pods: {podSelector: {}, namespaceSelector: null}}]}');
means('nodes', 'Deny nodes(!a): every protocol', '{action: Deny, to: [{nodes: {matchExpressions: [{key: a, operator: DoesNotExist}]}}]}');
means('networks, one peer each', 'Deny 10.0.0.0/8 + fd00::/8: every protocol', '{action: Deny, to: [{networks: [10.0.0.0/8, "fd00::/8"]}]}');
means('a network with host bits', 'Deny 10.0.0.0/24: every protocol', '{action: Deny, to: [{networks: [10.0.0.5/24]}]}', { findings: ['warning sloppy-cidr'] });
means('names, in one case', 'Accept *.example.org + www.x.org: every protocol', '{action: Accept, to: [{domainNames: ["*.Example.ORG.", www.x.org]}]}');
means('a null beside the one field', 'Deny ns(everything)/everything: every protocol', '{action: Deny, to: [{namespaces: {}, networks: null}]}');
refused('an empty peer', 'empty-peer', `{action: Deny, to: [{}, ${ALL}]}`);
refused('a peer of nulls', 'empty-peer', '{action: Accept, to: [{namespaces: null}]}');
refused('a null peer', 'wrong-type', `{action: Pass, to: [null, ${ALL}]}`);
refused('two fields in one peer', 'mixed-peer', '{action: Deny, to: [{namespaces: {}, networks: [10.0.0.0/8]}]}');
refused('no peers', 'missing-field', '{action: Deny}');
refused('an empty list of peers', 'empty-list', '{action: Accept, to: []}');
refused('networks in ingress', 'unknown-field', '{action: Deny, from: [{networks: [10.0.0.0/8]}]}', { section: 'ingress' });
refused('a selector of NetworkPolicy', 'unknown-field', '{action: Deny, to: [{podSelector: {}}]}');
refused('a field of early v1alpha1', 'unknown-field', '{action: Deny, from: [{namespaces: {sameLabels: [a]}}]}', { kind: 'AdminNetworkPolicy', section: 'ingress' });
refused('pods without podSelector', 'missing-field', '{action: Accept, to: [{pods: {namespaceSelector: {}}}]}');
refused('v1alpha1 pods without namespaceSelector', 'missing-field', '{action: Deny, to: [{pods: {podSelector: {}}}]}', { kind: 'AdminNetworkPolicy' });
refused('no networks', 'empty-list', '{action: Deny, to: [{networks: []}]}');
refused('26 networks', 'too-many-items', `{action: Deny, to: [{networks: [${Array.from({ length: 26 }, (_, index) => `10.0.${index}.0/24`).join(', ')}]}]}`);
refused('26 peers', 'too-many-items', `{action: Deny, to: [${Array.from({ length: 26 }, () => ALL).join(', ')}]}`);
refused('a network twice', 'duplicate-item', '{action: Deny, to: [{networks: [10.0.0.0/8, 10.0.0.0/8]}]}');
refused('a network with leading zeros', 'invalid-cidr', '{action: Deny, to: [{networks: ["010.0.0.0/8"]}]}');
refused('an IPv4 network inside IPv6', 'invalid-cidr', '{action: Deny, to: [{networks: ["::ffff:10.0.0.0/104"]}]}');
refused('an address alone', 'invalid-cidr', '{action: Deny, to: [{networks: [10.0.0.1]}]}');
refused('a name without a dot', 'invalid-value', '{action: Deny, to: [{domainNames: [localhost]}]}');
refused('names in a BaselineAdminNetworkPolicy', 'unknown-field', '{action: Allow, to: [{domainNames: [a.b]}]}', { kind: 'BaselineAdminNetworkPolicy' });

// What a server stores and nobody understands: a warning, and the rule fails closed also in the strict reading.
means('an unknown operator', 'Accept nobody: every protocol', `{action: Accept, to: [${ALL}, {namespaces: {matchExpressions: [{key: a, operator: Like, values: [b]}]}}]}`, { findings: ['warning invalid-operator'] });
means('an unknown operator in a Pass', 'Deny everybody: every protocol', '{action: Pass, from: [{namespaces: {matchExpressions: [{key: a, operator: Like}]}}]}', { section: 'ingress', findings: ['warning invalid-operator'] });
means('values with Exists', 'Deny everybody: every protocol', '{action: Deny, to: [{nodes: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]}', { findings: ['warning invalid-selector-values'] });
means('a label value that is none', 'Accept nobody: every protocol', '{action: Accept, to: [{namespaces: {matchLabels: {a: "b c"}}}]}', { findings: ['warning invalid-label'] });
means('an empty port name', 'Deny everybody: every protocol', `{action: Pass, to: [${ALL}], protocols: [{destinationNamedPort: ""}]}`, { findings: ['warning invalid-port'] });
means('a protocol word that is none', 'Deny everybody: every protocol', `{action: Deny, to: [${ALL}], ports: [{portNumber: {protocol: ICMP, port: 1}}]}`, { kind: 'AdminNetworkPolicy', findings: ['warning invalid-protocol'] });
means('a Deny of names', 'Deny everybody: every protocol', '{action: Deny, to: [{domainNames: [a.b]}]}', { findings: ['warning domain-name-denied'] });
means('a Pass of names', 'Deny everybody: every protocol', '{action: Pass, to: [{domainNames: [a.b]}]}', { kind: 'AdminNetworkPolicy', findings: ['warning domain-name-denied'] });
refused('a label without value, which the server drops', 'invalid-label', '{action: Accept, to: [{namespaces: {matchLabels: {a: }}}]}');
refused('a null among values', 'invalid-label', '{action: Deny, to: [{namespaces: {matchExpressions: [{key: a, operator: In, values: [null]}]}}]}');
refused('an expression without operator', 'invalid-operator', '{action: Deny, to: [{namespaces: {matchExpressions: [{key: a}]}}]}');

// Ports of ClusterNetworkPolicy.
means('null protocols', 'Deny ns(everything)/everything: every protocol', `{action: Deny, to: [${ALL}], protocols: null}`);
means('numbers and ranges', 'Deny ns(everything)/everything: TCP 80 + UDP 1-9 + SCTP 5', `{action: Deny, to: [${ALL}], protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {range: {start: 1, end: 9}}}}, {sctp: {destinationPort: {number: 5}}}]}`);
means('a named port', 'Deny ns(everything)/everything: http', `{action: Deny, to: [${ALL}], protocols: [{destinationNamedPort: http}]}`);
means('a named port beside a network', 'Deny 10.0.0.0/8: http', '{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: http}]}', { findings: ['warning named-port-beside-addresses'] });
means('tcp: {}', 'Deny ns(everything)/everything: TCP', `{action: Deny, to: [${ALL}], protocols: [{tcp: {}}]}`, { findings: ['warning protocol-without-port'] });
refused('empty protocols', 'empty-list', `{action: Deny, to: [${ALL}], protocols: []}`);
refused('an empty protocol', 'invalid-port', `{action: Accept, to: [${ALL}], protocols: [{}]}`);
refused('two protocols in one', 'invalid-port', `{action: Deny, to: [${ALL}], protocols: [{tcp: {}, udp: {}}]}`);
refused('an unknown protocol', 'unknown-field', `{action: Deny, to: [${ALL}], protocols: [{icmp: {}}]}`);
refused('number and range', 'invalid-port', `{action: Deny, to: [${ALL}], protocols: [{tcp: {destinationPort: {number: 1, range: {start: 1, end: 2}}}}]}`);
refused('start = end', 'invalid-port-range', `{action: Deny, to: [${ALL}], protocols: [{tcp: {destinationPort: {range: {start: 8, end: 8}}}}]}`);
refused('a range without end', 'missing-field', `{action: Deny, to: [${ALL}], protocols: [{tcp: {destinationPort: {range: {start: 8}}}}]}`);
refused('port 0', 'invalid-port', `{action: Deny, to: [${ALL}], protocols: [{tcp: {destinationPort: {number: 0}}}]}`);
refused('a port in quotes', 'wrong-type', `{action: Deny, to: [${ALL}], protocols: [{tcp: {destinationPort: {number: "80"}}}]}`);
refused('ports of v1alpha1', 'unknown-field', `{action: Accept, to: [${ALL}], ports: [{namedPort: http}]}`);

// Ports of v1alpha1.
const ADMIN = { kind: 'AdminNetworkPolicy' } as const;
means('v1alpha1 ports', 'Accept ns(everything)/everything: TCP 80 + UDP 1-9 + http', `{action: Allow, to: [${ALL}], ports: [{portNumber: {port: 80}}, {portRange: {protocol: UDP, start: 1, end: 9}}, {namedPort: http}]}`, ADMIN);
means('start = end', 'Deny ns(everything)/everything: TCP 8', `{action: Deny, to: [${ALL}], ports: [{portRange: {start: 8, end: 8}}]}`, ADMIN);
means('a reversed range', 'Deny ns(everything)/everything: TCP 1', `{action: Deny, to: [${ALL}], ports: [{portRange: {start: 9, end: 8}}, {portNumber: {port: 1}}]}`, { ...ADMIN, findings: ['warning invalid-port-range'] });
refused('v1alpha1 port without number', 'missing-field', `{action: Deny, to: [${ALL}], ports: [{portNumber: {protocol: TCP}}]}`, ADMIN);
refused('protocols of v1alpha2', 'unknown-field', `{action: Allow, to: [${ALL}], protocols: [{tcp: {}}]}`, ADMIN);

// Rules.
means('a Baseline rule', 'Accept ns(everything)/everything: every protocol', `{action: Allow, from: [${ALL}]}`, { kind: 'BaselineAdminNetworkPolicy', section: 'ingress' });
refused('no action', 'missing-field', `{to: [${ALL}]}`);
refused('an action of the other kind', 'invalid-value', `{action: Allow, to: [${ALL}]}`);
refused('Pass in a BaselineAdminNetworkPolicy', 'invalid-value', `{action: Pass, to: [${ALL}]}`, { kind: 'BaselineAdminNetworkPolicy' });
refused('a null rule', 'wrong-type', 'null');
refused('a rule that is text', 'wrong-type', 'deny');

test('100 rules, and one too many, of which all are read', () => {
  const rules = (count: number): string => Array.from({ length: count }, () => `{action: Deny, from: [${ALL}]}`).join(', ');
  const read = (kind: Kind, count: number, options: ReadOptions = {}): ReadResult => readText(withRule(kind, 'ingress', rules(count)), options);
  assert.deepEqual(codesOf(read('AdminNetworkPolicy', 100)), []);
  assert.deepEqual(codesOf(read('ClusterNetworkPolicy', 25)), []);
  for (const [kind, count] of [['AdminNetworkPolicy', 101], ['ClusterNetworkPolicy', 26]] as const) {
    assert.deepEqual(codesOf(read(kind, count)), ['error too-many-items']);
    assert.equal(rulesOf(read(kind, count, { lenient: true })).length, count);
  }
});

test('a section that is no list denies everything where it is read leniently', () => {
  const text = policyText('ClusterNetworkPolicy', 'tier: Admin, priority: 5, subject: {namespaces: {}}, ingress: {action: Accept}');
  assert.deepEqual(codesOf(readText(text)), ['error wrong-type']);
  assert.deepEqual(rulesOf(readText(text, { lenient: true })), ['Deny everybody: every protocol']);
});

// The policy itself: what is not known of it leaves it out, and says so.
for (const [name, code, kind, spec] of [
  ['no tier', 'missing-field', 'ClusterNetworkPolicy', 'priority: 5, subject: {namespaces: {}}'],
  ['a tier in lower case', 'invalid-value', 'ClusterNetworkPolicy', 'tier: admin, priority: 5, subject: {namespaces: {}}'],
  ['no priority', 'missing-field', 'ClusterNetworkPolicy', 'tier: Admin, subject: {namespaces: {}}'],
  ['a priority too high', 'invalid-value', 'AdminNetworkPolicy', 'priority: 1001, subject: {namespaces: {}}'],
  ['a priority below 0', 'invalid-value', 'AdminNetworkPolicy', 'priority: -1, subject: {namespaces: {}}'],
  ['a priority in quotes', 'wrong-type', 'AdminNetworkPolicy', 'priority: "5", subject: {namespaces: {}}'],
  ['no subject', 'missing-field', 'AdminNetworkPolicy', 'priority: 5'],
  ['an empty subject', 'empty-peer', 'AdminNetworkPolicy', 'priority: 5, subject: {}'],
  ['two subjects', 'mixed-peer', 'ClusterNetworkPolicy', 'tier: Admin, priority: 5, subject: {namespaces: {}, pods: {podSelector: {}}}'],
  ['a subject that nobody can read', 'invalid-operator', 'ClusterNetworkPolicy', 'tier: Admin, priority: 5, subject: {namespaces: {matchExpressions: [{key: a, operator: Like}]}}'],
  ['an unknown field in a subject', 'unknown-field', 'AdminNetworkPolicy', 'priority: 5, subject: {namespaces: {matchlabels: {}}}'],
] as const) {
  test(`refused: ${name}`, () => {
    const strict = readText(policyText(kind, spec));
    assert.deepEqual(codesOf(strict), [`error ${code}`]);
    const lenient = readText(policyText(kind, spec), { lenient: true });
    assert.deepEqual(codesOf(lenient).sort(), [`warning ${code}`, 'warning policy-left-out'].sort());
    assert.deepEqual(lenient.cluster.clusterPolicies, []);
  });
}

for (const [name, code, from, into] of [
  ['no spec', 'missing-spec', /spec:[^]*/, ''],
  ['an unknown field in the spec', 'unknown-field', '{tier', '{ingres: [], tier'],
  ['policyTypes', 'unknown-field', '{tier', '{policyTypes: [Ingress], tier'],
  ['a name in capitals', 'invalid-name', 'name: default', 'name: Default'],
  ['no name', 'missing-name', '  name: default\n', ''],
  ['generateName alone', 'missing-name', 'name: default', 'generateName: a-'],
  ['a version that is not read', 'unsupported-policy-kind', 'v1alpha2', 'v1beta1'],
  ['an old kind in the new version', 'unsupported-policy-kind', 'kind: ClusterNetworkPolicy', 'kind: AdminNetworkPolicy'],
] as const) {
  test(`refused: ${name}`, () => {
    const text = withRule('ClusterNetworkPolicy', 'ingress', `{action: Deny, from: [${ALL}]}`).replace(from, into);
    assert.ok(codesOf(readText(text)).includes(`error ${code}`), codesOf(readText(text)).join());
  });
}

test('the BaselineAdminNetworkPolicy has one name, and stands behind its tier', () => {
  const text = policyText('BaselineAdminNetworkPolicy', 'subject: {namespaces: {}}');
  assert.deepEqual(readText(text).cluster.clusterPolicies.map(({ tier, priority }) => `${tier} ${priority}`), ['Baseline 1001']);
  const other = readText(text.replace('default', 'other'));
  assert.deepEqual(codesOf(other), ['error invalid-name']);
  assert.deepEqual(other.cluster.clusterPolicies, []);
});

test('status and metadata of a live object are no fields too many', () => {
  const text = `${policyText('ClusterNetworkPolicy', `${HEAD.ClusterNetworkPolicy}subject: {namespaces: {}}`)}status: {conditions: []}\n`.replace('name: default', 'name: default\n  uid: x\n  generation: 1\n  managedFields: []');
  assert.deepEqual(codesOf(readText(text)), []);
});

const POD = '---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec: {containers: [{name: c, image: i}]}\n';

test('equal priorities over the same pods are said, others are not', () => {
  const policy = (name: string, subject: string, section = 'ingress'): string =>
    `---\n${withRule('ClusterNetworkPolicy', 'ingress', `{action: Deny, from: [${ALL}]}`).replace('name: default', `name: ${name}`).replace('subject: {namespaces: {}}', `subject: ${subject}`).replace('ingress', section).replace('from', section === 'egress' ? 'to' : 'from')}`;
  const web = '{pods: {podSelector: {matchLabels: {app: web}}}}';
  const db = '{pods: {podSelector: {matchLabels: {app: db}}}}';
  const found = readText(POD + policy('a', web) + policy('b', '{namespaces: {}}'));
  assert.deepEqual(formatFindings(found.findings), ['warning equal-priorities 19:27']);
  assert.equal(found.findings[0]?.related?.[0]?.range?.start.line, 12);
  assert.deepEqual(codesOf(readText(POD + policy('a', web) + policy('b', db))), []);
  assert.deepEqual(codesOf(readText(POD + policy('a', web) + policy('b', web, 'egress'))), []);
  assert.deepEqual(codesOf(readText(POD + policy('a', web) + policy('b', web).replace('priority: 5', 'priority: 6'))), []);
});

test('nodes that nobody knows are said', () => {
  const text = withRule('ClusterNetworkPolicy', 'egress', '{action: Deny, to: [{nodes: {}}]}');
  assert.deepEqual(codesOf(readText(text)), ['warning nodes-not-known']);
  const node = '---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n';
  assert.deepEqual(codesOf(readText(text + node)), []);
});

test('the same policy twice is read once, and two that differ are an error', () => {
  const text = withRule('AdminNetworkPolicy', 'ingress', `{action: Deny, from: [${ALL}]}`);
  assert.deepEqual(codesOf(readText(`${text}---\n${text}`)), ['info duplicate-object']);
  assert.deepEqual(codesOf(readText(`${text}---\n${text.replace('Deny', 'Allow')}`)), ['error duplicate-object']);
});
