// Each pattern has a page, and what the page says holds: its policy is clean, closes what it says and opens what it says, by computation and in the kernel.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { effectSvg } from '../../scripts/effect-svg.ts';
import { patternCluster, patternPages, readPolicies, type PatternPage } from '../../scripts/pattern-pages.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { lintCluster } from '../../src/lint/lint.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { addPolicies } from '../../src/pattern/add-policies.ts';
import { PATTERNS } from '../../src/pattern/pattern.ts';
import { checkTests } from '../../src/probe/check-expectations.ts';
import { readPolicyTests, type PolicyTest } from '../../src/probe/policy-test.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { runBulkhead } from '../cli/run-bulkhead.ts';
import { cloneRoot, needs } from '../needs.ts';
import { failuresOf, tryInLab } from './try-in-lab.ts';

const pages = patternPages(cloneRoot);
const input = patternCluster(cloneRoot);

test('each pattern has its page, and each page its pattern', () => {
  assert.deepEqual(pages.map(({ name }) => name), PATTERNS.map(({ name }) => name).sort());
});

/** What a block of every address is told, and what is true of it: it holds private addresses, and those may be pods'. */
const TRUE_OF_BLOCKS: ReadonlySet<string> = new Set(['ip-block-may-match-pods', 'private-ranges-reachable']);

for (const page of pages) {
  const yaml = policyOf(page);
  const added = readPolicies(yaml);
  const tests = testsOf(page);
  const cluster = addPolicies(input, added);

  test(`${page.name}: the policy reads without a finding, and lint has none about it`, () => {
    const { findings } = readManifests([sourceFromText('policy.yaml', yaml)]);
    assert.deepEqual(findings, []);
    const closed = addPolicies(denied(added), added);
    const about = lintCluster(closed, compileCluster(closed)).filter(({ file }) => file === 'policy.yaml');
    assert.deepEqual(about.filter(({ code, severity }) => severity !== 'info' || !TRUE_OF_BLOCKS.has(code)), []);
  });

  test(`${page.name}: what it says holds, and did not hold before`, () => {
    assert.deepEqual(failuresOf(checkTests(compileCluster(cluster), tests)), []);
    const before = checkTests(compileCluster(input), tests).tests.flatMap(({ results }) => results);
    const kinds = new Set(before.map(({ expectation }) => expectation.assertion.kind));
    assert.ok(kinds.has('allow') && kinds.has('deny'), 'something must be open, and something closed');
    for (const { expectation, holds } of before) assert.equal(holds, expectation.assertion.kind === 'allow', `${expectation.sentence}, without the policy`);
  });

  test(`${page.name}: the picture is the one of the page`, () => {
    assert.equal(readFileSync(join(cloneRoot, page.picture), 'utf8'), effectSvg(input, added), '`npm run docs` draws it anew');
  });

  test(`${page.name}: in the kernel, what must be closed is closed and what must be open is open`, needs('kernel'), async () => {
    const report = await tryInLab(cluster, tests);
    assert.deepEqual(failuresOf(report), []);
    for (const { expectation, tried } of report.tests.flatMap(({ results }) => results)) {
      if (expectation.assertion.kind === 'allow' || expectation.assertion.kind === 'deny') assert.ok(tried !== undefined && tried.tried > 0, expectation.sentence);
    }
  });
}

function policyOf({ command }: PatternPage): string {
  const { status, stdout, stderr } = runBulkhead(command.split(' '));
  assert.equal(status, 0, stderr);
  return stdout;
}

function testsOf({ file, expectations }: PatternPage): readonly PolicyTest[] {
  const { tests, findings } = readPolicyTests(file, expectations);
  assert.deepEqual(findings, []);
  return tests;
}

/** With a default deny in each namespace that the policies are in, as they should have. */
function denied(added: Cluster): Cluster {
  const namespaces = new Set(added.policies.filter(({ name }) => name !== 'default-deny').map(({ namespace }) => namespace));
  return [...namespaces].reduce((cluster, namespace) => addPolicies(cluster, readManifests([sourceFromText('deny.yaml', runBulkhead(['new', 'default-deny', '-n', namespace]).stdout)]).cluster), input);
}
