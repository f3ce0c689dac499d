// Files, streams and lists: where documents begin and end, and what is said of those that cannot be read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifests, sourceFromText, type ReadResult } from '../../src/read/read.ts';
import { formatFindings, policyText, readText } from './reading.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\n';
const pod = (name: string): string => POD.replace('NAME', name);
const jsonPod = (name: string): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name } });

function namesOf({ cluster }: ReadResult): string[] {
  return cluster.pods.map(({ name }) => name);
}

function reads(name: string, expected: readonly string[], text: string, findings: readonly string[] = []): void {
  test(name, () => {
    const result = readText(text);
    assert.deepEqual(formatFindings(result.findings), findings);
    assert.deepEqual(namesOf(result), expected);
  });
}

reads('documents', ['a', 'b'], `${pod('a')}---\n${pod('b')}`);
reads('separators with comments, blanks, empty and comment-only documents', ['a', 'b'], `---\n# only\n---\n${pod('a')}--- # next\n\n---   \n~\n---\n${pod('b')}...\n`);
reads('Windows line ends', ['a', 'b'], `${pod('a')}---\n${pod('b')}`.replaceAll('\n', '\r\n'));
reads('a byte order mark', ['a', 'b'], `\ufeff${pod('a')}---\n\ufeff${pod('b')}`);
reads('no line break at the end', ['a'], pod('a').trimEnd());
reads('a List', ['a', 'b'], 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, metadata: {name: b}}\n');
reads('a List with a map in place of its items', [], 'apiVersion: v1\nkind: List\nitems:\n  apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n', ['error wrong-type 4:3']);
reads('a List of JSON with a map in place of its items', [], '{"apiVersion": "v1", "kind": "List", "items": {"kind": "Pod"}}', ['error wrong-type 1:47']);
reads('a List whose items are misspelt', [], 'apiVersion: v1\nkind: PodList\nitem:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n', ['error unknown-field 3:1']);
reads('a PodList whose items say no kind', ['a'], 'apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n');
reads('an empty List', [], 'apiVersion: v1\nkind: List\nitems: []\n---\napiVersion: v1\nkind: List\n', []);
reads('anchors and merge keys', ['a'], 'apiVersion: v1\nkind: &k Pod\nmetadata: {<<: {name: a}}\nx: *k\n');
reads('JSON', ['a'], JSON.stringify(jsonPod('a')));
reads('JSON values one behind the other', ['a', 'b', 'c'], ['a', 'b', 'c'].map((name) => JSON.stringify(jsonPod(name))).join('\n'));
reads('JSON and then YAML', ['a', 'b'], `${JSON.stringify(jsonPod('a'))}\n---\n${pod('b')}`);
reads('JSON between YAML', ['a', 'b'], `${pod('a')}---\n${JSON.stringify(jsonPod('b'), null, '\t')}\n`);
reads('YAML that begins with a brace', ['a'], '{apiVersion: v1, kind: Pod, metadata: {name: a}}\n');
reads('a list of JSON', ['a', 'b'], JSON.stringify({ apiVersion: 'v1', items: [jsonPod('a'), jsonPod('b')], kind: 'List' }, null, 2));
reads('a PodList of JSON whose kind comes last', ['a'], JSON.stringify({ apiVersion: 'v1', items: [{ metadata: { name: 'a' } }], kind: 'PodList' }));
reads('keys like those of every object', ['a'], `${pod('a')}__proto__: {x: 1}\nconstructor: 1\ntoString: []\nhasOwnProperty: 1\n`);

// What cannot be read.
reads('an error in one document hides no other', ['b'], `a: [1\n---\n${pod('b')}`, ['error yaml-syntax 2:1']);
reads('text behind ---', ['a'], `${pod('a')}--- x\n`, ['error yaml-syntax 4:4']);
reads('text behind ...', [], `${pod('a')}...\n${pod('b')}`, ['error yaml-syntax 5:1']);
reads('a tab', [], 'a:\n\tb: 1\n', ['error yaml-tab 2:1']);
reads('a typographic dash', [], 'a:\n- b\n\u2014 c\n', ['error yaml-typographic-dash 3:1']);
reads('bad indentation', [], 'a: 1\n  b: 2\n', ['error yaml-indentation 2:4']);
reads('a template', [], 'a: {{ .Values.x }}\n', ['error yaml-syntax 1:4']);
reads('a control character', [], 'a: b # \u0007\n', ['error yaml-syntax 1:8']);
reads('an alias that contains itself', [], 'a: &a\n  b: *a\n', ['error yaml-alias 2:6']);
reads('an alias without an anchor', [], 'a: *b\n', ['error yaml-alias 1:4']);
reads('an alias bomb', [], `a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(10)}]\n`).join('')}`, ['error yaml-alias 4:20']);
reads('a chain of aliases', [], `a0: &a0 []\n${Array.from({ length: 600 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}]\n`).join('')}`, ['error yaml-alias 299:14']);
reads('deep nesting', [], `a: ${'['.repeat(100_000)}`, ['error yaml-syntax 1:503']);
reads('deep nesting of JSON', [], `{"a": ${'['.repeat(100_000)}`, ['error json-syntax 1:1']);
reads('a duplicate key in JSON', [], '{"apiVersion": "v1", "kind": "Pod",\n "metadata": {"name": "a", "name": "b"}}', ['error yaml-duplicate-key 2:28']);
reads('JSON that ends in the middle', [], '{"apiVersion": "v1", "kind": "Po', ['error json-syntax 1:1']);
reads('a list of JSON that ends in the middle', ['a'], '{"kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}, ', ['error json-syntax 1:28']);
reads('a comma too many in a list of JSON', ['a'], '{"kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}},\n]}', ['error json-syntax 2:1']);
reads('a document that is no object', [], 'hello\n', ['error missing-kind 1:1']);
reads('an item that is no object', ['a'], 'kind: List\nitems:\n-\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n', ['error missing-kind 3:1']);
reads('nothing at all', [], '# nothing\n', ['error no-objects']);
reads('the same kind is named once', [], 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\n', ['info object-not-read 2:7']);

test('bytes that are not UTF-8', () => {
  const head = new TextEncoder().encode(`${pod('a')}---\nx: \u00e9`);
  const result = readManifests([{ name: 'x.yaml', chunks: () => [Uint8Array.of(...head, 0xff, 0x0a)] }]);
  assert.deepEqual(formatFindings(result.findings), ['error invalid-utf8 5:5']);
  assert.deepEqual(namesOf(result), ['a']);
  assert.match(result.findings[0]!.message, new RegExp(`^byte ${head.length} `));
});

test('a document over the limit', () => {
  const result = readText(`${pod('a')}---\nx: ${'y'.repeat(1000)}\n---\n${pod('b')}`, { fileBytesMax: 500 });
  assert.deepEqual(formatFindings(result.findings), ['error file-too-large 5:1']);
  assert.deepEqual(namesOf(result), ['a', 'b']);
});

test('a list of JSON over the limit is read item by item', () => {
  const names = Array.from({ length: 200 }, (_, n) => `p${n}`);
  const text = JSON.stringify({ kind: 'List', items: names.map(jsonPod) });
  assert.ok(text.length > 10_000);
  const bytes = new TextEncoder().encode(text);
  for (const size of [7, 64, 1000, bytes.length]) {
    const chunks = function* (): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
    };
    const result = readManifests([{ name: '-', chunks }], { fileBytesMax: 2000 + size });
    assert.deepEqual(result.findings, []);
    assert.deepEqual(namesOf(result).sort(), [...names].sort());
  }
  assert.deepEqual(formatFindings(readText(text, { fileBytesMax: 50 }).findings), ['error file-too-large 1:25']);
});

test('the pieces in which a file comes change nothing', () => {
  const text = `\ufeff${policyText('  podSelector: {}\n  egress: [{to: [{}]}]\n')}---\n# é 😀\n${pod('a')}`;
  const bytes = new TextEncoder().encode(text);
  const whole = readManifests([sourceFromText('x', text)]);
  for (const size of [1, 2, 3, 5, 11]) {
    const chunks = function* (): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
    };
    const pieces = readManifests([{ name: 'x', chunks }]);
    assert.deepEqual(formatFindings(pieces.findings), formatFindings(whole.findings));
    assert.deepEqual(namesOf(pieces), namesOf(whole));
  }
});

test('places in lists and later documents are those of the file', () => {
  const policy = (ports: string): object => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'p' }, spec: { podSelector: {}, ingress: [{ ports: [{ port: ports }] }] } });
  const pretty = JSON.stringify({ kind: 'List', items: [jsonPod('é😀'), policy('80')] }, null, 1);
  const compact = JSON.stringify({ kind: 'List', items: [jsonPod('é😀'), policy('80')] });
  const yaml = `# é\n---\nkind: List\nitems:\n- ${JSON.stringify(jsonPod('a'))}\n- ${JSON.stringify(policy('80'))}\n`;
  for (const text of [pretty, compact, yaml]) {
    const { findings } = readText(text);
    const found = findings.find(({ code }) => code === 'invalid-port');
    const at = text.indexOf('"80"');
    const line = text.slice(0, at).split('\n').length;
    const start = { line, column: at - text.lastIndexOf('\n', at) };
    assert.deepEqual(found?.range, { start, end: { line, column: start.column + 4 } });
  }
});

test('a lenient reading says what it leaves out', () => {
  const result = readText(`a: [1\n---\n${pod('b')}---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x}\n`, { lenient: true });
  assert.deepEqual(formatFindings(result.findings), ['warning yaml-syntax 2:1', 'warning unsupported-policy-kind 8:7']);
  assert.ok(result.findings.every(({ message }) => /the answer/.test(message)));
  assert.deepEqual(namesOf(result), ['b']);
});

test('a lenient reading never opens a peer or a port that it cannot understand', () => {
  const { cluster, findings } = readText(policyText('  podSelector: {}\n  ingress:\n  - from: [{}]\n  - from: [{podSelector: {matchLabels: {a: 1}}}, {ipBlock: {cidr: x}}]\n  - from: {}\n  - ports: [{port: 0}]\n  - ports: 80\n  - []\n'), { lenient: true });
  assert.ok(findings.every(({ severity }) => severity === 'warning'));
  const rules = cluster.policies[0]!.ingress!;
  assert.deepEqual(rules.map(({ index, peers, ports }) => [index, peers.kind === 'listed' ? peers.peers.length : 'all', ports.kind === 'listed' ? ports.ports.length : 'all']), [
    [0, 0, 'all'],
    [1, 0, 'all'],
    [2, 0, 'all'],
    [3, 'all', 0],
    [4, 'all', 0],
  ]);
});

test('a lenient reading drops unknown fields as the server does, and says which way that moves', () => {
  const { cluster, findings } = readText(policyText('  podSelector: {}\n  ingress:\n  - form: []\n'), { lenient: true });
  assert.equal(cluster.policies[0]!.ingress![0]!.peers.kind, 'everybody');
  assert.match(findings[0]!.message, /every peer/);
});
