// Answers and findings become text: every function here takes a value that another room made and gives what a reader or a program reads.
import type { Finding } from '../base/finding.ts';
import { findingsJunit, findingsTap } from './findings/finding-files.ts';
import { findingLine, findingsJson } from './findings/finding-json.ts';
import { findingText, type FindingLayout } from './findings/finding-text.ts';
import { githubCommand } from './findings/finding-github.ts';
import { sarifLog } from './findings/finding-sarif.ts';

export type FindingFormat = (typeof FINDING_FORMATS)[number];

export const FINDING_FORMATS = ['text', 'json', 'jsonl', 'github', 'sarif', 'junit', 'tap'] as const;

export interface FindingsLayout extends FindingLayout {
  readonly version: string;
  /** Every file that was looked at: formats of test runners name those without findings too. */
  readonly files: readonly string[];
}

export function formatFindings(
  format: FindingFormat,
  findings: readonly Finding[],
  layout: FindingsLayout,
): Iterable<string> {
  switch (format) {
    case 'text':
      return findings.map((finding) => findingText(finding, layout));
    case 'json':
      return [findingsJson(findings)];
    case 'jsonl':
      return findings.map(findingLine);
    case 'github':
      return findings.map(githubCommand);
    case 'sarif':
      return [sarifLog(findings, layout.version)];
    case 'junit':
      return [findingsJunit(findings, layout.files)];
    case 'tap':
      return [findingsTap(findings, layout.files)];
  }
}
