// Flows summed up by what they have in common, and rules that none of them needed.
import { compareText } from '../base/finding.ts';
import type { Cluster } from '../model/cluster.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { trafficText } from './flow-protocol.ts';
import { usedRules, usedRulesOfTable, type DirectedRule } from './flow.ts';
import { endName, policyText, type FlowEnd, type FlowRecord, type RuleName } from './flow-record.ts';
import type { FlowTable } from './flow-table.ts';

export const GROUP_KEYS = ['source', 'target', 'pair', 'source-namespace', 'target-namespace', 'port', 'service', 'verdict', 'rule'] as const;

export type GroupKey = (typeof GROUP_KEYS)[number];

export interface FlowGroup {
  readonly name: string;
  readonly flows: number;
  /** Judgments. */
  readonly allowed: number;
  readonly denied: number;
  readonly lastSeen: number;
}

type GrowingGroup = { -readonly [Field in keyof FlowGroup]: FlowGroup[Field] };

/** A class, for it grows: of millions of records nothing but the sums is kept. */
export class FlowGroups {
  readonly #key: GroupKey;
  readonly #groups = new Map<string, GrowingGroup>();

  constructor(key: GroupKey) {
    this.#key = key;
  }

  /** A flow that several rules allow counts for each of them. */
  add(record: FlowRecord): void {
    for (const name of namesOf(record, this.#key)) {
      let group = this.#groups.get(name);
      if (group === undefined) this.#groups.set(name, (group = { name, flows: 0, allowed: 0, denied: 0, lastSeen: 0 }));
      group.flows++;
      group[record.verdict] += record.count;
      group.lastSeen = Math.max(group.lastSeen, record.lastSeen);
    }
  }

  /** Those with the most judgments first, equal ones by name. */
  groups(): readonly FlowGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.allowed + b.denied - a.allowed - a.denied || compareText(a.name, b.name));
  }
}

export function groupFlows(records: Iterable<FlowRecord>, key: GroupKey): readonly FlowGroup[] {
  const groups = new FlowGroups(key);
  for (const record of records) groups.add(record);
  return groups.groups();
}

function namesOf(record: FlowRecord, key: GroupKey): readonly string[] {
  const { source, target, protocol, port, verdict, service, reason } = record;
  switch (key) {
    case 'source':
      return [endName(source)];
    case 'target':
      return [endName(target)];
    case 'pair':
      return [`${endName(source)} → ${endName(target)}`];
    case 'source-namespace':
      return [placeOf(source)];
    case 'target-namespace':
      return [placeOf(target)];
    case 'port':
      return [trafficText(protocol, port)];
    case 'service':
      return [service ?? 'no Service'];
    case 'verdict':
      return [verdict];
    case 'rule': {
      const rules = reason === undefined ? [] : DIRECTIONS.flatMap((direction) => reason[direction].rules.map((rule) => ruleText(direction, rule)));
      return rules.length === 0 ? ['no rule'] : rules;
    }
  }
}

function placeOf(end: FlowEnd): string {
  return end.kind === 'pod' ? end.namespace : end.node === undefined && !end.isOwnNode ? 'outside' : 'nodes';
}

function ruleText(direction: Direction, rule: RuleName): string {
  return `${direction} rule ${rule.index + 1} of ${policyText(rule)}`;
}

/** Rules of the cluster's policies that decide about none of the flows that went through, in the order of the policies. */
export function unusedRules(cluster: Cluster, records: readonly FlowRecord[]): readonly DirectedRule[] {
  return rulesBeyond(cluster, usedRules(cluster, records.filter(({ verdict }) => verdict === 'allowed')));
}

export function unusedRulesOfTable(cluster: Cluster, table: FlowTable): readonly DirectedRule[] {
  return rulesBeyond(cluster, usedRulesOfTable(cluster, table));
}

function rulesBeyond(cluster: Cluster, rules: Iterable<DirectedRule>): readonly DirectedRule[] {
  const used = new Set<string>();
  for (const rule of rules) used.add(ruleText(rule.direction, rule));
  return [...cluster.policies, ...cluster.clusterPolicies].flatMap((policy) =>
    DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).map(({ index }): DirectedRule => ({ direction, kind: policy.kind, namespace: policy.kind === 'NetworkPolicy' ? policy.namespace : '', name: policy.name, index })))
      .filter((rule) => !used.has(ruleText(rule.direction, rule))),
  );
}
