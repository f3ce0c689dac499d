// Rewrites the expected blocks of `cases/` with today's answers (`npm run cases -- --update`), or says which pages differ.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCases, withExpected } from '../tests/cases/case-page.ts';
import { answerReach, loadCase } from '../tests/cases/loaded-case.ts';
import { cloneRoot } from '../tests/needs.ts';

const isUpdate = process.argv.includes('--update');
const differing = readCases('reach').filter((page) => {
  const answer = answerReach(loadCase(page));
  if (answer === page.expected) return false;
  if (isUpdate) writeFileSync(join(cloneRoot, page.file), withExpected(page, answer));
  return true;
});
for (const { file } of differing) process.stdout.write(`${file}: ${isUpdate ? 'updated; review the difference' : 'differs'}\n`);
if (!isUpdate && differing.length > 0) {
  process.stdout.write('`npm run cases -- --update` writes the new answers\n');
  process.exitCode = 1;
}
