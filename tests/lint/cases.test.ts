// Every page of `cases/lint` and `cases/repair` gives what it shows; `npm run cases -- --update` rewrites what it shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerPage, lintPages } from './case-page.ts';

test('there are pages', () => assert.ok(lintPages().length >= 40));

for (const page of lintPages()) {
  test(`${page.file}: ${page.purpose}`, () => {
    const answer = answerPage(page);
    assert.equal(answer.findings, page.findings);
    if (page.repaired !== undefined) assert.equal(answer.repaired, page.repaired);
    if (page.reach !== undefined) assert.equal(answer.reach, page.reach);
  });
}
