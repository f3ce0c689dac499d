// Writes a file that may be there already, with the folders that lead to it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { systemWords } from '../../input/list-inputs.ts';
import { replaceFile } from '../../input/replace-file.ts';
import { UsageError } from '../../terminal/failures.ts';

/** Throws UsageError when it may not. */
export function writeWhole(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '', { flag: 'a' });
  } catch (error) {
    throw new UsageError(`cannot write \`${path}\`: ${systemWords(error)}`);
  }
  replaceFile(path, text);
}

/** Throws UsageError for a name that leads out of the folder: names come from files and flows of others. */
export function pathBelow(folder: string, ...names: readonly string[]): string {
  const path = join(folder, ...names);
  if (relative(folder, path).split(sep)[0] === '..') throw new UsageError(`\`${names.join('/')}\` leads out of \`${folder}\``);
  return path;
}
