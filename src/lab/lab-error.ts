// What the lab throws when this host, or the size of what it was given, says no.

export type LabErrorCode =
  | 'too-many-pods'
  | 'no-addresses-left'
  | 'too-few-descriptors'
  | 'no-namespaces'
  | 'no-forwarding'
  | 'nft-refused'
  | 'no-lab'
  | 'several-labs'
  | 'no-such-pod'
  | 'ambiguous-pod'
  | 'shell-failed';

export class LabError extends Error {
  readonly code: LabErrorCode;
  /** What to do, in one step. */
  readonly help: string | undefined;
  constructor(code: LabErrorCode, message: string, options: { readonly help?: string; readonly cause?: unknown } = {}) {
    super(options.help === undefined ? message : `${message}; ${options.help}`, { cause: options.cause });
    this.name = 'LabError';
    this.code = code;
    this.help = options.help;
  }
}
