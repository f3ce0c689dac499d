// Rewrites what the documentation shows: the console blocks of every page, the pictures of patterns, the reference of the command line, and the schema of the settings.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference } from './cli-reference.ts';
import { effectSvg } from './effect-svg.ts';
import { patternCluster, patternPages, readPolicies } from './pattern-pages.ts';
import { settingsSchema } from './settings-schema.ts';
import { findConsoleBlocks, makePageFolder, rewriteConsoleBlocks } from './console-blocks.ts';

const root = join(import.meta.dirname, '..');

for (const page of ['README.md', ...globSync('docs/{start,guide/*,patterns/*,reference/json}.md', { cwd: root })]) {
  const text = readFileSync(join(root, page), 'utf8');
  save(page, rewriteConsoleBlocks(text, await printedBy(text)));
}
const folder = makePageFolder(root);
save('docs/reference/cli.md', cliReference((words) => folder.run(`bin/bulkhead ${words}`).output));
for (const { command, picture } of patternPages(root)) save(picture, effectSvg(patternCluster(root), readPolicies(folder.run(`bin/bulkhead ${command} 2>/dev/null`).output)));
await folder.remove();
save('docs/reference/bulkhead.schema.json', settingsSchema());

/** What each command of the page prints, in order. */
async function printedBy(text: string): Promise<string[]> {
  const world = makePageFolder(root);
  try {
    const outputs: string[] = [];
    for (const { words, commands } of findConsoleBlocks(text)) {
      if (words.includes('lab')) await world.startLab();
      for (const { command, output } of commands) outputs.push(words.includes('cluster') ? output : world.run(command).output);
    }
    return outputs;
  } finally {
    await world.remove();
  }
}

function save(page: string, text: string): void {
  if (readFileSync(join(root, page), { encoding: 'utf8', flag: 'a+' }) === text) return;
  writeFileSync(join(root, page), text);
  process.stdout.write(`rewrote ${page}\n`);
}
