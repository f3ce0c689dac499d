// A finding: something in the user's input is wrong or weak. A value, never thrown.
import type { FindingCode } from './finding-code.ts';
import type { TextRange } from './source-position.ts';

export type Severity = 'error' | 'warning' | 'info';

/** A replacement of a part of the file that the finding names. */
export interface TextEdit {
  readonly range: TextRange;
  readonly text: string;
}

export interface ObjectName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface RelatedPlace {
  readonly message: string;
  readonly file?: string;
  readonly range?: TextRange;
}

/** The contract's shape: see `docs/reference/findings.md` for each code. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What is wrong, about which named thing: lower case, no final stop, names in backticks. */
  readonly message: string;
  readonly file?: string;
  readonly range?: TextRange;
  readonly object?: ObjectName;
  readonly related?: readonly RelatedPlace[];
  /** What to do, in one step. */
  readonly help?: string;
  readonly edits?: readonly TextEdit[];
}

/** Sorts by file, then position, then code; the same findings come out in the same order. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compareText(a.file ?? '', b.file ?? '') ||
      (a.range?.start.line ?? 0) - (b.range?.start.line ?? 0) ||
      (a.range?.start.column ?? 0) - (b.range?.start.column ?? 0) ||
      compareText(a.code, b.code) ||
      compareText(a.message, b.message),
  );
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error');
}

/** Code unit order: the same on every machine, unlike `localeCompare`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
