// A piece of an application's text under the name it has there: a variable, an option, a field of a configuration file.
import type { ObjectName } from '../../base/finding.ts';
import type { Path } from '../../model/origin.ts';
import type { TextDocument } from '../../read/text/text-document.ts';

export interface Assignment {
  /** As people write it: `DB_HOST`, `--db-host`, `proxy_pass`; empty for a word that stands alone. */
  readonly key: string;
  readonly value: string;
  /** A host and a port may belong together where this is equal. */
  readonly group: string;
  readonly place: TextPlace;
  /** Names that the text itself explains, such as nginx' `upstream backend`; no host is meant by them. */
  readonly ownNames?: ReadonlySet<string>;
}

export interface TextPlace {
  readonly object: ObjectName;
  readonly document: TextDocument;
  /** Of the value in the document. */
  readonly path: Path;
  /** Line inside of a value of several lines, from 0. */
  readonly line: number;
}

/** What a workload's manifest says in its own words. */
export interface WorkloadTexts {
  readonly assignments: readonly Assignment[];
  /** Texts that are meant to be read and are not here. */
  readonly missing: readonly MissingText[];
}

/**
 * `secret`: the value is a Secret's. `config-map`, `key`: the input has no such ConfigMap, or it has no such key.
 */
export interface MissingText {
  readonly kind: 'secret' | 'config-map' | 'key';
  /** Variable that would get it; empty where all keys become variables, or files. */
  readonly key: string;
  /** Of the Secret or ConfigMap. */
  readonly name: string;
  readonly keyThere: string | undefined;
  readonly isOptional: boolean;
  readonly place: TextPlace;
}
