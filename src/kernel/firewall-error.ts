// What the kernel or nft refused, in words: what was being done, why not, and which line or element offends.
import { constants } from 'node:os';

/**
 * `element-conflict`: it is there with other data, or an interval that is there overlaps it.
 * `element-absent`: it is not there, or the set is not. `table-missing`: our table is not loaded. `table-in-use`:
 * another process writes it. `set-full`: it holds as much as it takes. `kernel-lacks`: a part of nf_tables is missing.
 */
export type FirewallErrorCode =
  | 'nft-missing'
  | 'nft-refused'
  | 'kernel-lacks'
  | 'not-permitted'
  | 'table-missing'
  | 'table-in-use'
  | 'element-conflict'
  | 'element-absent'
  | 'change-too-large'
  | 'set-full'
  | 'out-of-memory'
  | 'conntrack'
  | 'netlink';

export interface FirewallErrorDetails {
  readonly code: FirewallErrorCode;
  /** Completes "cannot …". */
  readonly doing: string;
  readonly errno?: number;
  /** The offending line of nft text, or the offending element as nft text. */
  readonly offender?: string;
  /** What nft or the kernel said. */
  readonly said?: string;
  readonly cause?: unknown;
}

export class FirewallError extends Error {
  readonly code: FirewallErrorCode;
  readonly doing: string;
  /** `ENOENT` and the like. */
  readonly errnoName: string | undefined;
  readonly offender: string | undefined;

  constructor({ code, doing, errno, offender, said, cause }: FirewallErrorDetails) {
    const name = errno === undefined ? undefined : errnoName(errno);
    const parts = [`cannot ${doing}`, name, said, offender === undefined ? undefined : `at \`${offender}\``];
    super(parts.filter((part) => part !== undefined && part !== '').join(': '), { cause });
    this.name = 'FirewallError';
    this.code = code;
    this.doing = doing;
    this.errnoName = name;
    this.offender = offender;
  }
}

export function errnoName(errno: number): string {
  const found = Object.entries(constants.errno).find(([, value]) => value === errno);
  return found?.[0] ?? `errno ${errno}`;
}

/** The code that says what an errno of nf_tables means for elements. */
export function codeOfErrno(errno: number): FirewallErrorCode {
  const { EPERM, EACCES, EEXIST, EBUSY, ENOENT, ENOTEMPTY, EMSGSIZE, ENFILE, ENOSPC, ENOMEM, ENOBUFS } = constants.errno;
  switch (errno) {
    case EPERM:
    case EACCES:
      return 'not-permitted';
    case EEXIST:
    case EBUSY:
    case ENOTEMPTY:
      return 'element-conflict';
    case ENOENT:
      return 'element-absent';
    case EMSGSIZE:
      return 'change-too-large';
    case ENFILE:
    case ENOSPC:
      return 'set-full';
    case ENOMEM:
    case ENOBUFS:
      return 'out-of-memory';
    default:
      return 'netlink';
  }
}

/** Whether less would have been taken. */
export function isLackOfRoom({ code }: FirewallError): boolean {
  return code === 'set-full' || code === 'change-too-large' || code === 'out-of-memory';
}
