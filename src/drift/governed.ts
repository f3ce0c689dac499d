// Which workloads no policy governs, and which policies govern no pod: read from the groups of a Program.
import { compareText } from '../base/finding.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { PolicyName } from '../flow/flow-record.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../model/network-policy.ts';

export interface UngovernedWorkload {
  /** `namespace/name`. */
  readonly name: string;
  readonly direction: Direction;
}

/** Those of which a pod is governed by no policy, in one direction or both; one for the whole cluster that denies nothing does not count. On the host network none applies. */
export function ungovernedWorkloads(program: Program): readonly UngovernedWorkload[] {
  return DIRECTIONS.flatMap((direction) => {
    const names = new Set<string>();
    for (const [group, { pods }] of program.groups.entries()) {
      if (isWalled(program[direction], program[direction].subjectOfGroup[group]!)) continue;
      for (const index of pods) {
        const { workload, hostNetwork } = program.cluster.pods[index]!;
        if (!hostNetwork) names.add(`${workload.namespace}/${workload.name}`);
      }
    }
    return [...names].sort(compareText).map((name) => ({ name, direction }));
  });
}

/** What a tier accepts is open without it as well, so a policy that denies nothing is no wall. */
function isWalled({ direction, isIsolated, isGoverned, clusterPoliciesOf }: DirectionProgram, subject: number): boolean {
  return isGoverned(subject) && (isIsolated(subject) || clusterPoliciesOf(subject).some((policy) => policy[direction].some(({ action }) => action === 'Deny')));
}

/** Those that select no pod at all, in the order of the cluster. */
export function idlePolicies(program: Program): readonly PolicyName[] {
  const busy = new Set<NetworkPolicy | ClusterPolicy>();
  for (const direction of DIRECTIONS) {
    const { subjectOfGroup, policiesOf, clusterPoliciesOf } = program[direction];
    for (const subject of new Set(subjectOfGroup)) for (const policy of [...policiesOf(subject), ...clusterPoliciesOf(subject)]) busy.add(policy);
  }
  return [...program.cluster.policies, ...program.cluster.clusterPolicies]
    .filter((policy) => !busy.has(policy))
    .map(policyName);
}

export function policyName(policy: NetworkPolicy | ClusterPolicy): PolicyName {
  return { kind: policy.kind, namespace: policy.kind === 'NetworkPolicy' ? policy.namespace : '', name: policy.name };
}
