// Every page of `cases/` against everything that can answer it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseCase, readCases, withExpected } from './cases/case-page.ts';
import { COMMAND_FOLDERS } from './cases/command-page.ts';
import { ENGINES } from './cases/engines.ts';
import { loadCase } from './cases/loaded-case.ts';
import { formatReach, parseReach } from './cases/reach-text.ts';
import { cloneRoot, needs } from './needs.ts';

const pages = readCases('reach');

/** Folders of `cases/` with what runs their pages. */
const RUNNERS: Readonly<Record<string, string>> = {
  lint: 'tests/lint/cases.test.ts',
  repair: 'tests/lint/cases.test.ts',
  correct: 'tests/lint/cases.test.ts',
  reach: 'tests/cases.test.ts',
  ...Object.fromEntries(COMMAND_FOLDERS.map((folder) => [folder, 'tests/cases/commands.test.ts'])),
};

test('each folder of cases has its runner', () => {
  for (const folder of readdirSync(join(cloneRoot, 'cases'))) assert.ok(existsSync(join(cloneRoot, RUNNERS[folder] ?? '')) && folder in RUNNERS, folder);
  assert.ok(pages.length >= 30, `${pages.length} pages`);
});

for (const engine of ENGINES) {
  describe(`cases, answered by ${engine.name}`, () => {
    for (const page of pages) {
      test(page.file, needs(...engine.needs), async () => {
        assert.deepEqual(await engine.disagreements(loadCase(page)), []);
      });
    }
  });
}

// An engine that agrees with everything would be no engine: each one must object to a page that expects something else.
for (const engine of ENGINES) {
  test(`${engine.name} objects to a page with a row too many, too few, or other ports`, needs(...engine.needs), async () => {
    const page = pages.find(({ file }) => file.endsWith('-end-port.md'))!;
    const row = page.expected.split('\n')[0]!;
    const wrong = [page.expected.replace(`${row}\n`, ''), page.expected.replace(/ {2}.*/, '  all'), page.expected.replace('8010', '8009')];
    for (const expected of wrong) {
      assert.notEqual(expected, page.expected);
      const disagreements = await engine.disagreements(loadCase(parseCase(page.file, withExpected(page, expected))));
      assert.notDeepEqual(disagreements, [], `accepted:\n${expected}`);
    }
  });
}

test('reach text is read as it was written', () => {
  const pairs = [
    { source: 'a', target: 'b', traffic: 'TCP 80,8000-8010; UDP all; other' },
    { source: 'a', target: 'c', traffic: 'all' },
    { source: 'any IPv4', target: 'b', traffic: 'SCTP 7777' },
  ];
  const text = formatReach(pairs);
  assert.equal(text, 'a → b  TCP 80,8000-8010; UDP all; other\na → c  all\nany IPv4 → b  SCTP 7777\n');
  assert.deepEqual([...parseReach(text).keys()], ['a → b', 'a → c', 'any IPv4 → b']);
  assert.deepEqual(parseReach('x, y → b, c  TCP 1\n').get('y → c'), [1, 1]);
  assert.throws(() => parseReach('a - b  all\n'));
});
