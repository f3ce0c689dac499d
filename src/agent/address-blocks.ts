// How many address blocks the policies of the cluster list in all: each costs every agent memory, whomever its policy governs, so there is an end to them.
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import { DIRECTIONS, type NetworkPolicy } from '../model/network-policy.ts';
import { nameOf } from './closed-policies.ts';
import type { PolicyKey } from './policies-in-force.ts';

/** Of all policies; each takes some 4 KB while it is read and compiled. */
export const ADDRESS_BLOCKS_MAX = 50_000;

export class AddressBlocks {
  /** Of policies that list any. */
  private readonly counts = new Map<PolicyKey, number>();
  private readonly max: number;
  private total = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** In place of the one of its name. false: with it there would be too many, and it counts for nothing. */
  put(policy: NetworkPolicy | ClusterPolicy): boolean {
    const key = nameOf(policy);
    this.drop(key);
    const count = blocksIn(policy);
    if (this.total + count > this.max) return false;
    if (count > 0) this.counts.set(key, count);
    this.total += count;
    return true;
  }

  drop(key: PolicyKey): void {
    this.total -= this.counts.get(key) ?? 0;
    this.counts.delete(key);
  }

  /** A clause without a final stop. */
  get reason(): string {
    return `with it the policies of the cluster would list more than ${this.max} address blocks`;
  }
}

/** Excepts are blocks. */
export function blocksIn(policy: NetworkPolicy | ClusterPolicy): number {
  let count = 0;
  for (const direction of DIRECTIONS) {
    for (const { peers } of policy[direction] ?? []) {
      if (peers.kind === 'everybody') continue;
      for (const peer of peers.peers) if (peer.kind === 'ip-block') count += 1 + peer.except.length;
    }
  }
  return count;
}
