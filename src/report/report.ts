// Answers and findings become text: every function here takes a value that another room made and gives what a reader or a program reads.
import type { Finding } from '../base/finding.ts';
import { findingLine, findingsJson } from './finding-json.ts';
import { findingText, type FindingLayout } from './finding-text.ts';
import { githubCommand } from './finding-github.ts';
import { sarifLog } from './finding-sarif.ts';

export type FindingFormat = (typeof FINDING_FORMATS)[number];

export const FINDING_FORMATS = ['text', 'json', 'jsonl', 'github', 'sarif'] as const;

export function formatFindings(
  format: FindingFormat,
  findings: readonly Finding[],
  layout: FindingLayout & { readonly version: string },
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
  }
}
