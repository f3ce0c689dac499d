// A flow as one object of JSON: Hubble's words where it has them, and what it cannot say beside them.
import { formatIpAddress } from '../base/ip-address.ts';
import { DIRECTIONS } from '../model/network-policy.ts';
import { protocolText } from './flow-protocol.ts';
import type { FlowEnd, FlowReason, FlowRecord, NearMiss, PolicyName, RuleName, SideReason } from './flow-record.ts';
import { HOST_LABEL, NAME_LABEL, NAMESPACE_PREFIX, NODE_LABEL } from './read-flow-end.ts';
import { hubbleWord } from './read-reason.ts';

/** Contract, "Flow record". Source ports are not kept. */
export function flowJson(record: FlowRecord): Readonly<Record<string, unknown>> {
  const { verdict, source, target, family, protocol, port, count, corrects, openings, node, service, reason } = record;
  const [serviceNamespace, serviceName] = service?.split('/') ?? [];
  return {
    time: timeText(record.lastSeen),
    verdict: verdict === 'allowed' ? 'FORWARDED' : 'DROPPED',
    ...(verdict === 'allowed' ? {} : { drop_reason_desc: isDenyRule(reason) ? 'POLICY_DENY' : 'POLICY_DENIED' }),
    IP: { ...addressOf('source', source), ...addressOf('destination', target), ipVersion: `IPv${family}` },
    l4: { [protocolText(protocol)]: port === 0 ? {} : { destination_port: port } },
    source: endJson(source),
    destination: endJson(target),
    ...namesOf('source', source),
    ...namesOf('destination', target),
    ...(service === undefined ? {} : { destination_service: { name: serviceName, namespace: serviceNamespace } }),
    ...(node === undefined ? {} : { node_name: node }),
    count,
    ...(corrects === undefined ? {} : { corrects }),
    ...(openings === undefined ? {} : { openings }),
    firstSeen: timeText(record.firstSeen),
    lastSeen: timeText(record.lastSeen),
    ...(reason === undefined ? {} : reasonFields(reason)),
  };
}

/** What `readFlowEnd` reads. */
export function endFields(side: 'source' | 'destination', end: FlowEnd): Readonly<Record<string, unknown>> {
  return { IP: addressOf(side, end), [side]: endJson(end), ...namesOf(side, end) };
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}

/** The lack of a rule is what Hubble calls denied; a rule that denies is another reason. */
function isDenyRule(reason: FlowReason | undefined): boolean {
  return reason !== undefined && DIRECTIONS.some((direction) => reason[direction].verdict === 'refuses' && reason[direction].rules.length > 0);
}

function addressOf(side: 'source' | 'destination', { address }: FlowEnd): Readonly<Record<string, string>> {
  return address === undefined ? {} : { [side]: formatIpAddress(address) };
}

function namesOf(side: 'source' | 'destination', end: FlowEnd): Readonly<Record<string, readonly string[]>> {
  return end.kind === 'outside' && end.names.length > 0 ? { [`${side}_names`]: end.names } : {};
}

function endJson(end: FlowEnd): unknown {
  if (end.kind === 'outside') {
    const label = end.isOwnNode ? HOST_LABEL : end.node === undefined ? 'reserved:world' : NODE_LABEL;
    return { labels: [label], ...(end.node === undefined ? {} : { node_name: end.node }) };
  }
  const { namespace, pod, workload, isUntold, labels, namespaceLabels, node } = end;
  const texts = [
    ...[...labels].map(([key, value]) => `k8s:${key}=${value}`),
    ...[...namespaceLabels, [NAME_LABEL, namespace] as const].map(([key, value]) => `k8s:${NAMESPACE_PREFIX}${key}=${value}`),
  ];
  return { namespace, labels: texts.sort(), ...(pod === undefined ? {} : { pod_name: pod }), ...(node === undefined ? {} : { node_name: node }), ...(isUntold === true ? {} : { workloads: [{ name: workload.name, kind: workload.kind }] }) };
}

/** What `readReason` reads. */
export function reasonFields(reason: FlowReason): Readonly<Record<string, unknown>> {
  const words = DIRECTIONS.map((direction) => [hubbleWord(direction, reason[direction].verdict), distinctPolicies(reason[direction].rules)] as const);
  return {
    ...Object.fromEntries(words.filter(([, policies]) => policies.length > 0)),
    rule: Object.fromEntries(DIRECTIONS.map((direction) => [direction, sideJson(reason[direction])])),
  };
}

function sideJson({ verdict, rules, isolatedBy, nearMiss }: SideReason): unknown {
  return {
    verdict,
    ...(rules.length === 0 ? {} : { rules: rules.map(ruleJson) }),
    ...(isolatedBy.length === 0 ? {} : { isolated_by: isolatedBy.map(policyJson) }),
    ...(nearMiss === undefined ? {} : { near_miss: missJson(nearMiss) }),
  };
}

function policyJson({ kind, namespace, name }: PolicyName): Readonly<Record<string, unknown>> {
  return { kind, ...(namespace === '' ? {} : { namespace }), name };
}

function ruleJson(rule: RuleName): unknown {
  return { ...policyJson(rule), index: rule.index };
}

function missJson(miss: NearMiss): unknown {
  return { ...policyJson(miss), ...(miss.index === undefined ? {} : { index: miss.index }), says: miss.says };
}

function distinctPolicies(rules: readonly RuleName[]): readonly unknown[] {
  return [...new Map(rules.map((rule) => [`${rule.kind} ${rule.namespace} ${rule.name}`, policyJson(rule)])).values()];
}
