// A long list of YAML, read item by item, says what the whole list says, at the same places, or is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { locateOrigin } from '../../src/model/origin.ts';
import { readManifests, type ReadResult } from '../../src/read/read.ts';
import { formatFindings, formatPod, readText } from './reading.ts';

/** BULKHEAD_SEED runs the texts of an earlier failure again. */
function holds<Values extends [unknown, ...unknown[]]>(property: fc.IProperty<Values>, numRuns: number): void {
  const seed = process.env['BULKHEAD_SEED'];
  fc.assert(property, { numRuns: process.env['BULKHEAD_NIGHTLY'] === '1' ? 20 * numRuns : numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
}

/** Texts that look like the structure around them. */
const TRICKY = ['- a', '\n- b: c\n', 'items:\n- x', '# no comment', 'a\n\n\nb\n', ' lead', '"', "'", "it's", '{', '[1', '*x', '&y', '|', '>-', '...', 'kind: List', 'yes', '010', '\t', '\u00e9\u{1f600}', 'x: &a 1', ''];
const text = fc.oneof(fc.constantFrom(...TRICKY), fc.string({ maxLength: 12 }));
const pod = fc.record({ note: text, list: fc.array(text, { maxLength: 3 }), port: fc.integer({ min: 1, max: 65535 }), saysKind: fc.boolean() });
const lists = fc.record({
  pods: fc.array(pod, { minLength: 1, maxLength: 6 }),
  indentSeq: fc.boolean(),
  indent: fc.constantFrom(2, 4),
  style: fc.constantFrom('BLOCK_LITERAL', 'BLOCK_FOLDED', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'PLAIN'),
  lineWidth: fc.constantFrom(0, 30),
  isKindFirst: fc.boolean(),
  isPodList: fc.boolean(),
  comments: fc.array(fc.constantFrom('', '# c', '   # c', '  ', '\t', '#'), { maxLength: 3 }),
  end: fc.constantFrom('\n', '\r\n'),
  lengthMax: fc.integer({ min: 1, max: 400 }),
  chunk: fc.integer({ min: 1, max: 300 }),
  another: fc.boolean(),
});
type List = typeof lists extends fc.Arbitrary<infer Value> ? Value : never;

function yamlOf({ pods, isKindFirst, isPodList, comments, end, style, lineWidth, indent, indentSeq, another }: List): string {
  const items = pods.map(({ note, list, port, saysKind }, index) => ({
    ...(saysKind || !isPodList ? { apiVersion: 'v1', kind: 'Pod' } : {}),
    metadata: { name: `pod-${index}`, annotations: { note } },
    spec: { containers: [{ name: 'c', args: list, ports: [{ containerPort: port }] }] },
  }));
  const kind = { kind: isPodList ? 'PodList' : 'List' };
  const whole = { apiVersion: 'v1', ...(isKindFirst ? kind : {}), items, ...(isKindFirst ? {} : kind), metadata: { resourceVersion: '' } };
  const printed = stringify(whole, { version: '1.1', indent, indentSeq, lineWidth, defaultStringType: style, defaultKeyType: 'PLAIN' });
  // Comments and blank lines stand before an item, where they are none of its text.
  const lines = printed.split('\n');
  const first = lines.findIndex((line) => line === 'items:') + 1;
  const text = [...lines.slice(0, first), ...comments, ...lines.slice(first)].join(end);
  return another ? `${text}---${end}apiVersion: v1${end}kind: Pod${end}metadata: {name: last}${end}` : text;
}

function readIn(text: string, { chunk, lengthMax }: { readonly chunk: number; readonly lengthMax?: number }): ReadResult {
  const bytes = new TextEncoder().encode(text);
  function* chunks(): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  }
  return readManifests([{ name: 'list.yaml', chunks }], lengthMax === undefined ? {} : { fileBytesMax: lengthMax });
}

function said({ cluster, findings }: ReadResult): unknown {
  const named = cluster.pods.map((pod) => ({ pod: formatPod(pod), at: locateOrigin({ document: pod.origin!.document, path: [...pod.origin!.path, 'metadata', 'name'] }) }));
  return { named, findings: findings.map(({ code, message, range }) => ({ code, message, range })) };
}

test('a list that is too long for one document is read as the whole list would be', () => {
  let streamed = 0;
  holds(
    fc.property(lists, (given) => {
      const text = yamlOf(given);
      const whole = readIn(text, { chunk: text.length });
      // Of pieces that are too long themselves only that is said.
      const pieces = readIn(text, { chunk: given.chunk, lengthMax: 300 + given.lengthMax });
      if (pieces.findings.some(({ code }) => code === 'file-too-large')) return;
      assert.deepEqual(said(pieces), said(whole));
      streamed++;
    }),
    400,
  );
  assert.ok(streamed > 10, `${streamed} lists`);
});

/** Bits of YAML put together without sense: what the pieces say without an error, the whole says too. */
const BITS = ['items:', '- ', '- a: 1', '  b: |', '   text', '- c: "x', 'y"', "- d: 'x", "z'", '  e: [1,', '2]', '- *a', '- &a f', '  g: &a h', '  i: *a', 'kind: List', '  ', '#', '...', '? j', ': k', '- - l', '-', '- |', '- >-', '  m', 'items: []', '"items":', '{', '}', 'n: "', '"', '- kind: Pod', '  apiVersion: v1', '  metadata: {name: o}', '\ufeff- p', '- q\r- r', '\t- s', '--t: u', '%YAML 1.1', '- !!str v', '- <<: *a'];

// Few bits often make sense together, many hardly ever.
const bit = fc.constantFrom(...BITS);
const bitLists = fc.oneof(fc.array(bit, { minLength: 1, maxLength: 3 }), fc.array(bit, { minLength: 2, maxLength: 14 }));

test('what is read of the pieces of any text is what the whole says', () => {
  let understood = 0;
  holds(
    fc.property(bitLists, fc.integer({ min: 1, max: 30 }), (bits, lengthMax) => {
      const text = `apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: first}\n${bits.join('\n')}\n`;
      const pieces = readIn(text, { chunk: 40, lengthMax: 70 + lengthMax });
      if (pieces.findings.some(({ severity }) => severity === 'error')) return;
      assert.deepEqual(said(pieces), said(readIn(text, { chunk: text.length })));
      understood++;
    }),
    3000,
  );
  assert.ok(understood > 10, `${understood} texts`);
});

const POD = (name: string): string => `- apiVersion: v1\n  kind: Pod\n  metadata: {name: ${name}, labels: {x: ${'y'.repeat(40)}}}\n`;

function refuses(name: string, expected: readonly string[], text: string): void {
  test(`refused: ${name}`, () => assert.deepEqual(formatFindings(readText(text, { fileBytesMax: 150 }).findings), expected));
}

refuses('an alias out of an item', ['error file-too-large 8:13'], `kind: List\nitems:\n${POD('a').replace('{name', '&m {name')}${POD('b').replace(/metadata: .*/, 'metadata: *m')}${POD('c')}`);
refuses('a list in the flow style', ['error file-too-large 1:1'], `items: [{apiVersion: v1, kind: Pod, metadata: {name: a}}, ${'x'.repeat(200)}]\n`);
refuses('a line `items:` that stands inside of quotes', ['error file-too-large 1:1'], `a: "\nitems:\n${'- b: x\n'.repeat(30)}"\n`);
refuses('an item that is too long itself', ['error file-too-large 6:1'], `kind: List\nitems:\n${POD('a')}- x: ${'x'.repeat(200)}\n`);
refuses('the items twice', ['error yaml-duplicate-key 9:1'], `kind: List\nitems:\n${POD('a')}${POD('b')}items: []\n`);
refuses('a key twice around the items', ['error yaml-duplicate-key 9:1'], `kind: List\nitems:\n${POD('a')}${POD('b')}kind: List\n`);
