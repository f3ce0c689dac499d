// Policies that a node's kernel has no room for: which of them are closed and why, and whose turn is next.
import type { ClusterChange } from '../compile/cluster-change.ts';
import type { Program } from '../compile/program.ts';
import { keyOf, removedPolicy, type PolicyKey } from './policies-in-force.ts';
import { policyCosts, type Policy } from './policy-cost.ts';

export interface ClosedPolicy {
  readonly policy: Policy;
  /** A clause without a final stop. */
  readonly reason: string;
}

export class ClosedPolicies {
  private readonly closed = new Map<PolicyKey, ClosedPolicy>();
  /** Told since the kernel took a change last. */
  private readonly recent = new Set<PolicyKey>();
  private mayHaveRoom = false;

  /** A policy that is told anew is as open as it says, until it turns out not to fit. */
  take(change: ClusterChange): void {
    if (change.kind === 'remove-pod') this.mayHaveRoom = true;
    const put = change.kind === 'put-policy' || change.kind === 'put-cluster-policy' ? nameOf(change.policy) : undefined;
    const key = put ?? removedPolicy(change);
    if (key === undefined) return;
    this.mayHaveRoom = true;
    this.closed.delete(key);
    if (put !== undefined) this.recent.add(key);
  }

  /** The kernel has taken everything. */
  settle(): void {
    this.recent.clear();
  }

  /** The costliest of those that came last, then of all; undefined: no other policy brings anything. */
  next(program: Program, node: string): Policy | undefined {
    const open = [...policyCosts(program, node)].filter(([policy, cost]) => cost > 0 && !this.closed.has(nameOf(policy)));
    const rank = ([policy, cost]: readonly [Policy, number]): number => cost + (this.recent.has(nameOf(policy)) ? RECENT_FIRST : 0);
    return open.sort((a, b) => rank(b) - rank(a))[0]?.[0];
  }

  close(policy: Policy, reason: string): void {
    this.closed.set(nameOf(policy), { policy, reason });
  }

  /** Whose bound is not ours may have room again without a change. */
  hopeForRoom(): void {
    this.mayHaveRoom = true;
  }

  /** Those that were closed; none is any more. None where nothing has changed that could make room. */
  open(): readonly Policy[] {
    if (!this.mayHaveRoom) return [];
    this.mayHaveRoom = false;
    const policies = [...this.closed.values()].map(({ policy }) => policy);
    this.closed.clear();
    for (const policy of policies) this.recent.add(nameOf(policy));
    return policies;
  }

  /** By what `keyOf` gives. */
  get reasons(): ReadonlyMap<PolicyKey, string> {
    return new Map([...this.closed].map(([key, { reason }]) => [key, reason]));
  }
}

/** More than any policy costs. */
const RECENT_FIRST = 2 ** 50;

export function nameOf(policy: Policy): PolicyKey {
  return keyOf({ kind: policy.kind, namespace: policy.kind === 'NetworkPolicy' ? policy.namespace : '', name: policy.name });
}
