// Holds the reading of policies against the table "Reading a NetworkPolicy" of the semantics, row by row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFindings, formatPolicy, policyText, readText } from './reading.ts';

/** What a spec means; the wanted meaning comes first. Nothing may be said beside `findings`. */
function means(name: string, expected: string, spec: string, findings: readonly string[] = []): void {
  test(`means: ${name}`, () => {
    const { cluster, findings: found } = readText(policyText(spec));
    assert.deepEqual(formatFindings(found), findings);
    assert.deepEqual(cluster.policies.map(formatPolicy), [expected]);
  });
}

/** A spec that the server refuses: errors, and no policy in the cluster. */
function refused(name: string, findings: readonly string[], spec: string): void {
  test(`refused: ${name}`, () => {
    const { cluster, findings: found } = readText(policyText(spec));
    assert.deepEqual(formatFindings(found), findings);
    assert.deepEqual(cluster.policies, []);
  });
}

const ALL = '  podSelector: {}\n';

// policyTypes missing, [] or null: Ingress, and Egress when egress has at least one rule.
means('no policyTypes', 'on everything; in []; out free', ALL);
means('policyTypes []', 'on everything; in []; out free', `${ALL}  policyTypes: []\n`);
means('policyTypes null', 'on everything; in []; out free', `${ALL}  policyTypes:\n`, ['warning yaml-cut-off 8:3']);
means('no policyTypes, an egress rule', 'on everything; in []; out [everybody: every port]', `${ALL}  egress: [{}]\n`);
means('no policyTypes, egress []', 'on everything; in []; out free', `${ALL}  egress: []\n`, ['warning section-without-effect 8:3']);
means('policyTypes [], an egress rule', 'on everything; in []; out [everybody: every port]', `${ALL}  policyTypes: []\n  egress: [{}]\n`);
means('policyTypes [Egress]', 'on everything; in free; out []', `${ALL}  policyTypes: [Egress]\n`);
means('a duplicate type', 'on everything; in []; out free', `${ALL}  policyTypes: [Ingress, Ingress]\n`);
refused('three types', ['error invalid-policy-type 8:16'], `${ALL}  policyTypes: [Ingress, Egress, Ingress]\n`);
refused('a type in lower case', ['error invalid-policy-type 8:17'], `${ALL}  policyTypes: [ingress]\n`);
refused('a null type', ['error invalid-policy-type 9:5'], `${ALL}  policyTypes:\n    -\n`);

// A section whose type is not in policyTypes has no effect, but is validated.
means('ingress without its type', 'on everything; in free; out []', `${ALL}  policyTypes: [Egress]\n  ingress: [{}]\n`, ['warning section-without-effect 9:3']);
means('egress without its type', 'on everything; in []; out free', `${ALL}  policyTypes: [Ingress]\n  egress: [{}]\n`, ['warning section-without-effect 9:3']);
refused('a wrong section without effect', ['warning section-without-effect 9:3', 'error invalid-port 9:29'], `${ALL}  policyTypes: [Egress]\n  ingress: [{ports: [{port: 0}]}]\n`);

// podSelector missing or null: every pod, and a finding.
means('no podSelector', 'on everything; in []; out free', '  policyTypes: [Ingress]\n', ['warning missing-pod-selector 6:1']);
means('podSelector null', 'on everything; in []; out free', '  podSelector:\n', ['warning missing-pod-selector 6:1']);

test('means: no spec', () => {
  for (const text of [policyText(''), policyText('').replace('spec:\n', ''), `${policyText('').trimEnd()} null\n`]) {
    const { cluster, findings } = readText(text);
    assert.deepEqual(cluster.policies.map(formatPolicy), ['on everything; in []; out free']);
    assert.deepEqual(formatFindings(findings), ['warning missing-spec 2:7']);
  }
});

// ingress/egress missing or empty, type present: isolated, nothing allowed.
means('empty sections', 'on everything; in []; out []', `${ALL}  policyTypes: [Ingress, Egress]\n  ingress: []\n  egress:\n`);

// A rule {} or null; from/to missing, null or empty: every peer.
means('rule {}', 'on everything; in [everybody: every port]; out free', `${ALL}  ingress:\n  - {}\n`);
means('rule null', 'on everything; in [everybody: every port]; out free', `${ALL}  ingress:\n  -\n`);
means('from null and empty', 'on everything; in [everybody: TCP 80 | everybody: TCP 81]; out free', `${ALL}  ingress:\n  - {from: null, ports: [{port: 80}]}\n  - {from: [], ports: [{port: 81}]}\n`);
means('to null and empty', 'on everything; in []; out [everybody: every port | everybody: every port]', `${ALL}  egress:\n  - to:\n  - to: []\n`);

// A peer {} or null, podSelector: null alone, ipBlock: null: refused.
refused('peer {}', ['error empty-peer 10:7'], `${ALL}  ingress:\n  - from:\n    - {}\n`);
refused('peer null', ['error empty-peer 10:5'], `${ALL}  ingress:\n  - from:\n    -\n`);
refused('podSelector null alone', ['error empty-peer 10:7'], `${ALL}  ingress:\n  - from:\n    - podSelector:\n`);
refused('ipBlock null', ['error empty-peer 10:7'], `${ALL}  egress:\n  - to:\n    - ipBlock:\n`);

// ports missing, null or empty: every port of every protocol.
means('ports null and empty', 'on everything; in [everybody: every port | everybody: every port]; out free', `${ALL}  ingress:\n  - ports:\n  - ports: []\n`);

// A port entry {} or null, or port null: every port of its protocol; protocol missing is TCP.
means('port entries without a port', 'on everything; in [everybody: TCP + TCP + UDP + SCTP]; out free', `${ALL}  ingress:\n  - ports:\n    - {}\n    -\n    - {protocol: UDP, port: null}\n    - {protocol: SCTP, endPort: null}\n`);

// port, endPort: 1-65535, endPort only with a number, equal allowed.
means('ranges', 'on everything; in [everybody: TCP 80-90 + UDP 53 + TCP 1-65535]; out free', `${ALL}  ingress:\n  - ports:\n    - {port: 80, endPort: 90}\n    - {port: 53, endPort: 53, protocol: UDP}\n    - {port: 1, endPort: 65535}\n`);
means('a name', 'on everything; in [everybody: TCP http + UDP dns-udp]; out free', `${ALL}  ingress:\n  - ports: [{port: http}, {port: dns-udp, protocol: UDP}]\n`);
for (const [port, code] of [
  ['0', 'invalid-port'],
  ['65536', 'invalid-port'],
  ['-1', 'invalid-port'],
  ['"80"', 'invalid-port'],
  ['Http', 'invalid-port'],
  ['a--b', 'invalid-port'],
  ['-a', 'invalid-port'],
  ['sixteen-letters-', 'invalid-port'],
  ['""', 'invalid-port'],
  ['80.5', 'wrong-type'],
  ['[80]', 'wrong-type'],
  ['yes', 'wrong-type'],
  ['3000000000', 'wrong-type'],
] as const) {
  refused(`port ${port}`, [`error ${code} 9:20`], `${ALL}  ingress:\n  - ports: [{port: ${port}}]\n`);
}
refused('endPort below port', ['error invalid-port-range 9:33'], `${ALL}  ingress:\n  - ports: [{port: 80, endPort: 79}]\n`);
refused('endPort too large', ['error invalid-port 9:33'], `${ALL}  ingress:\n  - ports: [{port: 80, endPort: 65536}]\n`);
refused('endPort beside a name', ['error invalid-port-range 9:35'], `${ALL}  ingress:\n  - ports: [{port: http, endPort: 90}]\n`);
refused('endPort without port', ['error invalid-port-range 9:23'], `${ALL}  ingress:\n  - ports: [{endPort: 90}]\n`);
refused('endPort in quotes', ['error wrong-type 9:33'], `${ALL}  ingress:\n  - ports: [{port: 80, endPort: "90"}]\n`);
refused('protocol in lower case', ['error invalid-protocol 9:24'], `${ALL}  ingress:\n  - ports: [{protocol: tcp}]\n`);
refused('protocol ICMP', ['error invalid-protocol 9:24'], `${ALL}  ingress:\n  - ports: [{protocol: ICMP}]\n`);

// Peers: podSelector alone is the own namespace; namespaceSelector alone all its pods; both together AND; null is absent.
means('podSelector alone', 'on everything; in [own/app=web: every port]; out free', `${ALL}  ingress:\n  - from:\n    - podSelector: {matchLabels: {app: web}}\n`);
means('namespaceSelector alone', 'on everything; in [ns(team=a)/everything: every port]; out free', `${ALL}  ingress:\n  - from:\n    - namespaceSelector: {matchLabels: {team: a}}\n`);
means('namespaceSelector {}', 'on everything; in [ns(everything)/everything: every port]; out free', `${ALL}  ingress:\n  - from:\n    - namespaceSelector: {}\n`);
means('both in one peer', 'on everything; in [ns(everything)/app=web: every port]; out free', `${ALL}  ingress:\n  - from:\n    - namespaceSelector: {}\n      podSelector: {matchLabels: {app: web}}\n`);
means('namespaceSelector null beside podSelector', 'on everything; in [own/everything: every port]; out free', `${ALL}  ingress:\n  - from:\n    - namespaceSelector:\n      podSelector: {}\n`);
means('two list items', 'on everything; in [ns(team=a)/everything + own/app=web: every port]; out free', `${ALL}  ingress:\n  - from:\n    - namespaceSelector: {matchLabels: {team: a}}\n    - podSelector: {matchLabels: {app: web}}\n`);
refused('ipBlock with a selector', ['error mixed-peer 10:7'], `${ALL}  ingress:\n  - from:\n    - podSelector: {}\n      ipBlock: {cidr: 10.0.0.0/8}\n`);

// except: strictly smaller, inside, same family; entries may overlap, repeat and empty the block.
const block = (cidr: string, except?: string): string => `${ALL}  egress:\n  - to:\n    - ipBlock:\n        cidr: ${cidr}\n${except === undefined ? '' : `        except: [${except}]\n`}`;
const toBlock = (text: string): string => `on everything; in []; out [${text}: every port]`;
means('a block', toBlock('10.0.0.0/8'), block('10.0.0.0/8'));
means('a block of IPv6', toBlock('2001:db8::/32 except 2001:db8:1::/48'), block('2001:db8::/32', '"2001:db8:1::/48"'));
means('except overlapping and repeated', toBlock('10.0.0.0/8 except 10.1.0.0/16, 10.1.0.0/16, 10.1.2.0/24'), block('10.0.0.0/8', '10.1.0.0/16, 10.1.0.0/16, 10.1.2.0/24'));
means('except that empties', toBlock('10.0.0.0/8 except 10.0.0.0/9, 10.128.0.0/9'), block('10.0.0.0/8', '10.0.0.0/9, 10.128.0.0/9'), ['warning ip-block-emptied 12:17']);
means('except null', toBlock('10.0.0.0/8'), block('10.0.0.0/8', '').replace('[]', '~'));
refused('except outside', ['error except-outside-block 12:18'], block('10.0.0.0/8', '11.0.0.0/16'));
refused('except as large', ['error except-outside-block 12:18'], block('10.0.0.0/8', '10.0.0.0/8'));
refused('except of the other family', ['error except-outside-block 12:18'], block('0.0.0.0/0', '"2001:db8::/32"'));
refused('except null entry', ['error invalid-cidr 12:18'], block('10.0.0.0/8', '~'));

// Text of cidr: sloppy forms are accepted with a finding that has the fix.
for (const [written, read, severity] of [
  ['10.0.0.5/24', '10.0.0.0/24', 'warning'],
  ['010.0.0.0/8', '10.0.0.0/8', 'warning'],
  ['10.0.0.0/08', '10.0.0.0/8', 'warning'],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8', 'warning'],
  ['::ffff:10.0.0.0/64', '::/64', 'warning'],
  ['2001:DB8::/32', '2001:db8::/32', 'info'],
  ['2001:db8:0:0:0:0:0:1/128', '2001:db8::1/128', 'info'],
] as const) {
  means(`cidr ${written}`, toBlock(read), block(`"${written}"`), [`${severity} sloppy-cidr 11:15`]);
}
means('::/0 is IPv6 alone', toBlock('::/0'), block('"::/0"'));
for (const written of ['10.0.0.0', '10.0.0.0/33', 'fe80::1%eth0/64', '" 10.0.0.0/8"', '"10.0.0.0/8 "', '""', '256.0.0.0/8', '10.0.0/8', '"2001:db8::1::/64"', '10.0.0.0/-1', '10.0.0.0/8/8', '~']) {
  refused(`cidr ${written}`, ['error invalid-cidr 11:15'], block(written));
}
test('a sloppy cidr brings its edit, quoted as it was', () => {
  const { findings } = readText(policyText(block("'10.0.0.5/24'")));
  assert.deepEqual(findings[0]?.edits, [{ range: { start: { line: 11, column: 15 }, end: { line: 11, column: 28 } }, text: "'10.0.0.0/24'" }]);
});

// matchExpressions.
const expression = (term: string): string => `  podSelector:\n    matchExpressions:\n    - ${term}\n`;
means('In', 'on tier in (a, b); in []; out free', expression('{key: tier, operator: In, values: [a, b]}'));
means('NotIn', 'on tier notin (a); in []; out free', expression('{key: tier, operator: NotIn, values: [a]}'));
means('Exists', 'on tier; in []; out free', expression('{key: tier, operator: Exists}'));
means('DoesNotExist, values []', 'on !tier; in []; out free', expression('{key: tier, operator: DoesNotExist, values: []}'));
means('In [""]', 'on tier=; in []; out free', expression('{key: tier, operator: In, values: [""]}'));
means('a null value', 'on tier=; in []; out free', expression('{key: tier, operator: In, values: [~]}'));
means('a null label', 'on tier=; in []; out free', '  podSelector:\n    matchLabels:\n      tier:\n');
means('all terms AND', 'on app=web, tier; in []; out free', '  podSelector:\n    matchLabels: {app: web}\n    matchExpressions: [{key: tier, operator: Exists}]\n');
means('matchLabels null', 'on everything; in []; out free', '  podSelector:\n    matchLabels:\n    matchExpressions:\n', ['warning yaml-cut-off 9:5']);
refused('In without values', ['error invalid-selector-values 9:7'], expression('{key: tier, operator: In}'));
refused('NotIn with []', ['error invalid-selector-values 9:44'], expression('{key: tier, operator: NotIn, values: []}'));
refused('Exists with values', ['error invalid-selector-values 9:45'], expression('{key: tier, operator: Exists, values: [a]}'));
refused('Gt', ['error invalid-operator 9:29'], expression('{key: tier, operator: Gt, values: ["1"]}'));
refused('in', ['error invalid-operator 9:29'], expression('{key: tier, operator: in, values: [a]}'));
refused('no operator', ['error invalid-operator 9:7'], expression('{key: tier}'));
refused('no key', ['error invalid-label 9:7'], expression('{operator: Exists}'));
refused('null expression', ['error invalid-label 9:5', 'error invalid-operator 9:5'], expression(''));
refused('bad key', ['error invalid-label 9:13'], expression('{key: a/b/c, operator: Exists}'));
refused('bad value', ['error invalid-label 9:42'], expression('{key: tier, operator: In, values: ["a b"]}'));
for (const [name, terms] of [
  ['In and NotIn', '[{key: a, operator: In, values: [x]}, {key: a, operator: NotIn, values: [x]}]'],
  ['two In', '[{key: a, operator: In, values: [x]}, {key: a, operator: In, values: [z]}]'],
  ['Exists and DoesNotExist', '[{key: a, operator: Exists}, {key: a, operator: DoesNotExist}]'],
] as const) {
  test(`contradiction: ${name}`, () => {
    const { cluster, findings } = readText(policyText(`  podSelector:\n    matchExpressions: ${terms}\n`));
    assert.deepEqual(formatFindings(findings), ['warning contradictory-selector 8:5']);
    assert.equal(cluster.policies.length, 1);
  });
}
for (const terms of ['[{key: a, operator: NotIn, values: [x]}, {key: a, operator: DoesNotExist}]', '[{key: a, operator: NotIn, values: [x]}, {key: a, operator: Exists}]', '[{key: a, operator: In, values: [x, z]}, {key: a, operator: NotIn, values: [x]}]']) {
  test(`no contradiction: ${terms}`, () => assert.deepEqual(readText(policyText(`  podSelector:\n    matchExpressions: ${terms}\n`)).findings, []));
}

// Unknown fields, at every level, with the near miss.
for (const [level, at, spec, help] of [
  ['spec', '8:3', `${ALL}  ingres: []\n`, /`ingress`/],
  ['rule', '9:5', `${ALL}  ingress:\n  - form: []\n`, /`from`/],
  ['rule of the other direction', '9:5', `${ALL}  ingress:\n  - to: []\n`, /rule of `egress`/],
  ['peer', '10:7', `${ALL}  ingress:\n  - from:\n    - podselector: {}\n      namespaceSelector: {}\n`, /`podSelector`/],
  ['ports inside a peer', '11:7', `${ALL}  ingress:\n  - from:\n    - podSelector: {}\n      ports: []\n`, /in a rule/],
  ['port', '9:14', `${ALL}  ingress:\n  - ports: [{Port: 80}]\n`, /`port`/],
  ['ipBlock', '11:9', `${ALL}  egress:\n  - to:\n    - ipBlock:\n        excepts: []\n        cidr: 10.0.0.0/8\n`, /`except`/],
  ['selector', '8:5', '  podSelector:\n    matchlabels: {}\n', /`matchLabels`/],
  ['labels without matchLabels', '8:5', '  podSelector:\n    app: web\n', /below `matchLabels`/],
  ['expression', '9:26', '  podSelector:\n    matchExpressions:\n    - {operator: Exists, keys: a, key: a}\n', /`key`|key, operator/],
] as const) {
  test(`unknown field: ${level}`, () => {
    const { cluster, findings } = readText(policyText(spec));
    assert.deepEqual(formatFindings(findings), [`error unknown-field ${at}`]);
    assert.match(findings[0]?.help ?? '', help);
    assert.deepEqual(cluster.policies, []);
  });
}
test('unknown field: of the object and its metadata', () => {
  const text = `${policyText(ALL)}status: {}\n`.replace('  name: web\n', '  name: web\n  label: {}\n');
  assert.deepEqual(formatFindings(readText(text).findings), ['error unknown-field 5:3', 'error unknown-field 9:1']);
});

// Words of YAML 1.1.
refused('a boolean as a label value', ['error yaml-boolean-word 8:24'], '  podSelector:\n    matchLabels: {app: y}\n');
refused('a number as a label value', ['error wrong-type 8:24'], '  podSelector:\n    matchLabels: {app: 010}\n');
means('a boolean key', 'on true=z; in []; out free', '  podSelector:\n    matchLabels: {y: z}\n', ['warning yaml-boolean-word 8:19']);
means('number keys', 'on 8=a, 16=c, 1000=b; in []; out free', '  podSelector:\n    matchLabels: {010: a, 1e3: b, 0x10: c}\n', ['warning yaml-number-key 8:19', 'warning yaml-number-key 8:27', 'warning yaml-number-key 8:35']);
means('a plain number key', 'on 8=a; in []; out free', '  podSelector:\n    matchLabels: {8: a}\n');
means('numbers of ports', 'on everything; in [everybody: TCP 8 + TCP 80 + TCP 80 + TCP 1000 + TCP 80 + TCP 80]; out free', `${ALL}  ingress:\n  - ports: [{port: 010}, {port: 080}, {port: 0x50}, {port: 1_000}, {port: 8e1}, {port: 80.0}]\n`, [20, 33, 46, 60, 75, 88].map((column) => `warning yaml-number-word 9:${column}`));
means('a date is text', 'on b=2001-01-01; in []; out free', '  podSelector:\n    matchLabels: {b: 2001-01-01}\n');

// Duplicate keys are an error.
test('a duplicate key', () => {
  const { cluster, findings } = readText(policyText('  podSelector: {matchLabels: {a: b}}\n  podSelector: {}\n'));
  assert.deepEqual(formatFindings(findings), ['error yaml-duplicate-key 8:3']);
  assert.deepEqual(cluster.policies, []);
});
test('keys that collide as booleans', () => {
  const { findings } = readText(policyText('  podSelector:\n    matchLabels: {yes: a, on: b}\n'));
  assert.deepEqual(formatFindings(findings), ['error yaml-duplicate-key 8:27']);
});

// Shape.
refused('a map where a list belongs', ['error wrong-type 9:5'], `${ALL}  ingress:\n    from: []\n`);
refused('a list where a map belongs', ['error wrong-type 7:16'], '  podSelector: []\n');
refused('text where a list belongs', ['error wrong-type 8:16'], `${ALL}  policyTypes: Ingress\n`);
test('refused: a spec that is a list', () => assert.deepEqual(formatFindings(readText(policyText('- a\n')).findings), ['error wrong-type 7:1']));

for (const [name, code, from, to] of [
  ['no name', 'missing-name 2:7', '  name: web\n', ''],
  ['an empty name', 'missing-name 4:9', 'name: web', 'name: ""'],
  ['a name in capitals', 'invalid-name 4:9', 'name: web', 'name: Web'],
  ['a name that is a number', 'wrong-type 4:9', 'name: web', 'name: 1'],
  ['a namespace with a dot', 'invalid-name 5:14', 'shop', 'a.b'],
  ['extensions/v1beta1', 'removed-api-version 1:13', 'networking.k8s.io/v1', 'extensions/v1beta1'],
  ['a version that never was', 'unknown-kind 1:13', 'networking.k8s.io/v1', 'networking.k8s.io/v2'],
  ['the core group', 'unknown-kind 1:13', 'networking.k8s.io/v1', 'v1'],
  ['a kind nearly right', 'unknown-kind 2:7', 'kind: NetworkPolicy', 'kind: Networkpolicy'],
  ['a policy of Cilium', 'unsupported-policy-kind 2:7', 'networking.k8s.io/v1', 'cilium.io/v2'],
  ['a policy of Calico', 'unsupported-policy-kind 2:7', 'networking.k8s.io/v1', 'projectcalico.org/v3'],
  ['a policy of nobody we know', 'unsupported-policy-kind 2:7', 'networking.k8s.io/v1', 'example.com/v1'],
  ['no kind', 'missing-kind 1:1', 'kind: NetworkPolicy\n', ''],
  ['a kind that is a list', 'wrong-type 2:7', 'kind: NetworkPolicy', 'kind: [NetworkPolicy]'],
  ['an annotation that is a number', 'wrong-type 5:20', '  namespace: shop', '  annotations: {a: 1}'],
  ['the beginning of a name that is a map', 'wrong-type 5:17', '  namespace: shop', '  generateName: {a: b}'],
  ['the beginning of a name in capitals', 'invalid-name 5:17', '  namespace: shop', '  generateName: Web-'],
  ['a generation that is text', 'wrong-type 5:15', '  namespace: shop', '  generation: "1"'],
  ['a time that is a date', 'wrong-type 5:22', '  namespace: shop', '  creationTimestamp: 2026-01-31'],
  ['finalizers that are text', 'wrong-type 5:15', '  namespace: shop', '  finalizers: a'],
  ['an owner that is text', 'wrong-type 5:21', '  namespace: shop', '  ownerReferences: [a]'],
  ['a label that is no label', 'invalid-label 5:15', '  namespace: shop', '  labels: {a: "b c"}'],
] as const) {
  test(`refused: ${name}`, () => {
    const { cluster, findings } = readText(policyText(ALL).replace(from, to));
    assert.deepEqual(formatFindings(findings).map((text) => text.replace(/^error /, '')), [code]);
    assert.deepEqual(cluster.policies, []);
  });
}

test('metadata as a server gives it is taken', () => {
  const given = '  namespace: shop\n  uid: 3f6c\n  resourceVersion: "12"\n  generation: 3000000000\n  generateName: web-\n  creationTimestamp: "2026-01-31T12:00:00Z"\n  deletionTimestamp: null\n  finalizers: [example.com/a]\n  managedFields: [{manager: kubectl}]';
  assert.deepEqual(formatFindings(readText(policyText(ALL).replace('  namespace: shop', given)).findings), []);
});

// Namespaces.
const bare = policyText(ALL).replace('  namespace: shop\n', '');
test('no namespace is `default`', () => assert.equal(readText(bare).cluster.policies[0]?.namespace, 'default'));
test('an empty namespace is the one asked for', () => assert.equal(readText(policyText(ALL).replace('shop', '""'), { defaultNamespace: 'team' }).cluster.policies[0]?.namespace, 'team'));
test('the namespace asked for', () => assert.equal(readText(policyText(ALL), { defaultNamespace: 'shop' }).cluster.policies[0]?.namespace, 'shop'));
test('another namespace than the one asked for', () => {
  const { cluster, findings } = readText(policyText(ALL), { defaultNamespace: 'team' });
  assert.deepEqual(formatFindings(findings), ['error namespace-mismatch 5:14']);
  assert.deepEqual(cluster.policies, []);
});
test('a namespace that is only mentioned has its name as a label', () => {
  const [namespace] = readText(policyText(ALL)).cluster.namespaces;
  assert.equal(namespace?.name, 'shop');
  assert.deepEqual([...(namespace?.labels ?? [])], [['kubernetes.io/metadata.name', 'shop']]);
  assert.equal(namespace?.origin, undefined);
});
test('the name label of a namespace is always its name', () => {
  const { cluster, findings } = readText('apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n    kubernetes.io/metadata.name: other\n    team: a\n');
  assert.deepEqual(formatFindings(findings), ['warning namespace-label-replaced 6:34']);
  assert.deepEqual([...cluster.namespaces[0]!.labels], [['kubernetes.io/metadata.name', 'shop'], ['team', 'a']]);
});

test('origins show the lines of rules, peers and ports', () => {
  const { cluster } = readText(policyText(`${ALL}  ingress:\n  - from:\n    - podSelector: {}\n    ports:\n    - port: 80\n`));
  const rule = cluster.policies[0]!.ingress![0]!;
  const line = (origin: typeof rule.origin): number => origin.document.locate(origin.path).start.line;
  assert.equal(line(rule.origin), 9);
  assert.equal(rule.peers.kind === 'listed' ? line(rule.peers.peers[0]!.origin) : 0, 10);
  assert.equal(rule.ports.kind === 'listed' ? line(rule.ports.ports[0]!.origin) : 0, 12);
});
