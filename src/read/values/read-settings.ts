// What a reading is asked to do, with every default settled.
import type { Severity } from '../../base/finding.ts';
import type { IpRange } from '../../base/ip-address.ts';
import type { KeepsWritten } from './written-object.ts';

/** The most that is held of one YAML document, or of one JSON value or list item; a list of JSON may be longer. */
export const FILE_BYTES_MAX: number = 64 * 1024 * 1024;

export interface ReadSettings {
  /** `-n`; undefined: each file's own namespace, else `default`. */
  readonly namespace: string | undefined;
  readonly isLenient: boolean;
  /** Objects stand as a server holds them: a field that is not known here means something there, so nothing may be concluded without it. */
  readonly isStored: boolean;
  /** Of what cannot be understood: a warning only where the user asked for it. */
  readonly refusal: Severity;
  readonly podRanges: readonly IpRange[];
  readonly fileBytesMax: number;
  readonly keepsWritten: KeepsWritten;
}

export function settleOptions(options: {
  readonly defaultNamespace?: string;
  readonly lenient?: boolean;
  readonly isStored?: boolean;
  readonly podRanges?: readonly IpRange[];
  readonly fileBytesMax?: number;
  readonly keepsWritten?: KeepsWritten;
}): ReadSettings {
  const isLenient = options.lenient === true;
  return {
    namespace: options.defaultNamespace,
    isLenient,
    isStored: options.isStored === true,
    refusal: isLenient && options.isStored !== true ? 'warning' : 'error',
    podRanges: options.podRanges ?? [],
    fileBytesMax: options.fileBytesMax ?? FILE_BYTES_MAX,
    keepsWritten: options.keepsWritten ?? false,
  };
}
