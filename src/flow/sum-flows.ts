// Two records of the same flow as one.
import type { FlowRecord } from './flow-record.ts';

/** What is not summed is as `more` says it. */
export function sumFlows(before: FlowRecord, more: FlowRecord): FlowRecord {
  return {
    ...more,
    count: before.count + more.count,
    openings: before.openings === undefined || more.openings === undefined ? undefined : before.openings + more.openings,
    firstSeen: Math.min(before.firstSeen, more.firstSeen),
    lastSeen: Math.max(before.lastSeen, more.lastSeen),
    reason: more.reason ?? before.reason,
  };
}
