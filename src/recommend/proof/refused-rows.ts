// Which recorded flows the policies of a cluster refuse, and in which direction a rule of a NetworkPolicy would have to let them through.
import { FlowJudge } from '../../flow/flow.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../../model/network-policy.ts';

/** By row of the table, 1 where it holds. */
export interface RefusedRows {
  readonly allowed: Uint8Array;
  /** NetworkPolicies isolate the end that is governed there, and no rule of theirs lets the flow through. */
  readonly needsRule: Readonly<Record<Direction, Uint8Array>>;
  /** A cluster-wide policy refuses it, whatever NetworkPolicies say. */
  readonly byTiers: Uint8Array;
}

/** `cluster` is as `FlowJudge` takes it. Rules of one direction are asked without those of the other. */
export function findRefusedRows(cluster: Cluster, table: FlowTable): RefusedRows {
  const ask = (policies: readonly NetworkPolicy[], clusterPolicies: readonly ClusterPolicy[]): Uint8Array => new FlowJudge({ ...cluster, policies, clusterPolicies }, table.ends.all).allowedRows(table);
  const allowed = ask(cluster.policies, cluster.clusterPolicies);
  const isTiered = cluster.clusterPolicies.length > 0;
  const byAdmin = isTiered ? ask([], cluster.clusterPolicies.filter(({ tier }) => tier === 'Admin')) : undefined;
  const [ingress, egress] = DIRECTIONS.map((direction) => {
    const policies = cluster.policies.map((policy) => inDirection(policy, direction));
    const byPolicies = ask(policies, []);
    return { byPolicies, byAll: isTiered ? ask(policies, cluster.clusterPolicies.map((policy) => inDirection(policy, direction))) : byPolicies };
  }) as [Asked, Asked]; // there are two directions
  const byTiers = allowed.map((verdict, row) => (verdict === 0 && (byAdmin?.[row] === 0 || isByBaseline(ingress, row) || isByBaseline(egress, row)) ? 1 : 0));
  const needsRule = ({ byPolicies, byAll }: Asked): Uint8Array => allowed.map((verdict, row) => (verdict === 0 && byTiers[row] === 0 && byAll[row] === 0 && byPolicies[row] === 0 ? 1 : 0));
  return { allowed, needsRule: { ingress: needsRule(ingress), egress: needsRule(egress) }, byTiers };
}

/** One direction alone, as NetworkPolicies say by themselves and as all tiers say. */
interface Asked {
  readonly byPolicies: Uint8Array;
  readonly byAll: Uint8Array;
}

function isByBaseline({ byPolicies, byAll }: Asked, row: number): boolean {
  return byAll[row] === 0 && byPolicies[row] === 1;
}

/** What the policy says of the other direction is left out. */
export function inDirection<Policy extends NetworkPolicy | ClusterPolicy>(policy: Policy, direction: Direction): Policy {
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  return { ...policy, [other]: policy.kind === 'NetworkPolicy' ? undefined : [] };
}
