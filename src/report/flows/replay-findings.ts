// What policies would refuse of recorded flows, as findings beside the policies: one for each that refuses.
import { sortFindings, type Finding, type Severity } from '../../base/finding.ts';
import { trafficText } from '../../flow/flow-protocol.ts';
import { endName, policyText, type FlowReason, type FlowRecord, type PolicyName } from '../../flow/flow-record.ts';
import type { Cluster } from '../../model/cluster.ts';
import { DIRECTIONS } from '../../model/network-policy.ts';
import { locateOrigin } from '../../model/origin.ts';

interface RefusedBy {
  readonly flows: number;
  /** The one that was seen most often, of equals the first. */
  readonly example: FlowRecord;
}

/** `records` are those of a replay, each with its reason; they are read once and not kept. Sorted by place. */
export function replayFindings(cluster: Cluster, records: Iterable<FlowRecord>, severity: Severity): readonly Finding[] {
  const refused = new Map<string, RefusedBy>();
  for (const record of records) {
    const policy = policyText(refuserOf(record.reason!)); // of a replay each has one
    const known = refused.get(policy);
    refused.set(policy, { flows: (known?.flows ?? 0) + 1, example: known === undefined || record.count > known.example.count ? record : known.example });
  }
  const findings = [...cluster.policies, ...cluster.clusterPolicies].flatMap((policy): readonly Finding[] => {
    const object = { kind: policy.kind, namespace: policy.kind === 'NetworkPolicy' ? policy.namespace : '', name: policy.name };
    const by = refused.get(policyText(object));
    return by === undefined ? [] : [{ code: 'refuses-recorded-flow', severity, message: messageOf(by), ...locateOrigin(policy.origin), object, help: 'allow it, if it is meant to go on; `bulkhead replay` shows each' }];
  });
  return sortFindings(findings);
}

function messageOf({ flows, example: { source, target, protocol, port, count } }: RefusedBy): string {
  return `would refuse ${flows === 1 ? 'a recorded flow' : `${flows} recorded flows, such as`} \`${endName(source)} → ${endName(target)}\` on ${trafficText(protocol, port)}, seen ${count === 1 ? 'once' : `${count} times`}`;
}

/** The one whose rule denies, or came nearest; else the first that isolates. */
function refuserOf(reason: FlowReason): PolicyName {
  const { rules, nearMiss, isolatedBy } = reason[DIRECTIONS.toReversed().find((direction) => reason[direction].verdict === 'refuses')!]; // it is refused
  return rules[0] ?? nearMiss ?? isolatedBy[0]!;
}
