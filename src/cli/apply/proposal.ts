// What somebody wants of a release, before it is judged.
import type { WantedChange } from '../../release/prepare-objects.ts';
import type { AnyPolicy } from '../../release/release.ts';
import type { NamedObject, ReleaseRecord } from '../../release/release-record.ts';
import type { LineLookup } from '../../report/findings/finding-text.ts';

export interface Proposal {
  readonly release: string;
  readonly action: ReleaseRecord['action'];
  readonly wanted: readonly WantedChange[];
  /** What belongs to the release then. */
  readonly members: readonly NamedObject[];
  /** Labels of what belongs to it, and is in no file. */
  readonly left: readonly string[];
  /** Policies as the user's files have them, by label. */
  readonly ofFiles: ReadonlyMap<string, AnyPolicy>;
  readonly lineOf: LineLookup;
  /** The revision that it takes back. */
  readonly undoes?: number;
  /** It allows for a while, and is taken back then. */
  readonly expires?: Date;
  /** Objects are to be exactly as they were. */
  readonly isRestore: boolean;
}
