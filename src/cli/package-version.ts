// The version of this package, as its package.json says.
import { readFileSync } from 'node:fs';

/** The same relative place from `src/cli` in a clone and `dist/cli` in an installed package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string }; // our own file, shipped with this one
  return version;
}
