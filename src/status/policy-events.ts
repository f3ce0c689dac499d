// Events on policies as their standing changes on this node: in force, or a problem found; bounded in rate, and one for all nodes that find the same.
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/sleep.ts';
import { AUDIT_LABEL } from '../model/namespace-audit.ts';
import type { ClusterApi, NewObject, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { PolicyState } from '../agent/agent-state.ts';
import { policyStanding } from './metrics-text.ts';
import type { StateSource } from './publish-enforcement.ts';

export const EVENT: ServedKind = { apiVersion: 'events.k8s.io/v1', kind: 'Event', resource: 'events', isNamespaced: true };

/** Of the API, `note`. */
const NOTE_BYTES_MAX = 1_024;
/** Events that wait to be written; more are dropped, for NodeEnforcement says it all. */
const WAITING_MAX = 100;
/** So many at once, and then one for each of these steps. */
const BURST = 20;
const REFILL_MS = 6_000;
/** Looked at in steps, not at each of a hundred changes in a second. */
const STEP_MS = 1_000;

export interface Announcing {
  readonly api: Pick<ClusterApi, 'create'>;
  readonly source: StateSource;
  readonly clock: Clock;
  readonly onFailure: (error: ClusterError) => void;
  readonly signal: AbortSignal;
}

/** Ends with the signal. What is in force when it starts was announced before, by an earlier agent or another node. */
export async function announcePolicies({ api, source, clock, onFailure, signal }: Announcing): Promise<void> {
  let known = byUid(source.state.policies);
  const waiting: PolicyState[] = [...known.values()].filter((policy) => ['problem', 'audited'].includes(policyStanding(policy))).slice(0, WAITING_MAX);
  let tokens = BURST;
  let refilledMs = clock.elapsedMs();
  let hasChanged = false;
  source.onChange(() => (hasChanged = true));
  while (!signal.aborted) {
    if (hasChanged) {
      hasChanged = false;
      const policies = byUid(source.state.policies);
      waiting.push(...[...policies.values()].filter((policy) => isNews(policy, known.get(policy.uid))).slice(0, WAITING_MAX - waiting.length));
      known = policies;
    }
    const steps = Math.floor((clock.elapsedMs() - refilledMs) / REFILL_MS);
    tokens = Math.min(BURST, tokens + steps);
    refilledMs += steps * REFILL_MS;
    while (tokens > 0 && waiting.length > 0 && !signal.aborted) {
      tokens--;
      await announce({ api, onFailure }, eventOf(waiting.shift()!, source.state.node, clock.now()));
    }
    await sleep(clock, STEP_MS, signal);
  }
}

function byUid(policies: readonly PolicyState[]): ReadonlyMap<string, PolicyState> {
  return new Map(policies.map((policy) => [policy.uid, policy]));
}

function isNews(policy: PolicyState, before: PolicyState | undefined): boolean {
  const standing = policyStanding(policy);
  if (standing === 'pending') return false;
  return before === undefined || policyStanding(before) !== standing || before.generation !== policy.generation || before.problem !== policy.problem;
}

/** Who comes second with the same says nothing new. */
async function announce({ api, onFailure }: Pick<Announcing, 'api' | 'onFailure'>, event: NewObject): Promise<void> {
  try {
    await api.create(EVENT, event);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    if (error.code !== 'conflict') onFailure(error);
  }
}

/** A policy of the whole cluster has its events in `default`, as the API wants it. */
export function eventOf(policy: PolicyState, node: string, at: Date): NewObject {
  const { apiVersion, kind, namespace, name, uid, generation } = policy;
  const { word, reason, note } = newsOf(policy, node);
  return {
    apiVersion: EVENT.apiVersion,
    kind: EVENT.kind,
    metadata: { name: `bulkhead.${uid}.${generation}.${word}`, namespace: namespace === '' ? 'default' : namespace },
    eventTime: at.toISOString().replace('Z', '000Z'),
    reportingController: 'bulkhead.dev/agent',
    reportingInstance: node.slice(0, 128),
    action: 'Enforce',
    reason,
    type: reason === 'InForce' ? 'Normal' : 'Warning',
    note: cutBytes(`generation ${generation} ${note}`),
    regarding: { apiVersion, kind, ...(namespace === '' ? {} : { namespace }), name, uid },
  };
}

function newsOf({ isAudited, namespace, problem }: PolicyState, node: string): { readonly word: string; readonly reason: 'InForce' | 'PolicyProblem' | 'Audited'; readonly note: string } {
  if (isAudited) return { word: 'audited', reason: 'Audited', note: `is judged and NOT enforced: its namespace has the label ${AUDIT_LABEL}; \`bulkhead status\` says what it would refuse, and \`kubectl label namespace ${namespace} ${AUDIT_LABEL}-\` enforces it` };
  if (problem !== undefined) return { word: 'problem', reason: 'PolicyProblem', note: `closes what it selects: ${problem}` };
  return { word: 'in-force', reason: 'InForce', note: `is in force on the node ${node}; \`bulkhead status\` says where else` };
}

function cutBytes(text: string): string {
  let kept = text;
  while (new TextEncoder().encode(kept).length > NOTE_BYTES_MAX) kept = kept.slice(0, -16);
  return kept;
}
