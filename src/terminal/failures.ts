// The errors that a command ends with: words that make no sense, and a reader that has gone away.
import type { Finding } from '../base/finding.ts';
import { WordError } from '../base/word-error.ts';

/** The words are wrong: status 2. `help` says what to write instead. */
export class UsageError extends WordError {
  constructor(message: string, help?: string) {
    super(message, help);
    this.name = 'UsageError';
  }
}

/** An input cannot be opened or read: status 2, and it must not be left out of an answer in silence. */
export class UnreadableInput extends Error {
  readonly finding: Finding;

  constructor(file: string, reason: string, help?: string) {
    const message = `cannot read \`${file}\`: ${reason}`;
    super(message);
    this.name = 'UnreadableInput';
    this.finding = { code: 'unreadable-file', severity: 'error', message, ...(help === undefined ? {} : { help }) };
  }
}

/** Whoever read our output closed it, as `head` does: there is nobody left to tell. */
export class ReaderGone extends Error {
  constructor() {
    super('the reader of the output has closed it');
    this.name = 'ReaderGone';
  }
}

/** What the rooms that touch the world throw when it says no: an Error with a `code`. Node's own `ERR_…` are misuse of Node: bugs. */
export function isFailure(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');
}
