// The program as it was at an earlier commit, beside the clone and with the packages that the clone has.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cloneRoot } from '../../needs.ts';

export interface OldProgram {
  readonly commit: string;
  /** A folder as a clone has it. */
  readonly folder: string;
  remove(): void;
}

/** Those that an upgrade may start from, by what they are; a text says why there is none. */
export const EARLIER: Readonly<Record<string, () => string | undefined>> = {
  'the previous tag, or commit': () => git('describe', '--tags', '--abbrev=0', 'HEAD~1') ?? git('rev-parse', '--verify', '--quiet', 'HEAD~1'),
  'the last commit with another table': () => {
    const changed = git('log', '-n', '1', '--format=%H', '--', 'src/kernel/internal/skeleton.ts', 'src/emit/set-shape.ts');
    return changed === undefined ? undefined : git('rev-parse', '--verify', '--quiet', `${changed}~1`);
  },
};

/** undefined where git fails, or says nothing. */
function git(...words: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', ['-c', `safe.directory=${cloneRoot}`, ...words], { cwd: cloneRoot, encoding: 'utf8' });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
}

export function unpackProgram(commit: string): OldProgram {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-old-'));
  const { status, stderr } = spawnSync('bash', ['-c', 'set -o pipefail; git -c "safe.directory=$1" -C "$1" archive "$2" | tar -x -C "$3"', '-', cloneRoot, commit, folder], { encoding: 'utf8' });
  if (status !== 0 || !existsSync(join(folder, 'bin/bulkhead'))) throw new Error(`${commit} cannot be unpacked: ${stderr}`);
  symlinkSync(join(cloneRoot, 'node_modules'), join(folder, 'node_modules'));
  return { commit: commit.slice(0, 12), folder, remove: () => rmSync(folder, { recursive: true }) };
}
