// Properties of the answers, on random clusters; docs/internals/properties.md lists them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countPairs } from '../../src/analyze/count-pairs.ts';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { isOutside } from '../../src/analyze/endpoints.ts';
import { explain, type DirectionReason } from '../../src/analyze/explain.ts';
import { reach } from '../../src/analyze/reach.ts';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import { ALL_PORTS, intersectPorts, NO_PORTS, OTHER_POINT, pointOf, subtractPorts, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { TierAction } from '../../src/model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule } from '../../src/model/network-policy.ts';
import { checkClusters, checkWith } from '../clusters/check-property.ts';
import { outsideAddresses, trafficPoints } from '../clusters/points.ts';
import { randomPolicies } from '../clusters/random-cluster.ts';
import { podKey, settleCluster } from '../clusters/settle.ts';
import { verdictsOf } from '../clusters/verdicts.ts';
import type { ReferenceEnd, ReferenceTraffic } from '../reference/matches.ts';
import { policiesAllow, referenceRules } from '../reference/network-policies.ts';
import { tierAction } from '../reference/tiers.ts';

/** These need fewer clusters than the reference does: what they look for shows often. */
const SHARE = 0.4;

test('the order in which policies are listed does not matter', () => {
  checkWith(fc.infiniteStream(fc.nat()), (raw, order) => {
    const cluster = settleCluster(raw);
    const policies = cluster.policies.map((policy) => ({ policy, place: order.next().value as number })).sort((a, b) => a.place - b.place);
    const outside = outsideAddresses(cluster);
    const shuffled = compileCluster({ ...cluster, policies: policies.map(({ policy }) => policy) });
    assert.deepEqual(verdictsOf(shuffled, outside), verdictsOf(compileCluster(cluster), outside));
  }, { share: SHARE });
});

test('a rule added in a direction that its policy already governs never takes away what was allowed', () => {
  checkWith(randomPolicies, (raw, donors) => {
    const cluster = settleCluster(raw);
    const rules = settleCluster({ ...raw, policies: donors }).policies;
    const outside = outsideAddresses(cluster);
    const before = verdictsOf(compileCluster(cluster), outside);
    for (const direction of ['ingress', 'egress'] as const) {
      const added = rules.flatMap((policy) => policy[direction] ?? []);
      const policies = cluster.policies.map((policy): NetworkPolicy => (policy[direction] === undefined ? policy : { ...policy, [direction]: [...policy[direction], ...added] }));
      const after = verdictsOf(compileCluster({ ...cluster, policies }), outside);
      for (const [pair, ports] of before) assert.deepEqual(subtractPorts(ports, after.get(pair)!), NO_PORTS, `${pair}, ${direction}`);
    }
  }, { share: SHARE });
});

test('a policy without rules never opens anything', () => {
  checkWith(randomPolicies, (raw, donors) => {
    // To an isolated pod its own node counts as something that NetworkPolicy allows, and then no Baseline tier is asked.
    const cluster = settleCluster({ ...raw, workloads: raw.workloads.map((one) => ({ ...one, nodeName: undefined })) });
    const outside = outsideAddresses(cluster);
    const before = verdictsOf(compileCluster(cluster), outside);
    const closing = settleCluster({ ...raw, policies: donors }).policies.map((policy) => ({ ...policy, ...(policy.ingress && { ingress: [] }), ...(policy.egress && { egress: [] }) }));
    const after = verdictsOf(compileCluster({ ...cluster, policies: [...cluster.policies, ...closing] }), outside);
    for (const [pair, ports] of after) assert.deepEqual(subtractPorts(ports, before.get(pair)!), NO_PORTS, pair);
  }, { share: SHARE });
});

test('the rows of reach by pod are what decide says of each pair', () => {
  checkClusters((raw) => {
    // Replicas would be one row; the pods' own names are unique here, so each row is one pair.
    const cluster = settleCluster({ ...raw, workloads: raw.workloads.map((one) => (one.kind === 'Pod' ? one : { ...one, replicas: 1 })) });
    const program = compileCluster(cluster);
    const { endpoints, rows } = reach(program, { by: 'pod' });
    const podOf = endpoints.map((endpoint) => cluster.pods.findIndex((pod) => 'namespace' in endpoint && pod.namespace === endpoint.namespace && pod.name === endpoint.name));
    const answered = new Map(Array.from(rows(), ({ source, target, ports }) => [`${podOf[source]} ${podOf[target]}`, ports]));
    for (const source of cluster.pods.keys()) {
      for (const target of cluster.pods.keys()) {
        if (source === target) continue;
        const ports = allowedPorts(program, { kind: 'pod', pod: source }, { kind: 'pod', pod: target });
        assert.deepEqual(answered.get(`${source} ${target}`) ?? NO_PORTS, ports, `${source} → ${target}`);
      }
    }
  }, { share: SHARE });
});

test('the rows of reach by workload are the union over its pods', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const program = compileCluster(cluster);
    const { endpoints, rows } = reach(program, { by: 'workload' });
    const nameOf = (id: string): string => id.replace(/#\d+$/, '');
    const answered = new Map<string, readonly number[]>();
    for (const { source, target, ports } of rows()) {
      const [from, to] = [endpoints[source]!, endpoints[target]!];
      if (isOutside(from) || isOutside(to)) continue;
      const pair = `${nameOf(from.id)} → ${nameOf(to.id)}`;
      answered.set(pair, unionPorts(answered.get(pair) ?? NO_PORTS, ports));
    }
    assert.deepEqual(answered, unionByWorkload(cluster));

    function unionByWorkload({ pods }: Cluster): Map<string, readonly number[]> {
      const result = new Map<string, readonly number[]>();
      for (const [source, from] of pods.entries()) {
        for (const [target, to] of pods.entries()) {
          if (source === target && from.replicas === 1) continue;
          const pair = `${from.namespace}/${from.workload.name} → ${to.namespace}/${to.workload.name}`;
          const ports = allowedPorts(program, { kind: 'pod', pod: source }, { kind: 'pod', pod: target });
          if (ports.length > 0) result.set(pair, unionPorts(result.get(pair) ?? NO_PORTS, ports));
        }
      }
      return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
    }
  }, { share: SHARE });
});

test('the count of allowed pairs is the number of pairs with an allowed port', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const program = compileCluster(cluster);
    let pairs = 0;
    let allowed = 0;
    for (const [source, from] of cluster.pods.entries()) {
      for (const [target, to] of cluster.pods.entries()) {
        const count = from.replicas * (source === target ? to.replicas - 1 : to.replicas);
        if (count === 0) continue;
        pairs += count;
        if (allowedPorts(program, { kind: 'pod', pod: source }, { kind: 'pod', pod: target }).length > 0) allowed += count;
      }
    }
    assert.deepEqual(countPairs(program), { pairs, allowed });
  }, { share: SHARE });
});

test('an explanation has the verdict of decide, and rules or no isolation behind every allowed direction', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const program = compileCluster(cluster);
    for (const source of cluster.pods.keys()) {
      for (const target of cluster.pods.keys()) {
        for (const family of [4, 6] as const) {
          const ends = { source: { kind: 'pod', pod: source }, target: { kind: 'pod', pod: target }, family } as const;
          const ports = allowedPorts(program, ends.source, ends.target, family);
          const explanation = explain(program, ends);
          assert.deepEqual(explanation.ports, ports);
          assert.equal(explanation.verdict === 'denied', ports.length === 0);
          for (const direction of [explanation.egress, explanation.ingress]) if (direction.isJudged) holdsTogether(direction);
        }
      }
    }
  }, { share: SHARE / 2 });

  // What the tiers decided, what rules allowed and what nothing refused are together what was let through.
  function holdsTogether({ ports, admin, baseline, isolatedBy, allowedBy }: DirectionReason): void {
    const decided = (decisions: DirectionReason['admin'], action: TierAction): PortSet => decisions.filter(({ rule }) => rule.action === action).map((one) => one.ports).reduce(unionPorts, NO_PORTS);
    const accepted = decided(admin, 'Accept');
    const refused = unionPorts(decided(admin, 'Deny'), decided(baseline, 'Deny'));
    assert.deepEqual(subtractPorts(accepted, ports), NO_PORTS);
    assert.deepEqual(intersectPorts(refused, ports), NO_PORTS);
    assert.equal(isolatedBy.length > 0 && subtractPorts(ports, accepted).length > 0, allowedBy.length > 0);
    if (isolatedBy.length > 0) assert.deepEqual(baseline, []);
    else assert.deepEqual(ports, subtractPorts(ALL_PORTS, refused));
  }
});

test('an explanation of one port names the rules that the reference finds', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const program = compileCluster(cluster);
    const points = trafficPoints(cluster);
    const outside = outsideAddresses(cluster).slice(0, 4).map((address) => ({ kind: 'address', address }) as const);
    const ends = [...cluster.pods.map((_, pod) => ({ kind: 'pod', pod }) as const), ...outside];
    let turn = 0;
    for (const source of ends) {
      for (const target of ends) {
        if (source.kind === 'address' && target.kind === 'address') continue;
        // The target's own ports, and one point more that is another for each pair: all of them are asked somewhere.
        const own = target.kind === 'pod' ? cluster.pods[target.pod]!.ports : [];
        for (const { protocol, port } of [...own, points[turn % points.length]!]) {
          const family = source.kind === 'address' ? source.address.family : target.kind === 'address' ? target.address.family : turn % 2 === 0 ? 4 : 6;
          turn++;
          const point = protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
          const explanation = explain(program, { source, target, family, ports: [point, point] });
          for (const direction of DIRECTIONS) {
            if (!explanation[direction].isJudged) continue;
            const traffic = { source, target, protocol, port, family };
            const byAdmin = tierAction(cluster, 'Admin', direction, traffic);
            const isDecided = byAdmin === 'Accept' || byAdmin === 'Deny';
            const isOver = isDecided || explanation[direction].isolatedBy.length > 0;
            const byBaseline = isOver || isIsolated(cluster, direction, traffic) ? undefined : tierAction(cluster, 'Baseline', direction, traffic);
            assert.deepEqual([...new Set(explanation[direction].admin.map(({ rule }) => rule.action))], byAdmin === undefined ? [] : [byAdmin]);
            assert.deepEqual([...new Set(explanation[direction].baseline.map(({ rule }) => rule.action))], byBaseline === undefined ? [] : [byBaseline]);
            const expected = isDecided ? [] : referenceRules(cluster, direction, traffic);
            assert.deepEqual(explanation[direction].allowedBy.map(ruleName), expected.map(ruleName), `${endName(cluster, source)} → ${endName(cluster, target)} ${protocol} ${port} over IPv${family}, ${direction}`);
          }
        }
      }
    }
  }, { share: SHARE });

  function isIsolated(cluster: Cluster, direction: Direction, traffic: ReferenceTraffic): boolean {
    return policiesAllow(cluster, direction, traffic) !== undefined;
  }

  function ruleName({ policy, rule }: { policy: NetworkPolicy; rule: PolicyRule }): string {
    return `${policy.namespace}/${policy.name} ${rule.index}`;
  }

  function endName(cluster: Cluster, end: ReferenceEnd): string {
    return end.kind === 'pod' ? podKey(cluster.pods[end.pod]!) : end.kind === 'address' ? formatIpAddress(end.address) : end.name;
  }
});

test('equal port sets have one id', () => {
  checkClusters((raw) => {
    const program = compileCluster(settleCluster(raw));
    verdictsOf(program, []);
    const sets = Array.from({ length: program.portSets.size }, (_, id) => program.portSets.portSet(id).join());
    assert.equal(new Set(sets).size, sets.length, sets.join('\n'));
  }, { share: SHARE });
});

test('pods that differ in nothing a policy can see are one group', () => {
  checkClusters((raw) => {
    const twins = raw.workloads.map((one) => ({ ...one, name: `${one.name}x`, addresses: [], labels: { ...one.labels, unasked: 'twin' } }));
    const originals = raw.workloads.map((one) => ({ ...one, addresses: [] }));
    const policies = raw.policies;
    const one = compileCluster(settleCluster({ ...raw, workloads: originals, policies }));
    const both = compileCluster(settleCluster({ ...raw, workloads: [...originals, ...twins], policies }));
    assert.equal(both.groups.length, one.groups.length);
  }, { share: SHARE });
});
