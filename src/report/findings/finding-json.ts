// Findings as the JSON of the contract: the same fields in the same order, missing ones left out.
import type { Finding } from '../../base/finding.ts';
import { jsonLine } from '../text/json-line.ts';

export function findingsJson(findings: readonly Finding[]): string {
  const document = { apiVersion: 'bulkhead/v1', kind: 'Findings', findings: findings.map(jsonFinding) };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** One line, with the member that `reach -o jsonl` has for findings. */
export function findingLine(finding: Finding): string {
  return `{ "finding": ${jsonLine(jsonFinding(finding))} }\n`;
}

/** A copy with its fields in the contract's order, whatever order they were made in. */
export function jsonFinding(finding: Finding): Finding {
  const { code, severity, message, file, range, object, related, help, edits } = finding;
  return {
    code,
    severity,
    message,
    ...(file === undefined ? {} : { file }),
    ...(range === undefined ? {} : { range }),
    ...(object === undefined ? {} : { object }),
    ...(related === undefined ? {} : { related }),
    ...(help === undefined ? {} : { help }),
    ...(edits === undefined ? {} : { edits }),
  };
}
