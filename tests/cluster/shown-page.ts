// A page of the documentation whose commands are run on a real cluster, one after the other, and have to print what it shows.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findConsoleBlocks, makePageFolder, matchesOutput, rewriteConsoleBlocks, statusOf, type PageFolder } from '../../scripts/console-blocks.ts';
import { cloneRoot } from '../needs.ts';
import { builtProgram } from './run-script.ts';

/** Pages are rewritten instead: `BULKHEAD_UPDATE=1 npm run test:cluster -- FILE`. */
const IS_UPDATE = process.env['BULKHEAD_UPDATE'] === '1';

/** A file that a page shows whole, under its name. */
const SHOWN_FILE = /^```yaml (\S+)\n([\s\S]*?)^```$/gm;

/** With `bin/bulkhead`, `examples` and `kubectl`, for the cluster. */
export function clusterPageFolder(kubeconfig: string): PageFolder {
  return makePageFolder(cloneRoot, { KUBECONFIG: kubeconfig, PATH: `${dirname(builtProgram('kubectl'))}:${process.env['PATH']}` });
}

/** `path` is from the clone. `plain` puts names as a reader would have them. */
export function runPage(path: string, folder: PageFolder, plain: (text: string) => string = (text) => text): void {
  const file = join(cloneRoot, path);
  const page = readFileSync(file, 'utf8');
  for (const [, name, text] of page.matchAll(SHOWN_FILE)) {
    mkdirSync(dirname(join(folder.path, name!)), { recursive: true });
    writeFileSync(join(folder.path, name!), text!);
  }
  const outputs: string[] = [];
  for (const block of findConsoleBlocks(page)) {
    for (const [index, { command, output }] of block.commands.entries()) {
      const run = folder.run(command);
      outputs.push(plain(run.output));
      const isLast = index === block.commands.length - 1;
      if (isLast) assert.equal(run.status, statusOf(block), `${path}:${block.line}: \`${command}\` printed\n${run.output}`);
      if (!IS_UPDATE && !matchesOutput(masked(output), masked(outputs.at(-1)!))) assert.equal(masked(outputs.at(-1)!), masked(output), `${path}:${block.line}: \`${command}\``);
    }
  }
  if (IS_UPDATE) writeFileSync(file, rewriteConsoleBlocks(page, outputs));
}

/** Less what differs from run to run: times, how long something took, addresses of pods, the ends of their names. */
function masked(text: string): string {
  return text
    .replaceAll(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?/g, 'TIME')
    .replaceAll(/\b[0-9]+(\.[0-9]+)? ?(ms|s|seconds?)\b/g, 'DURATION')
    .replaceAll(/\b10\.244\.[0-9]+\.[0-9]+\b/g, 'ADDRESS')
    .replaceAll(/-[0-9a-z]{8,10}-[0-9a-z]{5}\b/g, '-POD')
    .replaceAll(/ {2,}/g, '  ');
}
