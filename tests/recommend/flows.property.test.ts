// What must hold of policies that are recommended for recorded flows, held against random clusters, random flows and the literal reading of the API.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasPoint, OTHER_POINT, pointOf } from '../../src/base/port-set.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { replayFlows } from '../../src/flow/replay.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ClusterPolicy, TierRule } from '../../src/model/cluster-policy.ts';
import { DIRECTIONS, type NetworkPolicy, type PolicyRule } from '../../src/model/network-policy.ts';
import { selects } from '../../src/model/selector.ts';
import { EXACT, type OutsideGrouping } from '../../src/recommend/ends/address-groups.ts';
import type { End } from '../../src/recommend/ends/connection.ts';
import { isOfSystem, recommend, withDrafts, type FlowsAnswer, type Recommendation } from '../../src/recommend/recommend.ts';
import { recommendationYaml } from '../../src/report/define/recommendation.ts';
import { flowTables } from '../../src/report/define/recommended-flows.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { checkWith } from '../clusters/check-property.ts';
import { trafficPoints } from '../clusters/points.ts';
import { settleCluster } from '../clusters/settle.ts';
import { seenFlows, withAddresses, type SeenFlow } from '../flow/random-flows.ts';
import { referenceAllows } from '../reference/reference.ts';

const numbers: fc.Arbitrary<readonly number[]> = fc.array(fc.noBias(fc.nat()), { minLength: 1, maxLength: 40, size: 'max' });
const WIDTHS: readonly OutsideGrouping[] = [EXACT, { kind: 'prefix', bits: { 4: 24, 6: 64 } }, { kind: 'prefix', bits: { 4: 8, 6: 16 } }, { kind: 'names' }];

interface Recommended {
  readonly cluster: Cluster;
  readonly seen: readonly SeenFlow[];
  readonly recommendation: Recommendation;
  readonly answer: FlowsAnswer;
  /** With the policies in force. */
  readonly closed: Cluster;
}

function tableOf(records: readonly FlowRecord[]): FlowTable {
  const table = new FlowTable();
  for (const record of records) table.add(record);
  return table;
}

function recommendSeen(given: Cluster, chosen: readonly number[]): Recommended {
  const cluster = { ...withAddresses(given), clusterPolicies: [] };
  const seen = seenFlows(cluster, chosen);
  const recommendation = recommend(cluster, [], { flows: { table: tableOf(seen.map(({ record }) => record)), outside: WIDTHS[chosen[0]! % WIDTHS.length]! }, kind: chosen[0]! % 3 === 0 ? 'ClusterNetworkPolicy' : 'NetworkPolicy' });
  return { cluster, seen, recommendation, answer: recommendation.flows!, closed: withDrafts(cluster, recommendation) };
}

/** What was recorded of it, as one end of a rule sees it; none where no rule was written. */
function writtenTexts({ table, unwritten }: FlowsAnswer): ReadonlySet<string> {
  const closed = new Set((['denied', 'late-answer', 'unlabeled', 'unknown-pod'] as const).flatMap((why) => unwritten.get(why) ?? []));
  return new Set(Array.from({ length: table.size }, (_, row) => row).filter((row) => !closed.has(row)).map((row) => textOf(table.recordAt(row))));
}

function textOf(record: FlowRecord): string {
  const folded = tableOf([record]).recordAt(0);
  const end = ({ source, target }: FlowRecord): unknown => [source, target].map((one) => (one.kind === 'pod' ? [one.namespace, one.workload, one.pod, [...one.labels]] : one.address));
  return JSON.stringify([end(folded), folded.verdict, folded.family, folded.protocol, folded.port], (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
}

test('every recorded flow that has a rule, or needs none, is allowed as the reference says, and replay says the same', () => {
  let allowed = 0;
  checkWith(numbers, (raw, chosen) => {
    const { seen, answer, closed } = recommendSeen(settleCluster(raw), chosen);
    const written = writtenTexts(answer);
    for (const { record, traffic } of seen) {
      if (!written.has(textOf(record))) continue;
      assert.ok(referenceAllows(closed, traffic), textOf(record));
      allowed++;
    }
    const { refused } = replayFlows(closed, answer.table);
    for (const record of refused.records()) assert.ok(!written.has(textOf(record)), textOf(record));
  }, { share: 0.12 });
  assert.ok(allowed > 20, `${allowed} in all`);
});

test('without any one rule that is not told as spare, one of the flows that it was written for is refused as the reference says', () => {
  let [rules, spares] = [0, 0];
  checkWith(numbers, (raw, chosen) => {
    const { cluster, seen, answer, closed } = recommendSeen(settleCluster(raw), chosen);
    const written = writtenTexts(answer);
    const meant = seen.filter(({ record }) => written.has(textOf(record)));
    const unneeded = withoutEach(closed).filter(({ less }) => !meant.some(({ traffic }) => !referenceAllows(less, betweenPods(cluster, traffic))));
    // A pod may have the address of a node whose rule opens every port, which lets it through as well.
    assert.ok(unneeded.length <= answer.proof.spare, `${unneeded.map(({ name }) => name).join()}: ${answer.proof.spare} are told`);
    rules += answer.proof.rules;
    spares += answer.proof.spare;
  }, { share: 0.06 });
  assert.ok(rules > 20 && spares <= rules / 20, `${rules} in all, ${spares} spare`);
});

/** The cluster without each rule that allows. */
function withoutEach(cluster: Cluster): readonly { readonly less: Cluster; readonly name: string }[] {
  const policies = [...cluster.policies, ...cluster.clusterPolicies];
  return policies.flatMap((policy) => DIRECTIONS.flatMap((direction) => {
    const rules: readonly (PolicyRule | TierRule)[] = policy[direction] ?? [];
    return rules.filter((rule) => !('action' in rule) || rule.action === 'Accept').map((rule) => {
      const replace = <Policy extends NetworkPolicy | ClusterPolicy>(one: Policy): Policy => ((one as unknown) === policy ? { ...one, [direction]: rules.filter((own) => own !== rule) } : one);
      return { less: { ...cluster, policies: cluster.policies.map(replace), clusterPolicies: cluster.clusterPolicies.map(replace) }, name: `${policy.name} ${direction} ${rule.index}` };
    });
  }));
}

/** A workload that speaks to itself is one of its pods to another. */
function betweenPods({ pods }: Cluster, traffic: SeenFlow['traffic']): SeenFlow['traffic'] {
  const { source, target } = traffic;
  if (source.kind !== 'pod' || target.kind !== 'pod' || source.pod !== target.pod) return traffic;
  const { workload } = pods[source.pod]!;
  const other = pods.findIndex((pod, index) => index !== source.pod && pod.workload.kind === workload.kind && pod.workload.name === workload.name && pod.workload.namespace === workload.namespace);
  return other < 0 ? traffic : { ...traffic, target: { kind: 'pod', pod: other } };
}

test('what the reference allows between pods is what a connection says, so that all that is beyond the flows is counted', () => {
  let open = 0;
  checkWith(numbers, (raw, chosen) => {
    const { cluster, closed, recommendation } = recommendSeen(settleCluster(raw), chosen);
    const isPlain = (pod: number): boolean => !cluster.pods[pod]!.hostNetwork;
    const isClosed = (pod: number): boolean => !isOfSystem(cluster.pods[pod]!.namespace);
    const ends = [...cluster.pods.keys()].filter(isPlain);
    for (const source of ends) {
      for (const target of ends) {
        if (source === target || !(isClosed(source) && isClosed(target))) continue;
        for (const { protocol, port } of trafficPoints(cluster)) {
          const isAllowed = referenceAllows(closed, { source: { kind: 'pod', pod: source }, target: { kind: 'pod', pod: target }, protocol, port, family: 4 });
          const point = protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
          const isSaid = recommendation.connections.some((connection) => isOf(cluster, connection.source, source) && isOf(cluster, connection.target, target) && hasPoint(connection.ports, point));
          assert.equal(isAllowed, isSaid, `${cluster.pods[source]!.name} to ${cluster.pods[target]!.name} on ${protocol} ${port}`);
          if (isAllowed) open++;
        }
      }
    }
  }, { share: 0.05 });
  assert.ok(open > 0, `${open} in all`);
});

function isOf({ pods }: Cluster, end: End, pod: number): boolean {
  return end.kind === 'subject' && end.subject.namespace === pods[pod]!.namespace && selects(end.subject.selector, pods[pod]!);
}

test('flows in another order give the same bytes', () => {
  checkWith(numbers, (raw, chosen) => {
    const cluster = { ...withAddresses(settleCluster(raw)), clusterPolicies: [] };
    const records = seenFlows(cluster, chosen).map(({ record }) => record);
    for (const pods of [cluster.pods, []]) {
      const printed = (given: readonly FlowRecord[]): string => {
        const recommendation = recommend({ ...cluster, pods }, [], { flows: { table: tableOf(given), withDenied: true } });
        return [...recommendationYaml(recommendation), flowTables(recommendation, recommendation.flows!, PLAIN_STYLE)].join('');
      };
      assert.equal(printed(records.toReversed()), printed(records));
      assert.equal(printed([...records.slice(7), ...records.slice(0, 7)]), printed(records));
    }
  }, { share: 0.06 });
});
