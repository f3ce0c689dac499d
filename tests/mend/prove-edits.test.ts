// What `lint --fix` promises, held against spoiled policies: it mends what is proven, keeps the rest of the text, and asks before it changes a meaning.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasErrors, type Finding } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { lintCluster } from '../../src/lint/lint.ts';
import { countProposals, findingKey, mendForm, proposeEdit, type EditState, type LintTexts } from '../../src/mend/prove-edits.ts';
import { isSameCluster } from '../../src/mend/same-meaning.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { onLine, validPolicy } from './broken-manifest.ts';

const RUNS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 5_000 : 150;
const seed = process.env['BULKHEAD_SEED'];
const PARAMETERS = { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }) };

const FILE = 'policy.yaml';

const lintTexts: LintTexts = (texts) => {
  const { cluster, findings } = readManifests([sourceFromText(FILE, texts.get(FILE)!.manifests)]);
  return { cluster, findings: [...findings, ...lintCluster(cluster, compileCluster(cluster))] };
};

function stateOf(text: string): EditState {
  const texts = new Map([[FILE, { whole: text, manifests: text }]]);
  return { texts, linted: lintTexts(texts) };
}

function textOf(state: EditState): string {
  return state.texts.get(FILE)!.whole;
}

interface Spoiler {
  readonly kind: 'form' | 'error';
  readonly spoil: (text: string, at: number) => string;
}

/** Each writes what was meant in a way that is accepted and sloppy, or refused. */
const SPOILERS: readonly Spoiler[] = [
  { kind: 'form', spoil: onLine(/cidr: 10\./, (line) => line.replace('10.0.0.0/8', '10.0.0.7/8')) },
  { kind: 'form', spoil: onLine(/cidr: 203\./, (line) => line.replace('203.0.113.0', '203.000.113.9')) },
  { kind: 'form', spoil: onLine(/port: 80$/, (line) => line.replace('80', '0120')) },
  { kind: 'form', spoil: onLine(/port: 8080/, (line) => line.replace('8080', '0x1f90')) },
  { kind: 'error', spoil: onLine(/port: 80$/, (line) => line.replace('80', '"80"')) },
  { kind: 'error', spoil: onLine(/protocol: TCP/, (line) => line.replace('TCP', 'tcp')) },
  { kind: 'error', spoil: onLine(/endPort: 8/, (line) => line.replace('8010', '"8010"')) },
  { kind: 'error', spoil: onLine(/- Ingress/, (line) => line.replace('Ingress', 'ingress')) },
  { kind: 'error', spoil: onLine(/policyTypes:/, (line) => line.replace('policyTypes', 'policytypes')) },
  { kind: 'error', spoil: onLine(/matchLabels:/, (line) => line.replace('matchLabels', 'matchLabel')) },
  { kind: 'error', spoil: onLine(/namespaceSelector:/, (line) => line.replace('Selector', 'Selektor')) },
  { kind: 'error', spoil: onLine(/^ {2}podSelector:/, (line) => line.replace('podSelector', 'podselector')) },
  { kind: 'error', spoil: onLine(/kind:/, (line) => line.replace('NetworkPolicy', 'NetworkPolcy')) },
  { kind: 'error', spoil: onLine(/apiVersion:/, (line) => line.replace('networking.k8s.io/v1', 'extensions/v1beta1')) },
  { kind: 'error', spoil: onLine(/namespace: shop/, (line) => `${line}\n${line}`) },
];

const comments = fc.array(fc.tuple(fc.nat(1000), fc.boolean()), { maxLength: 5 });

function withComments(text: string, places: readonly (readonly [number, boolean])[]): string {
  const lines = text.trimEnd().split('\n');
  for (const [index, [at, isOwnLine]] of places.entries()) {
    const line = at % lines.length;
    if (isOwnLine) lines.splice(line, 0, `   # own ${index} — “as it was”`);
    else if (!lines[line]!.includes('#')) lines[line] += `  # beside ${index}`;
  }
  return `${lines.join('\n')}\n`;
}

function commentsOf(text: string): string[] {
  return [...text.matchAll(/ *#.*/g)].map(([comment]) => comment);
}

const spoiled = fc.tuple(validPolicy, fc.array(fc.tuple(fc.constantFrom(...SPOILERS), fc.nat(1000)), { minLength: 1, maxLength: 5 }), comments);

function spoil(text: string, spoils: readonly (readonly [Spoiler, number])[], places: readonly (readonly [number, boolean])[]): string {
  return spoils.reduce((before, [{ spoil: change }, at]) => change(before, at), withComments(text, places));
}

function isProposed(finding: Finding): boolean {
  return finding.severity !== 'error' && finding.edits !== undefined;
}

test('what is mended is the policy that was meant, with every comment and all other lines as they were', () => {
  fc.assert(
    fc.property(spoiled, ([valid, spoils, places]) => {
      const text = spoil(valid, spoils, places);
      const { state } = mendForm(stateOf(text), lintTexts);
      const mended = textOf(state);
      assert.ok(!hasErrors(state.linted.findings), `${JSON.stringify(state.linted.findings)}\n${mended}`);
      assert.ok(isSameCluster(state.linted.cluster, stateOf(valid).linted.cluster), mended);
      assert.deepEqual(commentsOf(mended), commentsOf(withComments(valid, places)));
      const changed = mended.split('\n').filter((line) => !text.split('\n').includes(line));
      assert.ok(changed.length <= spoils.length, mended);
    }),
    PARAMETERS,
  );
});

test('what is mended vanishes, nothing appears but what an error hid, and another run finds nothing to mend', () => {
  fc.assert(
    fc.property(spoiled, ([valid, spoils, places]) => {
      const start = stateOf(spoil(valid, spoils, places));
      const { state, findings } = mendForm(start, lintTexts);
      const left = state.linted.findings.map(findingKey);
      for (const finding of findings) assert.ok(!left.includes(findingKey(finding)), findingKey(finding));
      const known = new Set([...start.linted.findings, ...stateOf(valid).linted.findings].map(findingKey));
      for (const key of left) assert.ok(known.has(key), `${key} is new`);
      assert.equal(textOf(mendForm(state, lintTexts).state), textOf(state));
    }),
    PARAMETERS,
  );
});

test('edits of form alone leave every policy as it was read', () => {
  const forms = spoiled.map(([valid, spoils, places]) => [valid, spoils.filter(([{ kind }]) => kind === 'form'), places] as const);
  fc.assert(
    fc.property(forms, ([valid, spoils, places]) => {
      const start = stateOf(spoil(valid, spoils, places));
      const { state } = mendForm(start, lintTexts);
      assert.ok(isSameCluster(start.linted.cluster, state.linted.cluster));
      assert.ok(!state.linted.findings.some(({ code }) => code === 'sloppy-cidr' || code === 'yaml-number-word'));
    }),
    PARAMETERS,
  );
});

const PODS = ['web', 'api', 'db', 'cache', 'orders-db'].map((app) => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${app}, namespace: shop, labels: { app: ${app}, tier: ${app} } }\nspec: { containers: [{ name: main, ports: [{ containerPort: 80 }] }] }\n---\n`).join('');

/** What a finding is about, whatever its words. */
function subjectOf({ code, severity, file, object }: Finding): string {
  return JSON.stringify([code, severity, file, object]);
}

function countOf(all: readonly string[], wanted: string): number {
  return all.filter((one) => one === wanted).length;
}

test('an edit that changes a meaning is never made unasked; made, it is proven', () => {
  let proposed = 0;
  fc.assert(
    fc.property(validPolicy, fc.nat(1000), comments, (valid, at, places) => {
      const misnamed = onLine(/(app|tier): \w/, (line) => line.replace(/: (.)/, ': z$1'))(withComments(valid, places), at).replace('app.kubernetes.io/name', 'app');
      const start = stateOf(PODS + misnamed);
      const { state } = mendForm(start, lintTexts);
      if (!hasErrors(start.linted.findings)) assert.ok(isSameCluster(state.linted.cluster, start.linted.cluster));
      const declined = new Set<string>();
      const waiting = countProposals(state);
      assert.equal(waiting, state.linted.findings.filter(isProposed).length);
      for (let proposal = proposeEdit(state, lintTexts, declined); proposal !== undefined; proposal = proposeEdit(state, lintTexts, declined)) {
        proposed++;
        declined.add(findingKey(proposal.finding));
        const before = state.linted.findings.map(findingKey);
        const after = proposal.next.linted.findings.map(findingKey);
        assert.ok(after.filter((key) => key === findingKey(proposal.finding)).length < before.filter((key) => key === findingKey(proposal.finding)).length);
        const [subjectsBefore, subjectsAfter] = [state, proposal.next].map(({ linted }) => linted.findings.map(subjectOf)) as [string[], string[]];
        for (const subject of subjectsAfter) assert.ok(countOf(subjectsAfter, subject) <= countOf(subjectsBefore, subject), `${subject} is new`);
        assert.ok(after.length < before.length);
        assert.deepEqual(commentsOf(textOf(proposal.next)), commentsOf(PODS + misnamed));
      }
    }),
    PARAMETERS,
  );
  assert.ok(proposed > 0);
});

test('an edit that mends nothing, or brings something, is not made', () => {
  const text = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n';
  const finding = (message: string, edit: string): Finding => ({ code: 'sloppy-cidr', severity: 'warning', message, file: FILE, edits: [{ range: { start: { line: 3, column: 19 }, end: { line: 3, column: 23 } }, text: edit }] });
  const lints = (found: (text: string) => readonly Finding[]): LintTexts => (texts) => ({ cluster: lintTexts(texts).cluster, findings: found(texts.get(FILE)!.whole) });
  const mendWith = (lint: LintTexts): string => textOf(mendForm({ texts: stateOf(text).texts, linted: lint(stateOf(text).texts) }, lint).state);
  assert.equal(mendWith(lints(() => [finding('stays', 'shop')])), text);
  assert.equal(mendWith(lints((now) => (now.includes('shop ') ? [finding('changes the cluster', 'cart')] : []))), text);
  assert.equal(mendWith(lints((now) => (now.includes('"shop"') ? [finding('appears', 'shop')] : [finding('vanishes', '"shop"')]))), text);
  assert.equal(mendWith(lints((now) => (now.includes('"shop"') ? [] : [finding('vanishes', '"shop"')]))), text.replace('shop', '"shop"'));
});

// The count in a message changes with the edit; what is worse than before, or more of it, has appeared.
test('a finding that only changes its words does not hinder an edit', () => {
  const text = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n';
  const edit = { range: { start: { line: 3, column: 19 }, end: { line: 3, column: 23 } }, text: 'cart' };
  const wrong: Finding = { code: 'selects-no-pods', severity: 'warning', message: 'nobody', file: FILE, edits: [edit] };
  const said = (severity: Finding['severity'], message: string): Finding => ({ code: 'workload-not-selected', severity, message, file: FILE });
  const isMade = (before: readonly Finding[], after: readonly Finding[]): boolean => {
    const lint: LintTexts = (texts) => ({ cluster: lintTexts(texts).cluster, findings: texts.get(FILE)!.whole === text ? [wrong, ...before] : after });
    return proposeEdit({ texts: stateOf(text).texts, linted: lint(stateOf(text).texts) }, lint, new Set()) !== undefined;
  };
  assert.ok(isMade([said('warning', 'two')], [said('warning', 'one')]));
  assert.ok(isMade([said('warning', 'two')], [said('info', 'one')]));
  assert.ok(!isMade([said('info', 'two')], [said('warning', 'one')]));
  assert.ok(!isMade([said('info', 'two')], [said('info', 'two'), said('info', 'one')]));
  assert.ok(!isMade([], [said('info', 'one')]));
});
