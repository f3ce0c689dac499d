// What a release cannot go on with, beside what a cluster says no with.

export type ReleaseErrorCode =
  /** Somebody else writes it at this moment. */
  | 'locked'
  /** It broke off, and has to be resumed or taken back first. */
  | 'broken-off'
  | 'too-large'
  /** There is no such release or revision. */
  | 'unknown-release'
  /** The cluster is no longer as it was judged. */
  | 'changed-meanwhile';

/** The command ends with status 3. `help` is one step. */
export class ReleaseError extends Error {
  readonly code: ReleaseErrorCode;

  constructor(code: ReleaseErrorCode, message: string, help?: string) {
    super(help === undefined ? message : `${message}\n  help: ${help}`);
    this.name = 'ReleaseError';
    this.code = code;
  }
}
