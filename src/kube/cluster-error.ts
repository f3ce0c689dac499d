// What a cluster says no with, in words that say what to do.

export type ClusterErrorCode =
  /** There is no configuration, or it cannot be used. */
  | 'no-cluster'
  /** Nobody answers, or not in time. */
  | 'unreachable'
  /** It does not know who is asking. */
  | 'unauthorized'
  /** It knows, and says no. */
  | 'forbidden'
  /** There is no such object or kind. */
  | 'not-found'
  /** Of a write: it does not take the object. */
  | 'invalid'
  /** Of a write: there is one of that name already, or it has changed meanwhile. */
  | 'conflict'
  /** An answer larger than the bound. */
  | 'too-large'
  /** The state that a list was going through is gone (410). */
  | 'expired'
  /** It sends what no API server sends. */
  | 'malformed'
  /** Anything else that it answers. */
  | 'server-error';

/** The command ends with status 3. `help` is one step. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, { help, cause }: { readonly help?: string; readonly cause?: unknown } = {}) {
    super(help === undefined ? message : `${message}\n  help: ${help}`, cause === undefined ? undefined : { cause });
    this.name = 'ClusterError';
    this.code = code;
  }
}
