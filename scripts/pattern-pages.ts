// The pages of docs/patterns: each shows a command, what it prints, a picture of the effect, and expectations that hold with the policy.
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Cluster } from '../src/model/cluster.ts';
import { readManifests, sourceFromText } from '../src/read/read.ts';
import { findConsoleBlocks } from './console-blocks.ts';

export interface PatternPage {
  /** `docs/patterns/default-deny.md` */
  readonly file: string;
  readonly name: string;
  readonly picture: string;
  /** The words behind `bin/bulkhead`, as a shell takes them. */
  readonly command: string;
  /** A file of `kind: PolicyTest`. */
  readonly expectations: string;
}

export function patternPages(root: string): readonly PatternPage[] {
  return globSync('docs/patterns/*.md', { cwd: root }).sort().map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const name = basename(file, '.md');
    const command = findConsoleBlocks(text)[0]?.commands[0]?.command;
    const expectations = /^```yaml\n(apiVersion: bulkhead\/v1\n[^]*?)^```$/m.exec(text)?.[1];
    if (command === undefined || !command.startsWith(`bin/bulkhead new ${name} `)) throw new Error(`${file}: its first command is no \`bin/bulkhead new ${name} …\``);
    if (expectations === undefined) throw new Error(`${file}: no expectations`);
    if (!text.includes(`](${name}.svg)`)) throw new Error(`${file}: does not show its picture ${name}.svg`);
    return { file, name, picture: file.replace(/md$/, 'svg'), command: command.slice('bin/bulkhead '.length), expectations };
  });
}

/** The cluster on which every page tries its policy. */
export function patternCluster(root: string): Cluster {
  const file = 'examples/patterns/cluster.yaml';
  return readManifests([sourceFromText(file, readFileSync(join(root, file), 'utf8'))]).cluster;
}

export function readPolicies(yaml: string): Cluster {
  return readManifests([sourceFromText('policy.yaml', yaml)]).cluster;
}
