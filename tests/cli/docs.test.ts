// Every command shown in the documentation is run, and prints what the page says.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cliReference, COMMANDS } from '../../scripts/cli-reference.ts';
import { findConsoleBlocks, makePageFolder, matchesOutput, statusOf } from '../../scripts/console-blocks.ts';
import { cloneRoot, needs } from '../needs.ts';
import { runBulkhead } from './run-bulkhead.ts';

const PAGES = ['README.md', ...globSync('docs/{start,guide/*,patterns/*,reference/json}.md', { cwd: cloneRoot })];

for (const page of PAGES) {
  const blocks = findConsoleBlocks(readFileSync(join(cloneRoot, page), 'utf8')).filter(({ words }) => !words.includes('cluster'));
  const wants = blocks.some(({ words }) => words.includes('kernel')) ? needs('kernel') : {};
  test(`${page} shows what its commands print`, wants, async (t) => {
    const folder = makePageFolder(cloneRoot);
    t.after(() => folder.remove());
    for (const block of blocks) {
      const { line, words, commands } = block;
      if (words.includes('lab')) await folder.startLab();
      let last: number | null = 0;
      for (const { command, output } of commands) {
        const run = folder.run(command);
        if (!matchesOutput(output, run.output)) assert.equal(run.output, output, `${page}:${line}: \`${command}\`; \`npm run docs\` rewrites the page`);
        last = run.status;
      }
      assert.equal(last, statusOf(block), `${page}:${line}`);
    }
  });
}

test('there is a guide page for each verb, and the first page has commands that work', () => {
  for (const verb of COMMANDS.filter((words) => words !== '' && !words.includes(' '))) assert.ok(PAGES.includes(`docs/guide/${verb}.md`), verb);
  assert.ok(findConsoleBlocks(readFileSync(join(cloneRoot, 'README.md'), 'utf8')).length > 0);
});

test('the reference of the command line is what --help says', () => {
  const written = readFileSync(join(cloneRoot, 'docs/reference/cli.md'), 'utf8');
  assert.equal(written, cliReference((words) => runBulkhead(words.split(' ').filter((word) => word !== '')).stdout), '`npm run docs` rewrites the page');
});

test('every command has its place in the reference', () => {
  const listed = (words: readonly string[]): string[] =>
    [...runBulkhead([...words, '--help']).stdout.matchAll(/^ {2}([a-z]+)(?: \[.*| <.*| {2,}.*)$/gm)].map((match) => [...words, match[1]!].join(' ')).filter((command) => !command.endsWith('help'));
  const commands = listed([]).flatMap((verb) => [verb, ...listed([verb])]);
  assert.deepEqual(commands.toSorted(), COMMANDS.filter((words) => words !== '').toSorted());
});

test('an ellipsis stands for any lines, and for nothing else', () => {
  assert.ok(matchesOutput('a\n…\nd\n', 'a\nb\nc\nd\n'));
  assert.ok(matchesOutput('…\nd\n', 'd\n'));
  assert.ok(!matchesOutput('a\n…\nd\n', 'a\nb\nc\n'));
  assert.ok(!matchesOutput('a\nd\n', 'a\nb\nd\n'));
});
