// Lines of manifests as they may be shown: what stands in for a password in an address is struck out, sign by sign, so that carets stay right.
import type { LineLookup } from '../../report/findings/finding-text.ts';

// `//user:password@host`, `user:password@tcp(host)`, `password=…`.
const USER_INFO = /(\/\/|["'\s=])[^\s"'/@]*:[^\s"']*(?=@)/g;
const FIELD = /\b(password|passwd|pwd|secret|token|accesskey|accountkey|sharedaccesskey)(\s*[=:]\s*)([^\s;,&"']+)/gi;

/** A line that nobody reads is not shown; in UTF-16 units. */
const LINE_MAX = 20_000;

export function maskedLines(lineOf: LineLookup): LineLookup {
  return (file, line) => {
    const text = lineOf(file, line);
    if (text === undefined || text.length > LINE_MAX) return undefined;
    return text
      .replace(USER_INFO, (whole, before: string) => `${before}${'*'.repeat(whole.length - before.length)}`)
      .replace(FIELD, (_whole, name: string, sign: string, value: string) => `${name}${sign}${'*'.repeat(value.length)}`);
  };
}
