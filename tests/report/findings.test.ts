// Findings as text, JSON, workflow commands, SARIF, JUnit and TAP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../src/base/finding.ts';
import { sarifLog } from '../../src/report/findings/finding-sarif.ts';
import { countFindings, findingText } from '../../src/report/findings/finding-text.ts';
import { formatFindings, type FindingFormat } from '../../src/report/report.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';

const FINDING: Finding = {
  code: 'invalid-port',
  severity: 'error',
  message: 'port 70000 is out of range',
  file: 'a b.yaml',
  range: { start: { line: 2, column: 9 }, end: { line: 2, column: 14 } },
  object: { kind: 'NetworkPolicy', namespace: 'shop', name: 'web' },
  related: [{ message: 'selected here', file: 'a b.yaml', range: { start: { line: 1, column: 1 }, end: { line: 1, column: 2 } } }],
  help: 'ports go from 1 to 65535',
};

const LINES = ['ports:', '- port: 70000'];

function text(finding: Finding, lines: readonly string[] = LINES, widthColumns = 80): string {
  return findingText(finding, { style: PLAIN_STYLE, widthColumns, lineOf: (_, line) => lines[line - 1] });
}

test('text shows the place, the line, a caret under it and what to do', () => {
  assert.equal(
    text(FINDING),
    `a b.yaml:2:9: error[invalid-port]: port 70000 is out of range
  2 | - port: 70000
    |         ^^^^^
  also: a b.yaml:1:1: selected here
  help: ports go from 1 to 65535
`,
  );
});

test('a finding without a place is one line', () => {
  assert.equal(text({ code: 'no-objects', severity: 'warning', message: 'nothing was read' }), 'warning[no-objects]: nothing was read\n');
});

test('a long line is cut around the caret', () => {
  const line = `${'x'.repeat(500)}70000${'y'.repeat(500)}`;
  const range = { start: { line: 1, column: 501 }, end: { line: 1, column: 506 } };
  const [, shown = '', caret = ''] = text({ ...FINDING, range }, [line], 60).split('\n');
  assert.ok(shown.length <= 60, shown);
  assert.equal(shown.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1), '70000');
});

test('what stands in a file cannot steer the terminal', () => {
  const range = { start: { line: 1, column: 5 }, end: { line: 1, column: 6 } };
  const [head, line, caret] = text({ ...FINDING, message: 'name \u001b[2Jx\u202e', range }, ['a:\u001b\tb'], 80).split('\n');
  assert.equal(head, 'a b.yaml:1:5: error[invalid-port]: name \\u001b[2Jx\\u202e');
  assert.equal(line, '  1 | a:\\u001b b');
  assert.equal(caret, '    |          ^');
});

test('a range over several lines is marked to the end of its first line', () => {
  const range = { start: { line: 1, column: 3 }, end: { line: 9, column: 1 } };
  assert.equal(text({ ...FINDING, range }, ['abcdef']).split('\n')[2], '    |   ^^^^');
});

test('counts are words', () => {
  assert.equal(countFindings([FINDING, FINDING, { ...FINDING, severity: 'info' }]), '2 errors, 1 info');
  assert.equal(countFindings([]), '');
});

function formatted(format: FindingFormat, findings: readonly Finding[]): string {
  return [...formatFindings(format, findings, { style: PLAIN_STYLE, widthColumns: 80, lineOf: () => undefined, version: '1.2.3', files: ['clean.yaml'] })].join('');
}

test('github escapes what would end a command', () => {
  const finding: Finding = { ...FINDING, file: 'a,b:c%.yaml', message: '50%\nmore' };
  assert.equal(
    formatted('github', [finding]),
    '::error file=a%2Cb%3Ac%25.yaml,line=2,endLine=2,col=9,endColumn=14,title=invalid-port::50%25%0Amore%0Aports go from 1 to 65535\n',
  );
});

test('json has the fields of the contract in its order', () => {
  const { findings } = JSON.parse(formatted('json', [FINDING])) as { findings: readonly object[] };
  assert.deepEqual(Object.keys(findings[0]!), ['code', 'severity', 'message', 'file', 'range', 'object', 'related', 'help']);
});

interface SarifResult {
  readonly ruleId: string;
  readonly level: string;
  readonly locations: readonly { readonly physicalLocation: unknown }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

function sarifResults(findings: readonly Finding[]): readonly SarifResult[] {
  return (JSON.parse(formatted('sarif', findings)) as { runs: [{ results: SarifResult[] }] }).runs[0].results;
}

test('sarif places the finding and names its rule', () => {
  const [result] = sarifResults([FINDING]);
  assert.equal(result?.ruleId, 'invalid-port');
  assert.equal(result?.level, 'error');
  assert.deepEqual(result?.locations[0]?.physicalLocation, {
    artifactLocation: { uri: 'a%20b.yaml' },
    region: { startLine: 2, startColumn: 9, endLine: 2, endColumn: 14 },
  });
});

test('a sarif fingerprint outlives a change of lines and tells equal findings apart', () => {
  const moved: Finding = { ...FINDING, range: { start: { line: 9, column: 9 }, end: { line: 9, column: 14 } } };
  const print = (findings: readonly Finding[]): string[] => sarifResults(findings).map(({ partialFingerprints }) => partialFingerprints['bulkhead/v1']!);
  assert.deepEqual(print([FINDING]), print([moved]));
  const [first, second] = print([FINDING, moved]);
  assert.notEqual(first, second);
});

test('sarif carries the edits as fixes', () => {
  const edits = [{ range: FINDING.range!, text: '7000' }];
  const [result] = sarifResults([{ ...FINDING, edits }]) as readonly [SarifResult & { readonly fixes: unknown }];
  assert.deepEqual(result.fixes, [
    { description: { text: 'ports go from 1 to 65535' }, artifactChanges: [{ artifactLocation: { uri: 'a%20b.yaml' }, replacements: [{ deletedRegion: { startLine: 2, startColumn: 9, endLine: 2, endColumn: 14 }, insertedContent: { text: '7000' } }] }] },
  ]);
});

const MARKED: Finding = { code: 'no-default-deny', severity: 'info', message: 'a "b" & <c> # d\\', file: 'x.yaml' };

test('junit: an error fails, the rest passes and is told, a file without findings passes', () => {
  assert.equal(
    formatted('junit', [FINDING, MARKED]),
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bulkhead lint" tests="3" failures="1" errors="0">
  <testsuite name="clean.yaml" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="clean.yaml" name="no findings" file="clean.yaml"/>
  </testsuite>
  <testsuite name="a b.yaml" tests="1" failures="1" errors="0" skipped="0">
    <testcase classname="a b.yaml" name="invalid-port: port 70000 is out of range" file="a b.yaml" line="2">
      <failure type="invalid-port" message="port 70000 is out of range">a b.yaml:2:9 error: port 70000 is out of range&#10;ports go from 1 to 65535</failure>
    </testcase>
  </testsuite>
  <testsuite name="x.yaml" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="x.yaml" name="no-default-deny: a &quot;b&quot; &amp; &lt;c&gt; # d\\" file="x.yaml">
      <system-out>x.yaml info: a &quot;b&quot; &amp; &lt;c&gt; # d\\</system-out>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});

test('tap: a point for each finding, and one for each file without', () => {
  assert.equal(
    formatted('tap', [FINDING, MARKED]),
    `TAP version 14
1..3
ok 1 - clean.yaml: no findings
not ok 2 - a b.yaml: invalid-port: port 70000 is out of range
  ---
  severity: error
  code: invalid-port
  at: "a b.yaml:2:9"
  message: "port 70000 is out of range"
  help: "ports go from 1 to 65535"
  ...
ok 3 - x.yaml: no-default-deny: a "b" & <c> \\# d\\\\
  ---
  severity: info
  code: no-default-deny
  at: "x.yaml"
  message: "a \\"b\\" & <c> # d\\\\"
  ...
`,
  );
});

test('a message in SARIF makes no link of what a name holds', () => {
  const texts = (message: string): string => (JSON.parse(sarifLog([{ code: 'invalid-port', severity: 'error', message }], '1')) as { readonly runs: readonly { readonly results: readonly { readonly message: { readonly text: string } }[] }[] }).runs[0]!.results[0]!.message.text;
  assert.equal(texts('`[here](https://evil.example)` is no name'), '`\\[here](https://evil.example)` is no name');
  assert.equal(texts('an empty list `[]` (see below)'), 'an empty list `[]` (see below)');
});
