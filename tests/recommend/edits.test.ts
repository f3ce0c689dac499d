// What recorded flows add to the policies of a file, place by place and layout by layout.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { editPolicies } from '../../src/recommend/edit/edit-policies.ts';
import { planInFiles, type WrittenEdits } from '../../src/report/define/edited-files.ts';

const PODS = ['web', 'api', 'db'].map((name) => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }\nspec: { containers: [{ name: c, image: x }] }\n`).join('---\n');
const HEAD = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: db, namespace: shop }\n';

/** `web db 80` or `web db 53 udp`: a name that is no pod is an address. */
function recordOf(words: string): FlowRecord {
  const [source, target, port, protocol] = words.split(' ') as [string, string, string, string | undefined]; // so they are written here
  const base = { verdict: 'allowed', family: 4, count: 1, openings: 1, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: undefined } as const;
  return { ...base, source: endOf(source), target: endOf(target), protocol: protocol === 'udp' ? 17 : 6, port: Number(port) };
}

function endOf(name: string): FlowEnd {
  const address = parseIpAddress(name);
  if (address !== undefined) return { kind: 'outside', address, names: [], node: undefined, isOwnNode: false };
  return { kind: 'pod', namespace: 'shop', workload: { kind: 'Pod', namespace: 'shop', name }, pod: name, labels: new Map([['app', name]]), namespaceLabels: new Map(), address: undefined };
}

function editText(text: string, flows: readonly string[]): WrittenEdits {
  const table = new FlowTable();
  for (const words of flows) table.add(recordOf(words));
  const { cluster } = readManifests([sourceFromText('p.yaml', text), sourceFromText('pods.yaml', PODS)]);
  return planInFiles(new Map([['p.yaml', text]]), {}, (isEditable) => editPolicies(cluster, [], { table, isEditable }));
}

/** `before` and `after` are the spec below the head, or the whole text. */
function checkEdit({ before, after, flows, head = HEAD }: { readonly before: string; readonly after: string; readonly flows: readonly string[]; readonly head?: string }): void {
  const { edits, changes } = editText(head + before, flows);
  assert.deepEqual(edits.added, []);
  assert.equal(changes[0]?.after, head + after);
}

test('a port goes into the rule that names the same peer, with its comment left where it is', () => {
  const spec = (ports: string): string => `spec:\n  podSelector: { matchLabels: { app: db } }\n  ingress:\n  # the web\n  - from:\n    - podSelector: { matchLabels: { app: web } }\n    ports:\n    - port: 80 # http\n${ports}  # the api\n  - from:\n    - podSelector: { matchLabels: { app: api } }\n    ports:\n    - port: 80\n`;
  checkEdit({ before: spec(''), after: spec('    - protocol: TCP\n      port: 443\n'), flows: ['web db 443', 'web db 80'] });
});

test('a peer goes into the rule that names the same ports', () => {
  const spec = (peers: string): string => `spec: { podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }${peers}], ports: [{ port: 80 }] }] }\n`;
  checkEdit({ before: spec(''), after: spec(', { podSelector: { matchLabels: { app: api } } }'), flows: ['api db 80'] });
});

test('a rule that gets a port gets no peer, which would have the port as well', () => {
  const { edits } = editText(`${HEAD}spec: { podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 80 }] }] }\n`, ['web db 443', 'api db 80']);
  assert.deepEqual(edits.edited.flatMap(({ additions }) => additions.map(({ kind }) => kind)).sort(), ['peers', 'rule']);
});

test('a peer that has the other ports of a rule already may join it, and no other', () => {
  const spec = `spec: { podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }, { ipBlock: { cidr: 198.51.100.0/24 } }], ports: [{ port: 80 }] }, { from: [{ ipBlock: { cidr: 192.0.2.0/24 } }], ports: [{ port: 80 }, { port: 443 }] }] }\n`;
  const kinds = (flow: string): readonly string[] => editText(HEAD + spec, [flow]).edits.edited.flatMap(({ additions }) => additions.map(({ kind }) => kind));
  assert.deepEqual(kinds('web db 443'), ['peers']);
  assert.deepEqual(kinds('api db 443'), ['rule']);
});

test('a section without rules begins one, whether it is written or not', () => {
  const rule = '    - from:\n        - podSelector:\n            matchLabels:\n              app: web\n      ports:\n        - protocol: TCP\n          port: 80\n';
  const start = 'spec:\n  podSelector: { matchLabels: { app: db } }\n';
  checkEdit({ before: `${start}  policyTypes:\n    - Ingress\n`, after: `${start}  policyTypes:\n    - Ingress\n  ingress:\n${rule}`, flows: ['web db 80'] });
  checkEdit({ before: `${start}  ingress: [] # nobody\n`, after: `${start}  ingress:\n${rule.trimEnd()} # nobody\n`, flows: ['web db 80'] });
});

/** Of the same file: nobody talks unless a policy says so. */
const deny = (types: string): string => `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: deny, namespace: shop }\nspec: { podSelector: {}, policyTypes: [${types}] }\n---\n`;

test('a policy of one direction governs the other as well where its pods were isolated there, in the layout that it has', () => {
  const head = deny('Egress') + HEAD;
  const rule = '  egress:\n    - to:\n        - podSelector:\n            matchLabels:\n              app: web\n      ports:\n        - protocol: TCP\n          port: 80\n';
  const block = (types: string, more: string): string => `spec:\n  podSelector: { matchLabels: { app: db } } # the orders\n  policyTypes:\n    - 'Ingress' # who may come\n${types}${more}`;
  checkEdit({ head, before: block('', ''), after: block("    - 'Egress'\n", rule), flows: ['db web 80'] });
  const inner = (types: string, more: string): string => `spec:\n  policyTypes: [Ingress${types}]\n  podSelector: { matchLabels: { app: db } }\n${more}`;
  checkEdit({ head, before: inner('', ''), after: inner(', Egress', rule), flows: ['db web 80'] });
  const implied = 'spec:\n  podSelector: { matchLabels: { app: db } }\n';
  checkEdit({ head, before: implied, after: implied + rule, flows: ['db web 80'] });
  const egress = (types: string, more: string): string => `spec: { podSelector: { matchLabels: { app: db } }, policyTypes: ["Egress"${types}]${more} }\n`;
  checkEdit({ head: deny('Ingress') + HEAD, before: egress('', ''), after: egress(', "Ingress"', ', ingress: [{ from: [ { podSelector: { matchLabels: { app: web } } } ], ports: [ { protocol: TCP, port: 80 } ] }]'), flows: ['web db 80'] });
});

test('a policy of one direction stays so where that isolates somebody, or wakes rules that had no effect', () => {
  const added = (before: string, spec: string): readonly unknown[] => {
    const { edits, changes } = editText(before + HEAD + spec, ['db web 80']);
    return [changes.length, edits.added.length];
  };
  assert.deepEqual(added('', 'spec: { podSelector: { matchLabels: { app: db } } }\n'), [0, 0]);
  for (const asleep of ['egress: [{ to: [{ podSelector: {} }] }]', 'egress: [{}]']) assert.deepEqual(added(deny('Egress'), `spec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], ${asleep} }\n`), [0, 1]);
  assert.deepEqual(added(deny('Egress'), 'spec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress, Ingress] }\n'), [0, 1]);
});

test('a direction that cannot be written leaves the other one to the policy', () => {
  const { edits, changes } = editText(`${deny('Egress')}${HEAD}spec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], egress: [{}] }\n`, ['db web 80', '198.51.100.7 db 80']);
  assert.deepEqual([changes.length, edits.edited.length, edits.added.map(({ draft: { policy } }) => [policy.ingress, policy.egress?.length])], [1, 1, [[undefined, 1]]]);
});

test('lines end as those of the file do', () => {
  const before = `${HEAD}spec:\n  podSelector: { matchLabels: { app: db } }\n  ingress:\n    - from: [{ podSelector: { matchLabels: { app: web } } }]\n      ports:\n        - port: 80\n`.replaceAll('\n', '\r\n');
  checkEdit({ head: '', before, after: `${before}        - protocol: TCP\r\n          port: 443\r\n`, flows: ['web db 443'] });
});

test('a policy that selects another workload as well is let alone, and a new one isolates nobody who was not', () => {
  const both = 'spec: { podSelector: { matchExpressions: [{ key: app, operator: In, values: [web, db] }] }, policyTypes: [Ingress] }\n';
  const { edits, changes } = editText(HEAD + both, ['api db 80']);
  assert.deepEqual(changes, []);
  assert.deepEqual(edits.added.map(({ draft: { policy }, beside }) => [policy.name, policy.ingress?.length, policy.egress, beside.name]), [['db-2', 1, undefined, 'db']]);
});

test('a list that another policy shares by an alias is let alone', () => {
  const list = (words: string): string => `spec: { podSelector: { matchLabels: { app: db } }, ingress: ${words} }\n`;
  const shared = `apiVersion: v1\nkind: List\nitems:\n- ${(HEAD + list('&rules [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 80 }] }]')).trimEnd().replaceAll('\n', '\n  ')}\n- ${(HEAD.replace('name: db', 'name: api') + list('*rules').replace('app: db', 'app: api')).trimEnd().replaceAll('\n', '\n  ')}\n`;
  const { edits, changes } = editText(shared, ['api db 443']);
  assert.deepEqual([changes.length, edits.edited.length, edits.added.length], [0, 0, 1]);
});

test('nothing is added where every flow goes through, nor for what was refused', () => {
  const text = `${HEAD}spec: { podSelector: { matchLabels: { app: db } }, ingress: [{ ports: [{ port: 80 }] }] }\n`;
  const table = new FlowTable();
  for (const record of [recordOf('web db 80'), { ...recordOf('web db 22'), verdict: 'denied' as const }]) table.add(record);
  const { cluster } = readManifests([sourceFromText('p.yaml', text), sourceFromText('pods.yaml', PODS)]);
  const { edited, added, proof } = editPolicies(cluster, [], { table, isEditable: () => true });
  assert.deepEqual([edited, added, proof.wanted, proof.allowed, [...proof.left.keys()]], [[], [], 1, 1, ['denied']]);
});

const DAY_MS = 86_400_000;

/** Each flow on its day, from 0; the files without the rules that nothing needed for two days. */
function takeAway(text: string, flows: readonly (readonly [words: string, firstDay: number, lastDay: number])[]): WrittenEdits {
  const table = new FlowTable();
  for (const [words, first, last] of flows) table.add({ ...recordOf(words), firstSeen: first * DAY_MS, lastSeen: last * DAY_MS });
  const { cluster } = readManifests([sourceFromText('p.yaml', text), sourceFromText('pods.yaml', PODS)]);
  return planInFiles(new Map([['p.yaml', text]]), {}, (isEditable, isRemovable) => editPolicies(cluster, [], { table, isEditable, removal: { stableMs: 2 * DAY_MS, isRemovable } }));
}

function kept({ edits }: WrittenEdits): readonly string[] {
  return edits.removal!.kept.map(({ direction, rule, piece, why }) => `${direction} ${rule} ${piece === undefined ? '' : `${piece.kind} ${piece.index} `}${why}`);
}

const THREE = 'spec:\n  podSelector: { matchLabels: { app: db } }\n  ingress:\n    # the web\n    - from:\n        - podSelector: { matchLabels: { app: web } }\n      ports:\n        - port: 80 # http\n    # the shell\n    # of those who mend it\n    - from:\n        - podSelector: { matchLabels: { app: console } }\n    # the api\n    - from: [{ podSelector: { matchLabels: { app: api } } }]\n';

test('a rule that nothing needed goes with the comments above it, and every flow still goes through', () => {
  const done = takeAway(HEAD + THREE, [['web db 80', 0, 9], ['api db 80', 0, 9]]);
  assert.equal(done.changes[0]?.after, HEAD + THREE.replace(/    # the shell\n.*\n.*\n.*\n/, ''));
  assert.deepEqual([done.edits.removal!.removed.map(({ rule }) => rule), kept(done)], [[1], []]);
});

const ONE = `spec:
  podSelector: { matchLabels: { app: db } }
  ingress:
    - from:
        - podSelector: { matchLabels: { app: web } } # the web
        # the shell
        - podSelector: { matchLabels: { app: console } }
        - ipBlock: { cidr: 192.0.2.0/24 }
      ports:
        # what it was before
        - port: 81
        - port: 80
        - { protocol: UDP, port: 53 }
        - { protocol: TCP, port: 53 }
        - { port: 8000, endPort: 8009 }
`;

test('of a rule that is needed the peers and ports go that nothing needed, with the comments above each; TCP stays beside DNS over UDP, and a range is one port', () => {
  const flows = [['web db 80', 0, 9], ['web db 53 udp', 0, 9], ['192.0.2.7 db 8004', 0, 9]] as const;
  const done = takeAway(HEAD + ONE, flows);
  assert.equal(done.changes[0]?.after, HEAD + ONE.replace(/ +# the shell\n.*\n/, '').replace(/ +# what it was before\n.*\n/, ''));
  assert.deepEqual([done.edits.removal!.removed.map(({ rule, piece }) => [rule, piece?.kind, piece?.index]), kept(done)], [[[0, 'peer', 1], [0, 'port', 0]], []]);
  assert.deepEqual(takeAway(done.changes[0]!.after, flows).edits.removal!.removed, []);
});

test('in a list on one line each goes with its comma, and what another policy shares by an alias stays', () => {
  const flow = (from: string, ports: string): string => `spec: { podSelector: { matchLabels: { app: db } }, ingress: [{ from: [${from}], ports: [${ports}] }] }\n`;
  const [web, shell] = ['{ podSelector: { matchLabels: { app: web } } }', '{ podSelector: { matchLabels: { app: console } } }'];
  assert.equal(takeAway(HEAD + flow(`${shell}, ${web}, ${shell}`, '{ port: 79 }, { port: 80 }, { port: 81 }, { port: 82 }'), [['web db 80', 0, 9]]).changes[0]?.after, HEAD + flow(web, '{ port: 80 }'));
  const shared = `${HEAD}spec:\n  podSelector: { matchLabels: { app: db } }\n  ingress:\n    - ports: &ports [{ port: 80 }, { port: 81 }]\n    - from: [${web}]\n      ports: *ports\n`;
  const done = takeAway(shared, [['web db 80', 0, 9]]);
  assert.deepEqual([done.changes, kept(done)], [[], ['ingress 0 port 1 unwritable', 'ingress 1 port 1 unwritable']]);
});

test('a flow that was refused when it was seen keeps the rule that lets it through now', () => {
  const table = new FlowTable();
  for (const record of [recordOf('web db 80'), { ...recordOf('api db 80'), verdict: 'denied' as const }]) table.add({ ...record, lastSeen: 9 * DAY_MS });
  const { cluster } = readManifests([sourceFromText('p.yaml', HEAD + THREE), sourceFromText('pods.yaml', PODS)]);
  const { removal } = editPolicies(cluster, [], { table, isEditable: () => true, removal: { stableMs: DAY_MS, isRemovable: () => true } });
  assert.deepEqual(removal?.removed.map(({ rule }) => rule), [1]);
});

test('rules stay where a workload shows something new, fell silent, or was never seen', () => {
  assert.deepEqual(kept(takeAway(HEAD + THREE, [['web db 80', 0, 9], ['api db 80', 8, 9]])), ['ingress 1 learning']);
  assert.deepEqual(kept(takeAway(HEAD + THREE, [['web db 80', 0, 1], ['web api 80', 0, 9]])), ['ingress 1 learning', 'ingress 2 learning']);
  assert.deepEqual(kept(takeAway(HEAD + THREE.replace('app: db', 'app: nobody'), [['web db 80', 0, 9]])), ['ingress 0 learning', 'ingress 1 learning', 'ingress 2 learning']);
});

test('a section whose last rule goes still closes, and one that would open by it keeps its rules', () => {
  const section = (words: string): string => `${HEAD}spec:\n  podSelector: { matchLabels: { app: db } }\n${words}`;
  const flows = [['db web 80', 0, 9]] as const;
  const gone = (words: string): string | undefined => takeAway(section(words), flows).changes[0]?.after;
  assert.equal(gone('  ingress:\n    - from:\n        - podSelector: {}\n'), section('  ingress: []\n'));
  assert.equal(gone('  ingress: [{ from: [{ podSelector: {} }] }]\n'), section('  ingress: []\n'));
  assert.equal(gone('  policyTypes: [Egress]\n  egress: [{ ports: [{ port: 1 }] }, { ports: [{ port: 80 }] }, { ports: [{ port: 2 }] }, { ports: [{ port: 3 }] }]\n'), section('  policyTypes: [Egress]\n  egress: [{ ports: [{ port: 80 }] }]\n'));
  const implied = takeAway(section('  egress: [{ ports: [{ port: 1 }] }]\n'), [['web db 80', 0, 9]]);
  assert.deepEqual([implied.changes.length, kept(implied)], [1, ['egress 0 unwritable']]);
});
