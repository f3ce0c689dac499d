// What each direction says of one flow, in names: the rules that decide, the policies that isolate, and the rule that came nearest.
import { hasPoint } from '../base/port-set.ts';
import type { Program, RuleReference } from '../compile/program.ts';
import type { TierDecision } from '../compile/tier-decision.ts';
import { explain, type DirectionReason } from '../analyze/explain.ts';
import type { RuleMiss } from '../analyze/near-miss.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import { endsOfSide, isSideAllowed, type AskedFlow } from './decide-side.ts';
import type { FlowReason, NearMiss, PolicyName, RuleName, SideReason } from './flow-record.ts';

export function reasonOf(program: Program, flow: AskedFlow): FlowReason {
  const { source, target, family, point } = flow;
  const { ingress, egress } = explain(program, { source, target, family, ports: [point, point] });
  return {
    ingress: sideReason(ingress, isSideAllowed(program, flow, 'ingress')),
    egress: sideReason(egress, isSideAllowed(program, flow, 'egress')),
  };
}

/** Between a pod and the node it runs on tiers alone judge, and only what goes to the node. */
export function ownNodeReason(program: Program, flow: AskedFlow, isFromNode: boolean): FlowReason {
  if (isFromNode || flow.source.kind !== 'pod') return { ingress: NOT_JUDGED, egress: NOT_JUDGED };
  const { subject, peerClass } = endsOfSide(program, flow, 'egress');
  const asked = { peerClass, ports: [flow.point, flow.point] };
  const admin = program.egress.tierDecisions('Admin', subject, asked);
  const isDecided = admin.some(({ rule, ports }) => rule.action !== 'Pass' && hasPoint(ports, flow.point));
  const baseline = isDecided || program.egress.isIsolated(subject) ? [] : program.egress.tierDecisions('Baseline', subject, asked);
  const decisions = [...admin, ...baseline];
  const verdict = decisions.length === 0 ? 'not-judged' : decisions.some(({ rule }) => rule.action === 'Deny') ? 'refuses' : 'allows';
  return { ingress: NOT_JUDGED, egress: { verdict, rules: decisions.map(tierRule), isolatedBy: [], nearMiss: undefined } };
}

const NOT_JUDGED: SideReason = { verdict: 'not-judged', rules: [], isolatedBy: [], nearMiss: undefined };

function sideReason({ isJudged, admin, baseline, isolatedBy, allowedBy, nearMiss }: DirectionReason, isAllowed: boolean): SideReason {
  if (!isJudged && isAllowed) return NOT_JUDGED;
  return {
    verdict: isAllowed ? 'allows' : 'refuses',
    rules: [...[...admin, ...baseline].map(tierRule), ...allowedBy.map(policyRule)],
    isolatedBy: isolatedBy.map(nameOf),
    nearMiss: nearMiss === undefined ? undefined : missOf(nearMiss),
  };
}

function tierRule({ policy, rule }: TierDecision): RuleName {
  return { ...nameOf(policy), index: rule.index };
}

function policyRule({ policy, rule }: RuleReference): RuleName {
  return { ...nameOf(policy), index: rule.index };
}

function nameOf(policy: NetworkPolicy | ClusterPolicy): PolicyName {
  return { kind: policy.kind, namespace: policy.kind === 'NetworkPolicy' ? policy.namespace : '', name: policy.name };
}

function missOf({ policy, rule, mismatches }: RuleMiss): NearMiss {
  return { ...nameOf(policy), index: rule?.index, says: mismatches.map(({ message }) => message) };
}
