// Which generation of each policy the kernel holds, and since when; nothing is said to be in force before its commit came back.
import { compareText } from '../base/finding.ts';
import type { ClusterChange } from '../compile/cluster-change.ts';
import type { PolicyState } from './agent-state.ts';
import type { ToldChange, ToldPolicy } from './told.ts';

export type PolicyKey = string;

export type AuditedPolicy = ToldPolicy & Required<Pick<ToldPolicy, 'audited'>>;

interface Standing {
  readonly told: ToldPolicy;
  inForceSince: Date | undefined;
}

export class PoliciesInForce {
  private readonly standings = new Map<PolicyKey, Standing>();
  private readonly pending = new Set<PolicyKey>();

  begin(policies: readonly ToldPolicy[]): void {
    this.standings.clear();
    this.pending.clear();
    for (const told of policies) this.put(told);
  }

  take({ change, policy }: ToldChange): void {
    if (policy !== undefined) return this.put(policy);
    const gone = removedPolicy(change);
    if (gone === undefined) return;
    this.standings.delete(gone);
    this.pending.delete(gone);
  }

  /** The kernel holds all that was taken so far. */
  committed(at: Date): void {
    for (const key of this.pending) this.standings.get(key)!.inForceSince = at;
    this.pending.clear();
  }

  /** The kernel no longer holds what it did: nothing is in force until the next commit. */
  lost(): void {
    for (const [key, standing] of this.standings) {
      if (standing.told.audited !== undefined) continue;
      standing.inForceSince = undefined;
      this.pending.add(key);
    }
  }

  /** `closed`: why, by policy. */
  list(closed: ReadonlyMap<PolicyKey, string>): readonly PolicyState[] {
    const states = [...this.standings].map(([key, { told: { audited, ...told }, inForceSince }]): PolicyState => ({ ...told, problem: closed.get(key) ?? told.problem, inForceSince, isAudited: audited !== undefined }));
    return states.sort((a, b) => compareText(a.kind, b.kind) || compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
  }

  /** Those that are judged and not enforced. */
  audited(): readonly AuditedPolicy[] {
    return [...this.standings.values()].map(({ told }) => told).filter((told): told is AuditedPolicy => told.audited !== undefined);
  }

  private put(told: ToldPolicy): void {
    const key = keyOf(told);
    const held = this.standings.get(key);
    // The same generation told again, by a list or by a change of its status, is in force as before.
    const isSame = held !== undefined && held.told.audited === undefined && held.told.uid === told.uid && held.told.generation === told.generation;
    const isAudited = told.audited !== undefined;
    this.standings.set(key, { told, inForceSince: isSame && !isAudited ? held.inForceSince : undefined });
    if (isAudited) this.pending.delete(key);
    else if (!isSame) this.pending.add(key);
  }
}

export function keyOf({ kind, namespace, name }: Pick<ToldPolicy, 'kind' | 'namespace' | 'name'>): PolicyKey {
  // Joined, it is one text; from a template it would stay the tree of its parts, three times the size.
  return [kind, namespace, name].join('/');
}

export function removedPolicy(change: ClusterChange): PolicyKey | undefined {
  if (change.kind === 'remove-policy') return keyOf({ kind: 'NetworkPolicy', namespace: change.namespace, name: change.name });
  if (change.kind === 'remove-cluster-policy') return keyOf({ kind: change.policy.kind, namespace: '', name: change.policy.name });
  return undefined;
}
