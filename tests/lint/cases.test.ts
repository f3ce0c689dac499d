// Every page of `cases/lint`, `cases/repair` and `cases/correct` gives what it shows; `npm run cases -- --update` rewrites what it shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerPage, isCorrect, lintPages } from './case-page.ts';

test('there are pages', () => {
  assert.ok(lintPages().length >= 90);
  assert.ok(lintPages().filter(isCorrect).length >= 25);
});

test('of correct sets nothing is found but infos that their pages explain', () => {
  for (const page of lintPages().filter(isCorrect)) {
    for (const { code, severity, message } of answerPage(page).all) assert.ok(severity === 'info' && page.namedCodes.has(code), `${page.file}: ${severity} ${code} ${message}`);
  }
});

for (const page of lintPages()) {
  test(`${page.file}: ${page.purpose}`, () => {
    const answer = answerPage(page);
    assert.equal(answer.findings, page.findings);
    if (page.repaired !== undefined) assert.equal(answer.repaired, page.repaired);
    if (page.reach !== undefined) assert.equal(answer.reach, page.reach);
  });
}
