// What the store of flows could not do, and whether to try again helps.

/**
 * `store-missing`: the database is not installed for this platform. `store-unreadable`: the file is no store of ours, or damaged.
 * `store-in-use`: another process has it open. `store-failed`: the disk is full, or refused; nothing of what was asked is kept.
 * `store-busy`: too much waits to be written. `store-closed`: it was closed meanwhile.
 * `server-gone`: no whole answer came from a server of flows. `server-refused`: it said no.
 */
export type HistoryErrorCode = 'store-missing' | 'store-unreadable' | 'store-in-use' | 'store-failed' | 'store-busy' | 'store-closed' | 'server-gone' | 'server-refused';

export class HistoryError extends Error {
  readonly code: HistoryErrorCode;

  constructor(code: HistoryErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'HistoryError';
    this.code = code;
  }
}
