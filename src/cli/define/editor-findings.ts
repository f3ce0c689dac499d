// Findings as an editor takes them: diagnostics of the Language Server Protocol, and the edits that mend them.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DiagnosticSeverity, type CodeAction, type Diagnostic, type Range, type TextEdit } from 'vscode-languageserver/node';
import type { Finding, Severity } from '../../base/finding.ts';
import type { TextRange } from '../../base/source-position.ts';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

export function diagnosticOf(finding: Finding): Diagnostic {
  const { code, severity, message, help, range, related = [] } = finding;
  const places = related.flatMap((place) => (place.file === undefined || place.range === undefined ? [] : [{ location: { uri: uriOf(resolve(place.file)), range: rangeOf(place.range) }, message: place.message }]));
  return {
    source: 'bulkhead',
    code,
    severity: SEVERITIES[severity],
    message: help === undefined ? message : `${message}\n${help}`,
    range: rangeOf(range),
    ...(places.length > 0 && { relatedInformation: places }),
  };
}

/** undefined: nobody is sure how to mend it. */
export function quickFixOf(uri: string, finding: Finding): CodeAction | undefined {
  if (finding.edits === undefined) return undefined;
  const edits = finding.edits.map(({ range, text }): TextEdit => ({ range: rangeOf(range), newText: text }));
  return { title: finding.help ?? `mend: ${finding.message}`, kind: 'quickfix', diagnostics: [diagnosticOf(finding)], edit: { changes: { [uri]: edits } } };
}

export function uriOf(path: string): string {
  return pathToFileURL(path).href;
}

/** Ours count from 1, the protocol's from 0; both in UTF-16 units. What has no place of its own stands on the first line. */
function rangeOf(range: TextRange | undefined): Range {
  if (range === undefined) return { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  const { start, end } = range;
  return { start: { line: start.line - 1, character: start.column - 1 }, end: { line: end.line - 1, character: end.column - 1 } };
}

export function overlaps(a: Range, b: Range): boolean {
  return isBefore(a.start, b.end) && isBefore(b.start, a.end);
}

function isBefore(a: Range['start'], b: Range['start']): boolean {
  return a.line < b.line || (a.line === b.line && a.character <= b.character);
}
