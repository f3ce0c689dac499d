// Where in the text a policy, a rule or one of its words stands, and the findings made there.
import type { FindingCode } from '../../base/finding-code.ts';
import type { Finding, RelatedPlace, Severity, TextEdit } from '../../base/finding.ts';
import type { TextRange } from '../../base/source-position.ts';
import { nameOfPolicy, type NetworkPolicy } from '../../model/network-policy.ts';
import { below, locateOrigin, type Origin } from '../../model/origin.ts';
import type { Requirement } from '../../model/selector.ts';

export interface FindingParts {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  readonly origin: Origin;
  readonly help?: string | undefined;
  readonly edits?: readonly TextEdit[] | undefined;
  readonly related?: readonly RelatedPlace[] | undefined;
}

export function findAt(policy: NetworkPolicy, parts: FindingParts): Finding {
  const { code, severity, message, origin, help, edits, related } = parts;
  return {
    code,
    severity,
    message,
    ...locateOrigin(origin),
    object: nameOfPolicy(policy),
    ...(help === undefined ? {} : { help }),
    ...(edits === undefined || edits.length === 0 ? {} : { edits }),
    ...(related === undefined || related.length === 0 ? {} : { related }),
  };
}

/** A field that is not written has the range of what it would stand in. */
export function isSameRange(a: TextRange, b: TextRange): boolean {
  return startsAlike(a, b) && a.end.line === b.end.line && a.end.column === b.end.column;
}

/** Whether a map has a field, be it null. */
export function isWritten(map: Origin, field: string): boolean {
  return !isSameRange(locateOrigin(below(map, field)).range, locateOrigin(map).range);
}

/**
 * The edit that makes a selector name another value of the same label.
 * None where the value is not found written out at its place, as in a selector that an alias brings.
 */
export function replaceValue(selectorOrigin: Origin, requirement: Requirement & { readonly values: readonly string[] }, value: string): TextEdit[] {
  const [old, ...others] = requirement.values;
  if (old === undefined || others.length > 0) return [];
  const labels = below(selectorOrigin, 'matchLabels');
  const range = locateOrigin(below(labels, requirement.key)).range;
  if (startsAlike(range, locateOrigin(labels).range)) return [];
  const quotes = widthOf(range) - old.length;
  if (quotes !== 0 && quotes !== 2) return [];
  return [{ range, text: quotes === 2 || !isPlainText(value) ? JSON.stringify(value) : value }];
}

/** The edit that writes a field's value anew; none where it is not found written out as `before`. */
export function replaceScalar(origin: Origin, key: string, { before, after }: { readonly before: string; readonly after: string }): TextEdit[] {
  const range = locateOrigin(below(origin, key)).range;
  return isSameRange(range, locateOrigin(origin).range) || widthOf(range) !== before.length ? [] : [{ range, text: after }];
}

/** Whether YAML 1.1 reads the text as this very string without quotes. */
export function isPlainText(value: string): boolean {
  return /^[A-Za-z][A-Za-z0-9._-]*$/.test(value) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(value);
}

function startsAlike(a: TextRange, b: TextRange): boolean {
  return a.start.line === b.start.line && a.start.column === b.start.column;
}

/** −1 for what stands on more than one line. */
function widthOf(range: TextRange): number {
  return range.start.line === range.end.line ? range.end.column - range.start.column : -1;
}
