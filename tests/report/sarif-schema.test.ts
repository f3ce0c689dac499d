// SARIF logs against the schema of the standard, as a Go module publishes it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Finding } from '../../src/base/finding.ts';
import { sarifLog } from '../../src/report/findings/finding-sarif.ts';
import { answerPage, lintPages } from '../lint/case-page.ts';
import { cloneRoot, needs } from '../needs.ts';

const folder = join(cloneRoot, 'tests/report/sarif-schema');

function go(words: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('go', words, { cwd: folder, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** What is wrong with each log. */
function problemsOf(logs: readonly string[]): readonly (readonly string[])[] {
  go(['mod', 'download']);
  const schema = join(go(['list', '-m', '-f', '{{.Dir}}', 'github.com/owenrumney/go-sarif/v3']), 'pkg/report/v210/sarif/schema.go');
  return JSON.parse(go(['run', '.', schema], `[${logs.join(',')}]`)) as readonly (readonly string[])[];
}

test('every log of a page is one of SARIF 2.1.0, and a wrong one is not', needs('go'), () => {
  const bare: Finding = { code: 'no-objects', severity: 'error', message: 'there is no object' };
  const logs = [...lintPages().map((page) => sarifLog(answerPage(page).all, '1.2.3')), sarifLog([], '1.2.3'), sarifLog([bare], '1.2.3')];
  for (const [index, problems] of problemsOf(logs).entries()) assert.deepEqual(problems, [], logs[index]);
  const [wrong] = problemsOf([sarifLog([bare], '1.2.3').replace('"level"', '"levle"')]);
  assert.ok(wrong!.length > 0);
});
