// Every page of `cases/` that shows commands prints what it shows; `npm run cases -- --update` rewrites what it shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerCommands, COMMAND_FOLDERS, commandPages } from './command-page.ts';

const pages = commandPages();

test('each verb has pages', () => {
  for (const folder of COMMAND_FOLDERS) assert.ok(pages.some(({ file }) => file.startsWith(`cases/${folder}/`)), folder);
});

for (const page of pages) {
  test(`${page.file}: ${page.purpose}`, () => {
    assert.deepEqual(answerCommands(page), page.commands.map(({ printed }) => printed));
  });
}
