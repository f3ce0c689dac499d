// Specs of NetworkPolicies, good and bad, for each row of the table "Reading a NetworkPolicy": a real server and `read` judge them alike.

export interface SpecRow {
  readonly name: string;
  /** What stands behind `spec:`; undefined: there is no `spec`. */
  readonly spec: string | undefined;
}

/** The rule under test and its variants, as flow YAML. */
export const POLICY_SPECS: readonly SpecRow[] = [
  // policyTypes
  row('no types', '{ podSelector: {} }'),
  row('types []', '{ podSelector: {}, policyTypes: [] }'),
  row('types null', '{ podSelector: {}, policyTypes: }'),
  row('both types', '{ podSelector: {}, policyTypes: [Ingress, Egress] }'),
  row('a type twice', '{ podSelector: {}, policyTypes: [Ingress, Ingress] }'),
  row('three types', '{ podSelector: {}, policyTypes: [Ingress, Egress, Ingress] }'),
  row('a type in lower case', '{ podSelector: {}, policyTypes: [ingress] }'),
  row('an unknown type', '{ podSelector: {}, policyTypes: [Both] }'),
  row('a null type', '{ podSelector: {}, policyTypes: [null] }'),
  row('types as text', '{ podSelector: {}, policyTypes: Ingress }'),
  row('a section without its type', '{ podSelector: {}, policyTypes: [Egress], ingress: [{}] }'),
  row('a wrong section without its type', '{ podSelector: {}, policyTypes: [Egress], ingress: [{ ports: [{ port: 0 }] }] }'),
  // podSelector, spec
  row('no spec', undefined),
  row('spec null', 'null'),
  row('spec {}', '{}'),
  row('no podSelector', '{ policyTypes: [Ingress] }'),
  row('podSelector null', '{ podSelector: null }'),
  row('podSelector a list', '{ podSelector: [] }'),
  row('spec a list', '[]'),
  // rules and peers
  ...sections('ingress', ['null', '[]', '[null]', '[{}]', '{}', '[[]]', 'text']),
  ...peers(['null', '[]', '[{}]', '[null]', '{}', '[{ podSelector: null }]', '[{ namespaceSelector: null }]', '[{ ipBlock: null }]', '[{ podSelector: {} }]', '[{ namespaceSelector: {} }]']),
  ...peers(['[{ podSelector: {}, namespaceSelector: {} }]', '[{ podSelector: {}, namespaceSelector: null }]', '[{ podSelector: {}, ipBlock: { cidr: 10.0.0.0/8 } }]', '[{ namespaceSelector: {}, ipBlock: { cidr: 10.0.0.0/8 } }]', '[{ podSelector: {}, ipBlock: null }]']),
  ...peers(['[{ ipBlock: {} }]', '[{ ipBlock: { except: [10.0.0.0/8] } }]', '[text]']),
  // ports
  ...ports(['null', '[]', '[{}]', '[null]', '{}', '[{ port: null }]', '[{ protocol: null }]', '[{ protocol: TCP }]', '[{ protocol: tcp }]', "[{ protocol: '' }]", '[{ protocol: ICMP }]', '[{ protocol: SCTP, port: 1 }]']),
  ...ports(['[{ port: 0 }]', '[{ port: 1 }]', '[{ port: 65535 }]', '[{ port: 65536 }]', '[{ port: -1 }]', "[{ port: '80' }]", '[{ port: 80.5 }]', '[{ port: 80.0 }]', '[{ port: 1e2 }]', '[{ port: 010 }]', '[{ port: 0x50 }]', '[{ port: true }]', '[{ port: [80] }]', '[{ port: 99999999999 }]']),
  ...ports(['[{ port: http }]', '[{ port: HTTP }]', '[{ port: h--p }]', '[{ port: -http }]', '[{ port: http- }]', "[{ port: '8' }]", '[{ port: a23456789012345 }]', '[{ port: a234567890123456 }]', "[{ port: '' }]", '[{ port: a_b }]', '[{ port: 8-a }]']),
  ...ports(['[{ port: 1, endPort: 2 }]', '[{ port: 2, endPort: 2 }]', '[{ port: 2, endPort: 1 }]', '[{ endPort: 2 }]', '[{ port: http, endPort: 90 }]', "[{ port: 1, endPort: '2' }]", '[{ port: 1, endPort: 65535 }]', '[{ port: 1, endPort: 65536 }]', '[{ port: 1, endPort: 0 }]', '[{ port: 1, endPort: null }]', '[{ port: 1, endPort: 2.5 }]']),
  // ipBlock
  ...blocks(['10.0.0.0/8', '10.0.0.5/24', '010.0.0.0/8', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0/8', '256.0.0.0/8', "' 10.0.0.0/8'", "''", 'null', '10.0.0.0/08', '0.0.0.0/0', '10.0.0.0/8/8', '1']),
  ...blocks(["'::/0'", "'2001:db8::/32'", "'2001:db8::1/32'", "'fe80::1%eth0/64'", "'::ffff:10.0.0.0/104'", "'::ffff:10.0.0.0/95'", "'::ffff:0a00:0/104'", "'2001:db8::/129'", "'[::]/0'", "'2001:DB8::/32'", "'1:2:3:4:5:6:7:8/128'", "'1:2:3:4:5:6:7/128'", "'::1::/64'"]),
  ...excepts('10.0.0.0/8', ['null', '[]', '[10.1.0.0/16]', '[10.1.0.0/16, 10.1.0.0/16]', '[10.0.0.0/9, 10.128.0.0/9]', '[10.0.0.0/8]', '[10.0.0.0/7]', '[11.0.0.0/16]', '[10.1.0.0]', "['::/8']", '[null]', "['']", '[10.1.0.5/16]', '[010.1.0.0/16]', "['::ffff:10.1.0.0/112']", '10.1.0.0/16']),
  ...excepts("'2001:db8::/32'", ["['2001:db8:1::/48']", "['2001:db8::/32']", '[10.0.0.0/8]', "['::/0']"]),
  ...excepts("'::/0'", ['[10.0.0.0/8]', "['::ffff:10.0.0.0/104']", "['fd00::/8']"]),
  ...excepts("'::ffff:10.0.0.0/104'", ['[10.1.0.0/16]', "['::ffff:10.1.0.0/112']"]),
  // selectors
  ...selectors(['{ matchLabels: {} }', '{ matchLabels: null }', '{ matchLabels: { a: b } }', "{ matchLabels: { a: '' } }", '{ matchLabels: { a: null } }', '{ matchLabels: { a: 1 } }', '{ matchLabels: { a: yes } }', '{ matchLabels: { y: z } }', '{ matchLabels: { 010: z } }', '{ matchLabels: [a] }']),
  ...selectors(['{ matchLabels: { a: -b } }', '{ matchLabels: { a: b c } }', `{ matchLabels: { a: ${'b'.repeat(63)} } }`, `{ matchLabels: { a: ${'b'.repeat(64)} } }`, `{ matchLabels: { ${'a'.repeat(63)}: b } }`, `{ matchLabels: { ${'a'.repeat(64)}: b } }`, '{ matchLabels: { a.example/b: c } }', '{ matchLabels: { A.example/b: c } }', '{ matchLabels: { a/b/c: d } }', "{ matchLabels: { '/b': c } }", "{ matchLabels: { 'a/': c } }", "{ matchLabels: { '': c } }", '{ matchLabels: { -a: c } }']),
  ...expressions(['null', '[]', '[null]', '[{}]', '[{ key: a }]', '[{ key: a, operator: In, values: [b] }]', '[{ key: a, operator: In, values: [] }]', '[{ key: a, operator: In }]', '[{ key: a, operator: NotIn, values: [b, c] }]', '[{ key: a, operator: NotIn }]', "[{ key: a, operator: In, values: [''] }]"]),
  ...expressions(['[{ key: a, operator: Exists }]', '[{ key: a, operator: Exists, values: [] }]', '[{ key: a, operator: Exists, values: [b] }]', '[{ key: a, operator: DoesNotExist }]', '[{ key: a, operator: DoesNotExist, values: [b] }]', "[{ key: a, operator: Gt, values: ['1'] }]", '[{ key: a, operator: in, values: [b] }]', '[{ operator: Exists }]', "[{ key: '', operator: Exists }]", '[{ key: a, operator: In, values: [-b] }]', '[{ key: a, operator: In, values: [1] }]', '[{ key: a, operator: In, values: b }]', '[{ key: a, operator: In, values: [b] }, { key: a, operator: NotIn, values: [b] }]']),
  // unknown fields, duplicate keys, shape
  row('an unknown field of the spec', '{ podSelector: {}, ingres: [] }'),
  row('an unknown field of a rule', '{ podSelector: {}, ingress: [{ form: [] }] }'),
  row('an unknown field of a peer', '{ podSelector: {}, ingress: [{ from: [{ pods: {} }] }] }'),
  row('to in an ingress rule', '{ podSelector: {}, ingress: [{ to: [] }] }'),
  row('an unknown field of a port', '{ podSelector: {}, ingress: [{ ports: [{ number: 80 }] }] }'),
  row('an unknown field of a selector', '{ podSelector: { app: web } }'),
  row('an unknown field of an expression', '{ podSelector: { matchExpressions: [{ key: a, operator: Exists, value: b }] } }'),
  row('an unknown field of a block', '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, exept: [] } }] }] }'),
  row('a field in another case', '{ PodSelector: {} }'),
  row('a key twice', '{ podSelector: { matchLabels: { a: b } }, podSelector: {} }'),
  row('a label twice', '{ podSelector: { matchLabels: { a: b, a: c } } }'),
];

function row(name: string, spec: string | undefined): SpecRow {
  return { name, spec };
}

function sections(section: string, values: readonly string[]): SpecRow[] {
  return values.map((value) => row(`${section}: ${value}`, `{ podSelector: {}, ${section}: ${value} }`));
}

/** Each one as `from` of an ingress rule and as `to` of an egress rule. */
function peers(values: readonly string[]): SpecRow[] {
  return values.flatMap((value) => [row(`from: ${value}`, `{ podSelector: {}, ingress: [{ from: ${value} }] }`), row(`to: ${value}`, `{ podSelector: {}, egress: [{ to: ${value} }] }`)]);
}

function ports(values: readonly string[]): SpecRow[] {
  return values.flatMap((value) => [row(`ports: ${value}, in`, `{ podSelector: {}, ingress: [{ ports: ${value} }] }`), row(`ports: ${value}, out`, `{ podSelector: {}, egress: [{ ports: ${value} }] }`)]);
}

function blocks(values: readonly string[]): SpecRow[] {
  return values.map((value) => row(`cidr: ${value}`, `{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: ${value} } }] }] }`));
}

function excepts(cidr: string, values: readonly string[]): SpecRow[] {
  return values.map((value) => row(`cidr: ${cidr}, except: ${value}`, `{ podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: ${cidr}, except: ${value} } }] }] }`));
}

/** Each one as `podSelector` of the policy and of a peer. */
function selectors(values: readonly string[]): SpecRow[] {
  return values.flatMap((value) => [row(`selector: ${value}`, `{ podSelector: ${value} }`), row(`peer: ${value}`, `{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: ${value} }] }] }`)]);
}

function expressions(values: readonly string[]): SpecRow[] {
  return values.map((value) => row(`matchExpressions: ${value}`, `{ podSelector: { matchExpressions: ${value} } }`));
}
