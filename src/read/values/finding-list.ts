// Where the findings of one reading gather, within a bound.
import type { Finding } from '../../base/finding.ts';

/** Findings kept of one reading; what comes later is counted, and the count is a finding of its own. */
export const FINDINGS_MAX = 10_000;

/** Grows while a reading goes on; `findingsOf` ends it. */
export interface FindingList {
  readonly kept: Finding[];
  dropped: number;
  droppedErrors: number;
}

export function createFindingList(): FindingList {
  return { kept: [], dropped: 0, droppedErrors: 0 };
}

export function addFinding(list: FindingList, finding: Finding): void {
  if (list.kept.length < FINDINGS_MAX) {
    list.kept.push(finding);
    return;
  }
  list.dropped++;
  if (finding.severity === 'error') list.droppedErrors++;
}

/** An error among those left out stays an error: the bound hides texts, never the verdict. */
export function findingsOf(list: FindingList): readonly Finding[] {
  if (list.dropped === 0) return list.kept;
  const more: Finding = {
    code: 'too-many-findings',
    severity: list.droppedErrors > 0 ? 'error' : 'warning',
    message: `${list.dropped} more findings are not shown, ${list.droppedErrors} of them errors`,
    help: 'mend those shown and read again',
  };
  return [...list.kept, more];
}
