// The object that is being read, and how its findings are made.
import type { FindingCode } from '../../base/finding-code.ts';
import type { Finding, ObjectName, RelatedPlace, Severity, TextEdit } from '../../base/finding.ts';
import type { TextRange } from '../../base/source-position.ts';
import type { Origin, Path } from '../../model/origin.ts';
import { addFinding, type FindingList } from './finding-list.ts';
import type { ReadSettings } from './read-settings.ts';
import type { TextDocument } from '../text/text-document.ts';

export interface ObjectContext {
  readonly settings: ReadSettings;
  readonly findings: FindingList;
  readonly document: TextDocument;
  readonly object: ObjectName;
  /** What the lenient reading makes of a part that it cannot understand, for messages. */
  readonly leftOut: string;
  /**
   * The part of a cluster-wide policy that is being read. In both, a field that nobody knows is never passed over; in a
   * rule, terms of selectors that cannot be understood are only warned of, for the server stores them unseen.
   */
  readonly tierPart?: 'subject' | 'rule';
  /** Where every part of the object is said to stand; undefined: each where it does. */
  readonly origin?: Origin;
  /** Parts that could not be understood; in the strict reading, one is enough to refuse the object. */
  refusals: number;
}

export interface FindingDetails {
  readonly help?: string;
  /** The word to write in place of the value, or of the key, to mend it; quoted as the old one was. */
  readonly replacement?: string;
  /** The same, as it shall stand in the text. */
  readonly literal?: string;
  readonly edits?: readonly TextEdit[] | undefined;
  readonly related?: readonly RelatedPlace[];
  /** Points at the key, not at its value. */
  readonly atKey?: boolean;
}

export interface RefusalDetails {
  /** In place of the object's own `leftOut`. */
  readonly leavesOut?: string;
  /** Refused also where the server does not look into selectors. */
  readonly isRequired?: boolean;
}

/** Something that the server would refuse: an error, and with `lenient` a warning that says what is left out. */
export function refuse(context: ObjectContext, path: Path, code: FindingCode, message: string, details: FindingDetails & RefusalDetails = {}): void {
  context.refusals++;
  const isStored = context.tierPart === 'rule' && details.isRequired !== true && SELECTOR_CODES.has(code);
  if (isStored) {
    report(context, path, code, closingSeverity(context), `${message}; ${context.leftOut}`, details);
    return;
  }
  const left = context.settings.isLenient ? `; ${details.leavesOut ?? context.leftOut}` : '';
  report(context, path, code, context.settings.refusal, `${message}${left}`, details);
}

/** Something that the server stores and nobody can understand. */
export function failClosed(context: ObjectContext, path: Path, code: FindingCode, message: string, details: FindingDetails = {}): void {
  context.refusals++;
  report(context, path, code, closingSeverity(context), `${message}; ${context.leftOut}`, details);
}

/** Of a cluster's own objects everything that closes is told as an error; a file whose rule the server would store is no worse for it. */
function closingSeverity({ settings }: ObjectContext): Severity {
  return settings.isStored ? 'error' : 'warning';
}

/** The schema of a custom resource says nothing of what stands in a selector. */
const SELECTOR_CODES: ReadonlySet<FindingCode> = new Set(['invalid-operator', 'invalid-selector-values', 'invalid-label']);

/** Something that the server accepts and somebody should know. */
export function remark(context: ObjectContext, path: Path, code: FindingCode, severity: Severity, message: string, details: FindingDetails = {}): void {
  report(context, path, code, severity, message, details);
}

function report(context: ObjectContext, path: Path, code: FindingCode, severity: Severity, message: string, details: FindingDetails): void {
  const range = details.atKey === true ? context.document.locateKey(path) : context.document.locate(path);
  const edits = editsOf(context, path, details, range);
  const finding: Finding = {
    code,
    severity,
    message,
    file: context.document.file,
    range,
    object: context.object,
    ...(details.help === undefined ? {} : { help: details.help }),
    ...(details.related === undefined ? {} : { related: details.related }),
    ...(edits === undefined ? {} : { edits }),
  };
  addFinding(context.findings, finding);
}

function editsOf(context: ObjectContext, path: Path, details: FindingDetails, range: TextRange): readonly TextEdit[] | undefined {
  if (details.literal !== undefined) return [{ range, text: details.literal }];
  if (details.replacement === undefined) return details.edits;
  const written = details.atKey === true ? context.document.writtenKey(path) : context.document.writtenAt(path);
  return [{ range, text: quoteAlike(written ?? '', details.replacement) }];
}

function quoteAlike(written: string, word: string): string {
  if (written.startsWith('"')) return JSON.stringify(word);
  return written.startsWith("'") || /^[:*&!|>@`%{[]/.test(word) ? `'${word.replaceAll("'", "''")}'` : word;
}

export function originOf(context: ObjectContext, path: Path): Origin {
  return context.origin ?? { document: context.document, path };
}

/** A path as people write it: `spec.ingress[0].from[1]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z][A-Za-z0-9]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
