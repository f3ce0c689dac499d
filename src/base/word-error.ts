// A word of the user's that names nothing, or that cannot be understood, with what to write instead.

/** `message` says what is wrong, `help` what to write: lower case, no final stop. */
export class WordError extends Error {
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.name = 'WordError';
    this.help = help;
  }
}
