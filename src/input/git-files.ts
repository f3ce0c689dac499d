// Manifests as a revision of git has them: read by git's own plumbing, without a shell and without a checkout.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename, dirname, posix } from 'node:path';
import type { ReadFile } from '../read/read.ts';
import { UsageError } from '../terminal/failures.ts';
import { MANIFEST_NAME, systemWords } from './list-inputs.ts';
import type { OpenedFiles } from './open-files.ts';

/** Git said no, or is not there: status 3. */
export class GitError extends Error {
  readonly code = 'git-failed';

  constructor(message: string) {
    super(message);
    this.name = 'GitError';
  }
}

/** What git may print, in bytes; a revision with larger manifests is refused. */
const OUTPUT_BYTES_MAX = 1 << 30;

/** The files that `-f` would find at these paths, had the revision been checked out; named `REF:path`. */
export function openRevision(ref: string, paths: readonly string[]): OpenedFiles {
  if (ref.startsWith('-')) throw new UsageError(`\`${ref}\` is no revision of git`, 'write a branch, a tag or a commit');
  const files = paths.flatMap((path) => listPath(ref, path));
  const texts = new Map<string, string>();
  const readFiles = files.map(({ name, content }): ReadFile => {
    texts.set(name, content.toString('utf8'));
    return { name, chunks: () => [content] };
  });
  return { readFiles, lineOf: (file, line) => texts.get(file)?.split(/\r?\n/)[line - 1] };
}

interface GitFile {
  readonly name: string;
  readonly content: Buffer;
}

function listPath(ref: string, path: string): GitFile[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  // What is gone from the folder is named from where it was.
  const isFolder = stats?.isDirectory() === true;
  const folder = isFolder ? path : dirname(path);
  const commit = commitOf(folder, ref);
  const entries = git(folder, ['ls-tree', '-r', '-z', commit, '--', isFolder ? '.' : basename(path)]).toString('utf8').split('\0');
  const files = entries.filter((entry) => entry !== '').map(parseEntry);
  const isWanted = ({ mode, file }: TreeEntry): boolean => mode.startsWith('100') && (MANIFEST_NAME.test(file) || (!isFolder && file === basename(path)));
  const wanted = files.filter(isWanted);
  if (wanted.length === 0) throw new UsageError(`\`${path}\` has no manifests in \`${ref}\``, 'name a path that the revision has');
  return readBlobs(folder, wanted).map((content, index) => ({ name: `${ref}:${posix.join(folder, wanted[index]!.file)}`, content }));
}

interface TreeEntry {
  readonly mode: string;
  readonly blob: string;
  readonly file: string;
}

/** `100644 blob <id>\t<path>` (git-ls-tree, OUTPUT FORMAT). */
function parseEntry(entry: string): TreeEntry {
  const tab = entry.indexOf('\t');
  const [mode = '', , blob = ''] = entry.slice(0, tab).split(' ');
  return { mode, blob, file: entry.slice(tab + 1) };
}

function commitOf(folder: string, ref: string): string {
  const { status, stdout, stderr } = runGit(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
  if (status === 0) return stdout.toString('utf8').trim();
  if (stderr.length > 0) throw new GitError(`git cannot read \`${folder}\`: ${firstLine(stderr)}`);
  throw new UsageError(`there is no revision \`${ref}\` in the git repository of \`${folder}\``, 'a shallow clone lacks older ones: git fetch origin main --depth=1');
}

/** Of all files in one process: `<id> blob <size>\n<bytes>\n` each (git-cat-file, BATCH OUTPUT). */
function readBlobs(folder: string, entries: readonly TreeEntry[]): Buffer[] {
  const output = git(folder, ['cat-file', '--batch'], entries.map(({ blob }) => `${blob}\n`).join(''));
  let at = 0;
  return entries.map(({ blob, file }) => {
    const end = output.indexOf('\n', at);
    const [id, kind, size] = output.toString('latin1', at, end).split(' ');
    if (id !== blob || kind !== 'blob' || size === undefined) throw new GitError(`git does not give the content of \`${file}\``);
    const start = end + 1;
    at = start + Number(size) + 1;
    return output.subarray(start, at - 1);
  });
}

function git(folder: string, words: readonly string[], input = ''): Buffer {
  const { status, stdout, stderr } = runGit(folder, words, input);
  if (status !== 0) throw new GitError(`git ${words[0]} failed in \`${folder}\`: ${firstLine(stderr)}`);
  return stdout;
}

function runGit(folder: string, words: readonly string[], input = ''): { readonly status: number | null; readonly stdout: Buffer; readonly stderr: Buffer } {
  // Paths are taken as they are written, and nothing of the repository is refreshed or locked.
  const env = { ...process.env, GIT_LITERAL_PATHSPECS: '1', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };
  const { status, stdout, stderr, error } = spawnSync('git', [...words], { cwd: folder, env, input, maxBuffer: OUTPUT_BYTES_MAX });
  if (error !== undefined) throw new GitError(`git cannot be run in \`${folder}\`: ${systemWords(error)}`);
  return { status, stdout, stderr };
}

function firstLine(stderr: Buffer): string {
  return stderr.toString('utf8').trim().split('\n')[0]!.replace(/^fatal: /, '');
}
