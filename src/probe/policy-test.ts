// Reads test files, `kind: PolicyTest`: expectations with their places, and findings where a file is broken.
import * as v from 'valibot';
import { isCollection, isScalar, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import type { Finding } from '../base/finding.ts';
import { nearestWord } from '../base/near-miss.ts';
import type { TextRange } from '../base/source-position.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { Requirement } from '../model/selector.ts';
import type { Assertion } from '../words/assertion.ts';
import { formatAssertion } from '../words/assertion.ts';
import type { EndWord } from '../words/endpoint-words.ts';

export interface PolicyTest {
  /** `metadata.name`, else the file's. */
  readonly name: string;
  readonly file: string;
  readonly expectations: readonly Expectation[];
}

export interface Expectation {
  readonly assertion: Assertion;
  /** As `prove` takes it. */
  readonly sentence: string;
  readonly file: string;
  readonly range: TextRange;
}

export interface PolicyTestFile {
  readonly tests: readonly PolicyTest[];
  /** Errors: nothing of the file may be taken to hold. */
  readonly findings: readonly Finding[];
}

const word = v.lazy((given: unknown) => (typeof given === 'string' ? v.pipe(v.string(), v.nonEmpty()) : podsWord));
const names = v.lazy((given: unknown) => (Array.isArray(given) ? v.pipe(v.array(v.string()), v.nonEmpty()) : v.string()));
const podsFields = { namespace: v.optional(names), except: v.optional(names), labels: v.optional(v.record(v.string(), v.string())) };
const podsWord = v.pipe(v.strictObject(podsFields), v.check((given) => Object.keys(given).length > 0, 'names no pods'));
const isolated = v.lazy((given: unknown) => (typeof given === 'string' ? v.pipe(v.string(), v.nonEmpty()) : v.strictObject({ ...podsFields, direction: v.optional(v.picklist(DIRECTIONS)) })));
const port = v.lazy((given: unknown) => (typeof given === 'number' ? v.pipe(v.number(), v.integer()) : v.string()));
const ports = v.lazy((given: unknown) => (Array.isArray(given) ? v.pipe(v.array(port), v.nonEmpty()) : port));
const connection = v.strictObject({ from: word, to: word, on: v.optional(ports) });
const path = v.strictObject({ from: word, to: word, hops: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))) });
const expectation = v.pipe(
  v.strictObject({ allow: v.optional(connection), deny: v.optional(connection), isolated: v.optional(isolated), noPath: v.optional(path) }),
  v.check((given) => Object.keys(given).length === 1, 'says not exactly one of allow, deny, isolated, noPath'),
);
const policyTest = v.strictObject({
  apiVersion: v.literal('bulkhead/v1'),
  kind: v.literal('PolicyTest'),
  metadata: v.optional(v.looseObject({ name: v.optional(v.string()) })),
  expect: v.pipe(v.array(expectation), v.nonEmpty()),
});

type TestDocument = v.InferOutput<typeof policyTest>;
type ExpectationText = TestDocument['expect'][number];
type WordText = v.InferOutput<typeof word>;
type PortText = v.InferOutput<typeof ports>;

/** Throws for no text whatever. */
export function readPolicyTests(file: string, text: string): PolicyTestFile {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  const read = (Array.isArray(documents) ? documents : []).map((document) => readDocument(document, { file, lines }));
  const result = { tests: read.flatMap(({ tests }) => tests), findings: read.flatMap(({ findings }) => findings) };
  if (result.tests.length > 0 || result.findings.length > 0) return result;
  return { tests: [], findings: [{ code: 'invalid-policy-test', severity: 'error', message: `there is no test in \`${file}\``, file, help: HELP }] };
}

const GUIDE = 'see docs/guide/test.md';
const HELP = 'write apiVersion: bulkhead/v1, kind: PolicyTest and a list `expect`';

interface Place {
  readonly file: string;
  readonly lines: LineCounter;
}

function readDocument(document: Document.Parsed, place: Place): PolicyTestFile {
  const { file } = place;
  if (document.errors.length > 0) {
    const findings = document.errors.map(({ message, pos }): Finding => ({ code: 'yaml-syntax', severity: 'error', message: message.split('\n')[0]!.replace(/ at line .*$/, ''), file, range: rangeOf(place, pos) }));
    return { tests: [], findings };
  }
  if (document.contents === null) return { tests: [], findings: [] };
  const parsed = v.safeParse(policyTest, toData(document));
  if (!parsed.success) return { tests: [], findings: parsed.issues.map((issue) => findingOf(document, issue, place)) };
  const expectations = parsed.output.expect.map((given, index): Expectation => {
    const assertion = assertionOf(given);
    return { assertion, sentence: formatAssertion(assertion), file, range: rangeAt(document, ['expect', index], place) };
  });
  return { tests: [{ name: parsed.output.metadata?.name ?? file, file, expectations }], findings: [] };
}

/** A document with more aliases than anybody writes is refused by the parser; it reads as nothing then. */
function toData(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

function assertionOf({ allow, deny, isolated: subject, noPath }: ExpectationText): Assertion {
  if (allow !== undefined) return { kind: 'allow', ...endsOf(allow), ports: portWords(allow.on) };
  if (deny !== undefined) return { kind: 'deny', ...endsOf(deny), ports: portWords(deny.on) };
  if (noPath !== undefined) return { kind: 'no-path', ...endsOf(noPath), hopsMax: noPath.hops };
  const direction = typeof subject === 'object' && 'direction' in subject ? (subject.direction as Direction | undefined) : undefined;
  return { kind: 'isolated', subject: endWord(subject!), directions: direction === undefined ? DIRECTIONS : [direction] };
}

function endsOf({ from, to }: { readonly from: WordText; readonly to: WordText }): { readonly source: EndWord; readonly target: EndWord } {
  return { source: endWord(from), target: endWord(to) };
}

function endWord(given: WordText): EndWord {
  if (typeof given === 'string') return given;
  const listed = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : typeof value === 'string' ? [value] : value);
  const namespaces = listed(given.namespace);
  const requirements = Object.entries(given.labels ?? {}).map(([key, value]): Requirement => ({ kind: 'In', key, values: [value] }));
  return { namespaces: namespaces.length === 0 || namespaces.includes('*') ? undefined : namespaces, except: listed(given.except), selector: { requirements } };
}

function portWords(given: PortText | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  return (Array.isArray(given) ? given : [given]).map(String);
}

type Issue = v.InferIssue<typeof policyTest>;

function findingOf(document: Document.Parsed, issue: Issue, place: Place): Finding {
  const keys = (issue.path ?? []).map(({ key }) => key as string | number); // valibot gives keys of objects and lists alone here
  const last = keys.at(-1);
  const known = KNOWN_FIELDS[keys.at(-2) as string] ?? KNOWN_FIELDS[typeof keys.at(-2) === 'number' ? 'expectation' : 'test']!;
  const isUnknown = issue.type === 'strict_object' && issue.expected === 'never';
  const isMissing = issue.received === 'undefined';
  const near = isUnknown && typeof last === 'string' ? nearestWord(last, known) : undefined;
  const message = isUnknown ? `unknown field \`${last}\`` : isMissing ? `\`${last}\` is missing` : messageOf(issue, last);
  return {
    code: 'invalid-policy-test',
    severity: 'error',
    message,
    file: place.file,
    range: rangeAt(document, keys, place, isUnknown),
    help: near !== undefined ? `did you mean \`${near}\`?` : isUnknown || isMissing && keys.length > 1 ? `here are ${known.join(', ')}` : keys.length > 1 ? GUIDE : HELP,
  };
}

function messageOf({ type, message, received, expected }: Issue, last: string | number | undefined): string {
  const subject = last === undefined ? 'the document' : typeof last === 'number' ? `entry ${last + 1}` : `\`${last}\``;
  if (type === 'check') return `${subject} ${message}`;
  if (type === 'non_empty') return `${subject} is empty`;
  return `${subject} is ${received}, and ${String(expected).replace(/^Object$/, 'a map').replace(/^Array$/, 'a list')} is wanted`;
}

const PODS = ['namespace', 'except', 'labels'];
const KNOWN_FIELDS: Readonly<Record<string, readonly string[]>> = {
  test: ['apiVersion', 'kind', 'metadata', 'expect'],
  expectation: ['allow', 'deny', 'isolated', 'noPath'],
  allow: ['from', 'to', 'on'],
  deny: ['from', 'to', 'on'],
  noPath: ['from', 'to', 'hops'],
  from: PODS,
  to: PODS,
  isolated: [...PODS, 'direction'],
};

/** Of the node at the path, or of its nearest ancestor; of the key where the field itself is wrong. */
function rangeAt(document: Document.Parsed, path: readonly (string | number)[], place: Place, isKey = false): TextRange {
  for (let length = path.length; length >= 0; length--) {
    const node = (isKey && length === path.length ? keyNode(document, path) : length === 0 ? document.contents : document.getIn(path.slice(0, length), true)) as Node | null | undefined; // `true`: nodes, not values
    if (node?.range) return rangeOf(place, [node.range[0], node.range[1]]);
  }
  return rangeOf(place, [0, 0]);
}

function keyNode(document: Document.Parsed, path: readonly (string | number)[]): Node | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isCollection(parent)) return undefined;
  for (const item of parent.items) {
    if (typeof item === 'object' && item !== null && 'key' in item && isScalar(item.key) && item.key.value === path.at(-1)) return item.key;
  }
  return undefined;
}

function rangeOf({ lines }: Place, [start, end]: readonly [number, number]): TextRange {
  const [first, last] = [lines.linePos(start), lines.linePos(Math.max(start, end))];
  return { start: { line: Math.max(1, first.line), column: Math.max(1, first.col) }, end: { line: Math.max(1, last.line), column: Math.max(1, last.col) } };
}
