// Writes a file anew as a whole: whoever reads it meanwhile finds the old text or the new one.
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../terminal/failures.ts';
import { systemWords } from './list-inputs.ts';

/** A link stays a link: what it leads to is replaced. Keeps the mode. Throws UsageError when it may not. */
export function replaceFile(path: string, text: string): void {
  let fresh: string | undefined;
  try {
    const target = realpathSync(path);
    const { mode } = statSync(target);
    fresh = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
    const descriptor = openSync(fresh, 'wx', mode & 0o777);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, target);
  } catch (error) {
    if (fresh !== undefined) rmSync(fresh, { force: true });
    throw new UsageError(`cannot write \`${path}\`: ${systemWords(error)}`);
  }
}
