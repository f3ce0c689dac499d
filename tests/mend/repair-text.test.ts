// What repair leaves alone, and how its parts behave where no page and no property reaches.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextEdit } from '../../src/base/finding.ts';
import { applyEdits, placeBefore } from '../../src/mend/apply-edits.ts';
import { extractManifests, findManifestBlocks } from '../../src/mend/extract-manifests.ts';
import { REPAIR_LENGTH_MAX, repairText } from '../../src/mend/repair-text.ts';

const HEAD = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n';

function repaired(text: string, file = 'a.yaml'): string {
  const repair = repairText(file, text);
  assert.ok(repair.isChanged, `not repaired:\n${text}`);
  return repair.text;
}

function unchanged(text: string): void {
  const repair = repairText('a.yaml', text);
  assert.deepEqual({ text: repair.text, isChanged: repair.isChanged, edits: repair.findings.flatMap(({ edits }) => edits ?? []) }, { text, isChanged: false, edits: [] });
}

// What stands in a block scalar is the author's, signs and all; it moves with its key.
test('a block scalar moves with its key and keeps its signs', () => {
  const text = `${HEAD}metadata:\nname: a\nannotations:\n  note: |\n    \u2014 a dash,\ttabs and “quotes”  \n\n    port:80\nspec:\n  podSelector: {}\n`;
  assert.equal(
    repaired(text),
    `${HEAD}metadata:\n  name: a\n  annotations:\n    note: |\n      \u2014 a dash,\ttabs and “quotes”  \n\n      port:80\nspec:\n  podSelector: {}\n`,
  );
});

test('comments and blank lines keep their places', () => {
  const text = `# who\n${HEAD}metadata:\n# the name — of it\nname: a\n\nspec:\n      # none\n  podSelector: {}\n`;
  assert.equal(repaired(text), text.replace('\nname: a', '\n  name: a'));
});

test('a sign inside a value is the author’s, where only its ends are quotes to mend', () => {
  const text = `${HEAD}metadata:\n  name: a\n  annotations:\n    note: it’s — “fine”, or not\n    port: “80”\nspec:\n  podSelector: {}\n  policyTypes:\n  \u2013 Ingress\n`;
  assert.equal(repaired(text), text.replace('\u2013', '-').replace('“80”', '"80"'));
});

// A workload's fields are known as well; what is not known moves as a whole.
test('a Deployment whose template has lost its columns', () => {
  const text = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\nname: web\nspec:\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n    containers:\n    - name: main\n      image: example/web\n      resources:\n        limits: { cpu: 1 }\n';
  assert.equal(
    repaired(text),
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n      - name: main\n        image: example/web\n        resources:\n          limits: { cpu: 1 }\n',
  );
});

// Of several documents only the broken one is touched, and a document that stays broken does not keep others from repair.
test('each document by itself', () => {
  const good = `${HEAD}metadata: { name: a }   \nspec: { podSelector: {} }\n`;
  const broken = `${HEAD}metadata:\nname: b\nspec: { podSelector: {} }\n`;
  const hopeless = `${HEAD}metadata: { name: c }\nspec: { podSelector: {\n`;
  assert.equal(repaired(`${good}---\n${broken}---\n${hopeless}`), `${good}---\n${broken.replace('\nname', '\n  name')}---\n${hopeless}`);
});

test('what is not broken by signs or columns is left alone', () => {
  unchanged(`${HEAD}metadata: { name: a }\nspec: { podSelektor: {} }\n`);
  unchanged(`${HEAD}metadata:\n  name: a\nspec:\n  podSelector: {}\n  podSelector: {}\n`);
  unchanged('{ "apiVersion": "v1", "kind": “Pod” }');
  unchanged('{{ include "policy" . }}\n');
  unchanged('');
  unchanged(`${HEAD}metadata:\nname: a\n${'#'.repeat(REPAIR_LENGTH_MAX)}`);
});

test('prose: manifests stay on their lines, commands are none, and what they are fed is one', () => {
  const text = `Text.\n\n\`\`\`yaml\n${HEAD}metadata: { name: a }\n\`\`\`\n\n\`\`\`sh\nkubectl apply -f - <<EOF\n${HEAD}EOF\nkubectl get -f a.yaml\n\`\`\`\n\n~~~\n${HEAD}metadata: { name: b }\n~~~\n`;
  const blocks = findManifestBlocks(text);
  assert.deepEqual(blocks, [
    { start: 3, end: 6, outer: { start: 2, end: 7 } },
    { start: 10, end: 12, outer: { start: 8, end: 15 } },
    { start: 17, end: 20, outer: { start: 16, end: 21 } },
  ]);
  const lines = extractManifests(text, blocks).split('\n');
  assert.deepEqual(lines.slice(0, 7), ['', '', '---', ...`${HEAD}metadata: { name: a }`.split('\n'), '']);
  assert.deepEqual(lines.slice(8, 15), ['', '---', ...HEAD.trimEnd().split('\n'), '', '', '']);
  assert.equal(lines.length, text.split('\n').length);
  assert.deepEqual(findManifestBlocks('no manifest here\n```\nls\n```\n'), []);
  assert.deepEqual(findManifestBlocks('```sh\ncat a.yaml\n' + HEAD + '```\n'), []);
  assert.deepEqual(findManifestBlocks(`${HEAD}metadata: { name: a }\n`), []);
});

// What is left out could narrow the rule or the selector: then nobody may guess.
test('dots inside a rule or a selector stay an error, elsewhere they go', () => {
  const policy = (dots: Readonly<Record<string, string>>): string => `${HEAD}metadata:\n  name: a\n${dots['metadata'] ?? ''}spec:\n  podSelector:\n    matchLabels:\n      app: a\n${dots['labels'] ?? ''}  ingress:\n${dots['rules'] ?? ''}  - from:\n${dots['first'] ?? ''}    - podSelector: {}\n${dots['rule'] ?? ''}  policyTypes: [Ingress]\n`;
  assert.equal(repaired(policy({ metadata: '  ...\n' })), policy({ metadata: '\n' }));
  assert.equal(repaired(policy({ rule: '  - \u2026\n' })), policy({ rule: '\n' }));
  for (const dots of [{ labels: '      ...\n' }, { rule: '    ...\n' }, { rule: '    - \u2026\n' }, { first: '    ...\n' }, { rules: '  [...]\n' }]) unchanged(policy(dots));
});

test('a repair never leaves a rule or a selector empty: that would open it', () => {
  unchanged(`${HEAD}metadata:\n  name: a\nspec:\n  podSelector: {}\n  ingress:\n  - from:\nthe pods of the web tier go here\n`);
  unchanged(`${HEAD}metadata:\n  name: a\nspec:\n  podSelector: {}\n  ingress:\n  - from: # who\nmay come in\n`);
  unchanged(`${HEAD}metadata:\n  name: a\nspec:\n  podSelector:\n    matchLabels:\n      …\n`);
});

test('words are mended where they are of a policy, and nowhere else', () => {
  const text = `${HEAD}metadata:\n  name: a\n  annotations:\n    Kind: of a note,\n    note: it ends in a comma,\nSpec:\n  podSelector: {}\n`;
  assert.equal(repaired(text), text.replace('Spec', 'spec'));
  unchanged(`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a\ndata:\n  kind NetworkPolicy\n`);
});

test('one prefix in another, and what looks like a prefix and is none', () => {
  assert.equal(repaired(` 1  > ${HEAD.split('\n')[0]}\n 2  > ${HEAD.split('\n')[1]}\n 3  > metadata:\n 4  >   name: a\n 5  > spec:\n 6  >   podSelector: {}\n`), `${HEAD}metadata:\n  name: a\nspec:\n  podSelector: {}\n`);
  assert.equal(repaired(`8. ${HEAD.split('\n')[0]}\n9. ${HEAD.split('\n')[1]}\n10. metadata:\n11.   name: a\n12. spec:\n13.   podSelector: {}\n`), `${HEAD}metadata:\n  name: a\nspec:\n  podSelector: {}\n`);
  unchanged(` 1 ${HEAD.split('\n')[0]}\n 7 ${HEAD.split('\n')[1]}\n 3 metadata: { name: a }\n`);
});

test('places of the edited text are found in the text as it was', () => {
  const edits: TextEdit[] = [
    { range: { start: { line: 1, column: 1 }, end: { line: 1, column: 3 } }, text: '' },
    { range: { start: { line: 2, column: 1 }, end: { line: 2, column: 1 } }, text: '---\n' },
    { range: { start: { line: 3, column: 2 }, end: { line: 3, column: 3 } }, text: 'long' },
  ];
  const text = '> a\nb\nc!d\n';
  assert.equal(applyEdits(text, edits), 'a\n---\nb\nclongd\n');
  const place = placeBefore(text, edits);
  const found = [[1, 1], [2, 1], [3, 1], [4, 1], [4, 2], [4, 6], [5, 1]].map(([line, column]) => place({ line: line!, column: column! }));
  assert.deepEqual(found.map(({ line, column }) => [line, column]), [[1, 3], [2, 1], [2, 1], [3, 1], [3, 2], [3, 3], [4, 1]]);
});

test('edits: together, in any order, each once, none over another', () => {
  const edit = (line: number, start: number, end: number, text: string): TextEdit => ({ range: { start: { line, column: start }, end: { line, column: end } }, text });
  assert.equal(applyEdits('ab\ncd\n', [edit(2, 1, 2, 'X'), edit(1, 2, 2, '-')]), 'a-b\nXd\n');
  assert.equal(applyEdits('ab', [edit(1, 1, 3, 'x'), edit(1, 2, 3, 'y')]), 'x');
  assert.equal(applyEdits('ab', [edit(1, 1, 1, 'x'), edit(1, 1, 1, 'x')]), 'xab');
  assert.equal(applyEdits('ab', [edit(9, 1, 1, 'x')]), 'abx');
  assert.equal(applyEdits('ab', []), 'ab');
});
