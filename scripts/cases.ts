// Rewrites the expected blocks of `cases/` with today's answers (`npm run cases -- --update`), or says which pages differ.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCases, withExpected } from '../tests/cases/case-page.ts';
import { answerCommands, commandPages, withAnswers } from '../tests/cases/command-page.ts';
import { answerReach, loadCase } from '../tests/cases/loaded-case.ts';
import { answerPage, lintPages, updatePage } from '../tests/lint/case-page.ts';
import { cloneRoot } from '../tests/needs.ts';

const isUpdate = process.argv.includes('--update');
const differing = readCases('reach').filter((page) => {
  const answer = answerReach(loadCase(page));
  if (answer === page.expected) return false;
  if (isUpdate) writeFileSync(join(cloneRoot, page.file), withExpected(page, answer));
  return true;
});
const differingLint = lintPages().filter((page) => {
  const answer = answerPage(page);
  if (answer.findings === page.findings && (page.repaired ?? answer.repaired) === answer.repaired && (page.reach ?? answer.reach) === answer.reach) return false;
  if (isUpdate) updatePage(page, answer);
  return true;
});
const differingCommands = commandPages().filter((page) => {
  const text = withAnswers(page, answerCommands(page));
  if (text === page.text) return false;
  if (isUpdate) writeFileSync(join(cloneRoot, page.file), text);
  return true;
});
const files = [...differing, ...differingLint, ...differingCommands].map(({ file }) => file);
for (const file of files) process.stdout.write(`${file}: ${isUpdate ? 'updated; review the difference' : 'differs'}\n`);
if (!isUpdate && files.length > 0) {
  process.stdout.write('`npm run cases -- --update` writes the new answers\n');
  process.exitCode = 1;
}
