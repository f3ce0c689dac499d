// Findings as a SARIF 2.1.0 log (OASIS, "Static Analysis Results Interchange Format"), with the finding codes as rule ids.
import type { Finding, Severity, TextEdit } from '../../base/finding.ts';
import type { TextRange } from '../../base/source-position.ts';

const LEVELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

export function sarifLog(findings: readonly Finding[], version: string): string {
  const codes = [...new Set(findings.map((finding) => finding.code))].sort();
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'bulkhead', version, rules: codes.map((id) => ({ id })) } },
        columnKind: 'utf16CodeUnits',
        results: withFingerprints(findings).map(([finding, fingerprint]) => sarifResult(finding, fingerprint, codes)),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

// The fingerprint holds no line number, so that a finding stays the same one when lines above it come and go
// (SARIF 2.1.0, section 3.27.17); equal ones are told apart by their number.
function withFingerprints(findings: readonly Finding[]): [Finding, string][] {
  const seen = new Map<string, number>();
  return findings.map((finding) => {
    const { object } = finding;
    const key = [finding.code, finding.file ?? '', object?.kind ?? '', object?.namespace ?? '', object?.name ?? '', finding.message].join('\n');
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return [finding, `${hashText(key)}:${count}`];
  });
}

function sarifResult(finding: Finding, fingerprint: string, codes: readonly string[]): unknown {
  const text = finding.help === undefined ? finding.message : `${finding.message}\n${finding.help}`;
  return {
    ruleId: finding.code,
    ruleIndex: codes.indexOf(finding.code),
    level: LEVELS[finding.severity],
    message: { text: plain(text) },
    ...(finding.file === undefined ? {} : { locations: [location(finding.file, finding.range)] }),
    ...(finding.related === undefined
      ? {}
      : {
          relatedLocations: finding.related.map((related, id) => ({
            id,
            message: { text: plain(related.message) },
            ...(related.file === undefined ? {} : location(related.file, related.range)),
          })),
        }),
    ...(finding.edits === undefined || finding.file === undefined ? {} : { fixes: [fixOf(finding.file, finding.edits, finding.help ?? finding.message)] }),
    partialFingerprints: { 'bulkhead/v1': fingerprint },
  };
}

function fixOf(file: string, edits: readonly TextEdit[], text: string): unknown {
  const replacements = edits.map((edit) => ({ deletedRegion: regionOf(edit.range), insertedContent: { text: edit.text } }));
  return { description: { text }, artifactChanges: [{ artifactLocation: { uri: uriOf(file) }, replacements }] };
}

function location(file: string, range: TextRange | undefined): { physicalLocation: unknown } {
  return { physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...(range === undefined ? {} : { region: regionOf(range) }) } };
}

function regionOf({ start, end }: TextRange): unknown {
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

function uriOf(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/');
}

/** A word in brackets before one in parentheses would be a link (SARIF 2.1.0, section 3.11.6). */
function plain(text: string): string {
  return text.replace(/\[(?=(?:[^[\]\\]|\\.)*\]\()/g, '\\[');
}

/** FNV-1a over UTF-16 units in two halves: spreads, but keeps no secret. */
function hashText(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let at = 0; at < text.length; at++) {
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(at), 0x85ebca6b);
  }
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
