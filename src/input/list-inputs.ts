// Which files the words `-f FILE|DIR|-` name: folders are walked, each file is taken once, links never lead in circles.
import { readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { compareText } from '../base/finding.ts';
import { UnreadableInput, UsageError } from '../terminal/failures.ts';
import { SETTINGS_NAME } from './settings-file.ts';

/** A file to read; `name` is how findings name it, as near to the user's words as can be. */
export type InputFile = { readonly kind: 'file'; readonly name: string } | { readonly kind: 'stdin'; readonly name: 'standard input' };

/** Folders inside folders. */
const DEPTH_MAX = 64;
/** Manifest files in one call. */
const FILES_MAX = 100_000;

/** Names of the files that count in a folder. */
export const MANIFEST_NAME: RegExp = /\.(ya?ml|json)$/i;

/** In a folder only .yaml, .yml and .json count, in the order of their names; a file named outright may be called anything. */
export function listInputs(words: readonly string[]): InputFile[] {
  const walk: Walk = { files: [], seen: new Set(), manifestsMet: 0 };
  for (const word of words) {
    if (word === '-') addStdin(walk);
    else addNamed(walk, word);
  }
  return walk.files;
}

interface Walk {
  readonly files: InputFile[];
  /** Real paths of what was taken; two ways to one file are one file. */
  readonly seen: Set<string>;
  /** Counts those met a second time as well. */
  manifestsMet: number;
}

function addStdin(walk: Walk): void {
  if (walk.seen.has('-')) return;
  walk.seen.add('-');
  walk.files.push({ kind: 'stdin', name: 'standard input' });
}

function addNamed(walk: Walk, path: string): void {
  if (/^https?:\/\//.test(path)) {
    throw new UnreadableInput(path, 'addresses are not fetched', `download it first: curl -fsSL ${path} | bulkhead … -f -`);
  }
  const stats = reading(path, () => statSync(path));
  // A pipe such as /dev/fd/63 has no real path of its own.
  if (!stats.isDirectory()) return stats.isFile() ? addFile(walk, path) : void walk.files.push({ kind: 'file', name: path });
  const isNew = !walk.seen.has(realPath(path));
  const before = walk.manifestsMet;
  addFolder(walk, path, 0);
  if (isNew && walk.manifestsMet === before) {
    throw new UsageError(`no manifests in \`${path}\``, 'a folder is searched for .yaml, .yml and .json files');
  }
}

function addFolder(walk: Walk, folder: string, depth: number): void {
  if (depth > DEPTH_MAX) throw new UsageError(`\`${folder}\` lies more than ${DEPTH_MAX} folders deep`, 'name the folder with the manifests itself');
  if (!take(walk, folder)) return;
  for (const entry of readFolder(folder)) {
    const path = join(folder, entry.name);
    if (entry.name === '.git' || entry.name === SETTINGS_NAME) continue;
    if (entry.isDirectory()) addFolder(walk, path, depth + 1);
    else if (entry.isSymbolicLink()) addLink(walk, path, depth);
    else if (MANIFEST_NAME.test(entry.name) && entry.isFile()) addFile(walk, path);
  }
}

// A mounted ConfigMap is a folder of links, so links are followed; `take` keeps them from leading in circles.
function addLink(walk: Walk, path: string, depth: number): void {
  const isManifest = MANIFEST_NAME.test(path);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    if (isManifest) throw new UnreadableInput(path, 'the link leads nowhere');
    return;
  }
  if (stats.isDirectory()) addFolder(walk, path, depth + 1);
  else if (isManifest && stats.isFile()) addFile(walk, path);
}

function addFile(walk: Walk, path: string): void {
  walk.manifestsMet++;
  if (!take(walk, path)) return;
  if (walk.files.length >= FILES_MAX) throw new UsageError(`more than ${FILES_MAX} manifest files`, 'name a smaller folder');
  walk.files.push({ kind: 'file', name: path });
}

function take(walk: Walk, path: string): boolean {
  const real = realPath(path);
  if (walk.seen.has(real)) return false;
  walk.seen.add(real);
  return true;
}

function readFolder(folder: string): Dirent[] {
  const entries = reading(folder, () => readdirSync(folder, { withFileTypes: true }));
  return entries.sort((a, b) => compareText(a.name, b.name));
}

function realPath(path: string): string {
  return reading(path, () => realpathSync(path));
}

/** What the system says about a path becomes words; a part that cannot be read must not be left out of the answer. */
function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UnreadableInput(path, systemWords(error));
  }
}

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its links lead in a circle',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
};

export function systemWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException; // Node's file functions throw nothing else
  return SYSTEM_WORDS[code ?? ''] ?? message;
}
