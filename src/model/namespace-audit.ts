// The label by which a namespace asks that its NetworkPolicies be judged and not enforced.
import type { Labels } from './selector.ts';

export const AUDIT_LABEL = 'bulkhead.dev/audit';

/** Any value but `true` asks for nothing. */
export function asksForAudit(labels: Labels): boolean {
  return labels.get(AUDIT_LABEL) === 'true';
}
