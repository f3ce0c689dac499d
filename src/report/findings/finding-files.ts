// Findings by file, for formats of test runners: an error fails, everything else passes and is told, a file without findings passes.
import type { Finding } from '../../base/finding.ts';
import { placeOf } from './finding-text.ts';
import { tapDocument, type TapPoint } from '../text/tap-point.ts';
import { xmlText } from '../text/xml-text.ts';

interface FileFindings {
  readonly file: string;
  readonly findings: readonly Finding[];
}

/** Findings that belong to no file stand under this name. */
const NO_FILE = 'input';

function byFile(findings: readonly Finding[], files: readonly string[]): readonly FileFindings[] {
  const groups = new Map<string, Finding[]>(files.map((file) => [file, []]));
  for (const finding of findings) groups.set(finding.file ?? NO_FILE, [...(groups.get(finding.file ?? NO_FILE) ?? []), finding]);
  return [...groups].map(([file, own]) => ({ file, findings: own }));
}

function isFailure({ severity }: Finding): boolean {
  return severity === 'error';
}

/** A suite for each file, a case for each finding. */
export function findingsJunit(findings: readonly Finding[], files: readonly string[]): string {
  const groups = byFile(findings, files);
  const tests = groups.reduce((sum, group) => sum + Math.max(1, group.findings.length), 0);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bulkhead lint" tests="${tests}" failures="${findings.filter(isFailure).length}" errors="0">\n${groups.map(junitSuite).join('')}</testsuites>\n`;
}

function junitSuite({ file, findings }: FileFindings): string {
  const cases = findings.length === 0 ? [`    <testcase classname="${xmlText(file)}" name="no findings" file="${xmlText(file)}"/>\n`] : findings.map((finding) => junitCase(file, finding));
  return `  <testsuite name="${xmlText(file)}" tests="${cases.length}" failures="${findings.filter(isFailure).length}" errors="0" skipped="0">\n${cases.join('')}  </testsuite>\n`;
}

function junitCase(file: string, finding: Finding): string {
  const { code, severity, message, range, help } = finding;
  const line = range === undefined ? '' : ` line="${range.start.line}"`;
  const text = xmlText([`${placeOf(finding.file, range)} ${severity}: ${message}`.trim(), ...(help === undefined ? [] : [help])].join('\n'));
  const body = isFailure(finding) ? `<failure type="${code}" message="${xmlText(message)}">${text}</failure>` : `<system-out>${text}</system-out>`;
  return `    <testcase classname="${xmlText(file)}" name="${xmlText(`${code}: ${message}`)}" file="${xmlText(file)}"${line}>\n      ${body}\n    </testcase>\n`;
}

/** Test Anything Protocol 14: a point for each finding, and one for each file without any. */
export function findingsTap(findings: readonly Finding[], files: readonly string[]): string {
  return tapDocument(byFile(findings, files).flatMap(({ file, findings: own }) => (own.length === 0 ? [{ holds: true, name: `${file}: no findings`, diagnostics: [] }] : own.map((finding) => tapPointOf(file, finding)))));
}

function tapPointOf(file: string, finding: Finding): TapPoint {
  const { code, severity, message, range, help } = finding;
  const diagnostics = [`severity: ${severity}`, `code: ${code}`, `at: ${JSON.stringify(placeOf(file, range))}`, `message: ${JSON.stringify(message)}`, ...(help === undefined ? [] : [`help: ${JSON.stringify(help)}`])];
  return { holds: !isFailure(finding), name: `${file}: ${code}: ${message}`, diagnostics };
}
