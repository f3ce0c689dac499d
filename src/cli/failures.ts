// The errors that a command ends with: words that make no sense, and a reader that has gone away.

/** The words are wrong: status 2. `help` says what to write instead. */
export class UsageError extends Error {
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.name = 'UsageError';
    this.help = help;
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
