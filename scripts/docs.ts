// Rewrites the outputs shown in the documentation: the console blocks of every page, and the reference of the command line.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { cliReference } from './cli-reference.ts';
import { rewriteConsoleBlocks, runCommand } from './console-blocks.ts';

const root = new URL('..', import.meta.url).pathname;

for (const page of ['README.md', ...globSync('docs/{start,guide/*}.md', { cwd: root })]) {
  rewrite(page, (text) => rewriteConsoleBlocks(text, (command) => runCommand(command, root).output));
}
rewrite('docs/reference/cli.md', () => cliReference((words) => runCommand(`bin/bulkhead ${words}`, root).output));

function rewrite(page: string, change: (text: string) => string): void {
  const before = readFileSync(`${root}/${page}`, 'utf8');
  const after = change(before);
  if (after === before) return;
  writeFileSync(`${root}/${page}`, after);
  process.stdout.write(`rewrote ${page}\n`);
}
