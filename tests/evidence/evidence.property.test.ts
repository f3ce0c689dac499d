// Random clusters: coverage and the ways of scopes are those of the literal reading of the API, and figures those of other answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { podEndpoints } from '../../src/analyze/endpoints.ts';
import { findImpact } from '../../src/analyze/impact.ts';
import { unlabelledPodsOf } from '../../src/analyze/new-pods.ts';
import { outsidePorts } from '../../src/analyze/outside-ports.ts';
import type { IpAddress, IpFamily, IpRange } from '../../src/base/ip-address.ts';
import { hasPoint, OTHER_POINT, pointOf, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { gatherEvidence, type Evidence } from '../../src/evidence/evidence.ts';
import { outsideFinder, portsOfReach } from '../../src/evidence/outside-reach.ts';
import { findScopeEvidence } from '../../src/evidence/scope-ways.ts';
import type { Way } from '../../src/evidence/way.ts';
import type { Scope } from '../../src/evidence/scope.ts';
import { degreeOf, findStrangers, type Degree } from '../../src/evidence/strangers.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { DIRECTIONS } from '../../src/model/network-policy.ts';
import { checkClusters, checkWith } from '../clusters/check-property.ts';
import { outsideAddresses, trafficPoints, type TrafficPoint } from '../clusters/points.ts';
import { settleCluster } from '../clusters/settle.ts';
import type { ReferenceEnd } from '../reference/matches.ts';
import { referenceAllows } from '../reference/reference.ts';

const FAMILIES: readonly IpFamily[] = [4, 6];

function openPoints(cluster: Cluster, points: readonly TrafficPoint[], source: ReferenceEnd, target: ReferenceEnd): readonly TrafficPoint[] {
  return points.filter((point) => FAMILIES.some((family) => referenceAllows(cluster, { source, target, family, ...point })));
}

function pointAt({ protocol, port }: TrafficPoint): number {
  return protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
}

/** Of all points of a protocol that could differ, each open: every port of it is. */
function degreeByPoints(open: readonly TrafficPoint[], points: readonly TrafficPoint[]): Degree {
  if (open.length === 0) return 'closed';
  return ['TCP', 'UDP', 'SCTP'].some((protocol) => points.filter((point) => point.protocol === protocol).every((point) => open.includes(point))) ? 'open' : 'limited';
}

test('a pod is closed to strangers as far as the literal reading of the API says', () => {
  let limited = 0;
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const strangers = findStrangers(cluster);
    const { pods: added, namespace } = unlabelledPodsOf(cluster);
    const widened = { ...cluster, namespaces: [...cluster.namespaces, namespace], pods: [...cluster.pods, ...added] };
    const points = trafficPoints(cluster);
    const stranger: ReferenceEnd = { kind: 'pod', pod: cluster.pods.length };
    for (const direction of DIRECTIONS) {
      const check = (pod: number, ports: PortSet): void => {
        const own: ReferenceEnd = { kind: 'pod', pod };
        const open = direction === 'ingress' ? openPoints(widened, points, stranger, own) : openPoints(widened, points, own, stranger);
        assert.deepEqual(points.filter((point) => hasPoint(ports, pointAt(point))), open);
        assert.equal(degreeOf(ports), degreeByPoints(open, points));
        if (degreeOf(ports) === 'limited') limited++;
      };
      for (const pod of cluster.pods.keys()) check(pod, strangers.portsOf(pod, direction));
      for (const index of cluster.namespaces.keys()) check(cluster.pods.length + 1 + index, strangers.portsOfNewPod(index, direction));
    }
  }, { share: 0.1 });
  assert.ok(limited > 0);
});

function gather(cluster: Cluster): Evidence {
  return gatherEvidence({ program: compileCluster(cluster), diagnosis: undefined, scopes: [], frameworks: [], flows: undefined, tests: undefined, testRuns: [], at: undefined, releases: undefined, unread: [] });
}

test('workloads have the impact, and the outside, that other answers give their pods', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const program = compileCluster(cluster);
    const { workloads, counts, coverage } = gather(cluster);
    assert.equal(counts.pods, cluster.pods.reduce((sum, { replicas }) => sum + replicas, 0));
    assert.equal(coverage.reduce((sum, { pods, hostPods }) => sum + pods + hostPods, 0), counts.pods);
    const byId = new Map(workloads.map((risk) => [risk.workload.id, risk]));
    assert.deepEqual(workloads.map(({ score }) => score), workloads.map(({ score }) => score).sort((a, b) => b - a));
    for (const { endpoint, podIndices } of podEndpoints(program, 'workload')) {
      const risk = byId.get(endpoint.id)!;
      const impacts = podIndices.map((pod) => findImpact(program, pod));
      assert.equal(risk.reachedPods, Math.max(...impacts.map(({ reachedPods }) => reachedPods)));
      assert.ok(impacts.some(({ reachedPods, podsByHop, score }) => reachedPods === risk.reachedPods && (podsByHop[0] ?? 0) === risk.directPods && Math.abs(score - risk.score) < 1e-9));
      for (const pod of podIndices) {
        for (const direction of DIRECTIONS) {
          const expected = outsidePorts(program, pod, direction).reduce((ports: PortSet, one) => unionPorts(ports, one.ports), []);
          assert.deepEqual(portsOfReach(risk[direction]), expected);
          assert.deepEqual(portsOfReach(outsideFinder(program)(pod, direction)), expected);
        }
      }
    }
  }, { share: 0.1 });
});

const question = fc.record({ own: fc.nat(), named: fc.option(fc.nat(), { nil: undefined }), isInternetNamed: fc.boolean(), hopsMax: fc.constantFrom(undefined, 1, 2, 3) });

test('the ways of a scope are those of a search over all pairs', () => {
  let unnamed = 0;
  let chains = 0;
  checkWith(question, (raw, { own, named, isInternetNamed, hopsMax }) => {
    const settled = settleCluster(raw);
    if (settled.pods.length === 0) return;
    // What shares a node no policy keeps apart: that is told beside the ways.
    const cluster = { ...settled, pods: settled.pods.map((pod) => ({ ...pod, nodeName: undefined })) };
    const program = compileCluster(cluster);
    const namespaces = [...new Set(cluster.pods.map(({ namespace }) => namespace))];
    const [scoped, entrance] = [namespaces[own % namespaces.length]!, named === undefined ? undefined : namespaces[named % namespaces.length]!];
    const words = [...(entrance === undefined || entrance === scoped ? [] : [`${entrance}/*`]), ...(isInternetNamed ? ['0.0.0.0/1'] : [])];
    const scope: Scope = { name: 'scope', pods: `${scoped}/*`, from: words, to: words, hopsMax, frameworks: undefined };
    const { waysIn, waysOut } = findScopeEvidence(program, scope);
    const search = new PairSearch(cluster, { scoped, entrance: entrance === scoped ? undefined : entrance, isInternetNamed });
    const ids = new Map(podEndpoints(program, 'workload').flatMap(({ endpoint, podIndices }) => podIndices.map((pod) => [pod, endpoint.id] as const)));
    const found = search.into(hopsMax ?? 1);
    assert.deepEqual(keysOfWays(waysIn), keysOfEnds(found, ids));
    holdAddresses(cluster, waysIn, found);
    const out = search.outOf();
    assert.deepEqual(keysOfWays(waysOut!), keysOfEnds(out, ids));
    holdAddresses(cluster, waysOut!, out);
    for (const { source, ports, hops } of found) {
      if (source.kind !== 'pod' || hops > 1) continue;
      const way = waysIn.find(({ end, path }) => end.kind === 'workload' && end.id === ids.get(source.pod) && path.length === 1)!;
      for (const point of ports) assert.ok(hasPoint(way.ports, pointAt(point)));
    }
    unnamed += waysIn.filter(({ isNamed }) => !isNamed).length;
    chains += waysIn.filter(({ path }) => path.length > 1).length;
  }, { share: 0.1 });
  assert.ok(unnamed > 0 && chains > 0, `${unnamed} ways, ${chains} of them chains`);
});

interface FoundEnd {
  readonly source: ReferenceEnd;
  readonly isNamed: boolean;
  readonly hops: number;
  readonly ports: readonly TrafficPoint[];
}

class PairSearch {
  readonly #cluster: Cluster;
  readonly #points: readonly TrafficPoint[];
  readonly #scope: readonly ReferenceEnd[];
  readonly #others: readonly ReferenceEnd[];
  readonly #isNamed: (end: ReferenceEnd) => boolean;

  constructor(cluster: Cluster, { scoped, entrance, isInternetNamed }: { readonly scoped: string; readonly entrance: string | undefined; readonly isInternetNamed: boolean }) {
    this.#cluster = cluster;
    this.#points = trafficPoints(cluster);
    const pods = [...cluster.pods.keys()].map((pod): ReferenceEnd & { readonly kind: 'pod' } => ({ kind: 'pod', pod }));
    this.#scope = pods.filter(({ pod }) => cluster.pods[pod]!.namespace === scoped);
    const addresses = outsideAddresses(cluster).map((address): ReferenceEnd => ({ kind: 'address', address }));
    this.#others = [...pods.filter(({ pod }) => cluster.pods[pod]!.namespace !== scoped), ...addresses];
    // A CIDR names the pods that have an address in it as well.
    const isInHalf = ({ family, value }: IpAddress): boolean => family === 4 && value < 1n << 31n;
    this.#isNamed = (end) => (end.kind === 'pod' ? cluster.pods[end.pod]!.namespace === entrance || (isInternetNamed && cluster.pods[end.pod]!.addresses.some(isInHalf)) : end.kind === 'address' && isInternetNamed && isInHalf(end.address));
  }

  into(hopsMax: number): readonly FoundEnd[] {
    const found: FoundEnd[] = [];
    const seen = new Set<ReferenceEnd>();
    let targets = this.#scope;
    for (let hops = 1; hops <= hopsMax && targets.length > 0; hops++) {
      const level = this.#others.filter((other) => !targets.includes(other)).flatMap((source) => {
        const ports = targets.flatMap((target) => openPoints(this.#cluster, this.#points, source, target));
        return ports.length === 0 ? [] : [{ source, ports, hops, isNamed: this.#isNamed(source) }];
      });
      found.push(...level.filter(({ isNamed }) => hops === 1 || !isNamed));
      targets = level.filter(({ source, isNamed }) => isNamed && source.kind === 'pod' && !seen.has(source)).map(({ source }) => source);
      for (const target of targets) seen.add(target);
    }
    return found;
  }

  outOf(): readonly FoundEnd[] {
    return this.#others.flatMap((target) => {
      const ports = this.#scope.flatMap((source) => openPoints(this.#cluster, this.#points, source, target));
      return ports.length === 0 ? [] : [{ source: target, ports, hops: 1, isNamed: this.#isNamed(target) }];
    });
  }
}

function keysOfWays(ways: readonly Way[]): readonly string[] {
  return [...new Set(ways.flatMap(({ end, isNamed, path }) => (end.kind === 'workload' ? [`${end.id} ${isNamed} ${path.length}`] : [])))].sort();
}

function keysOfEnds(ends: readonly FoundEnd[], ids: ReadonlyMap<number, string>): readonly string[] {
  return [...new Set(ends.flatMap(({ source, isNamed, hops }) => (source.kind === 'pod' ? [`${ids.get(source.pod)!} ${isNamed} ${hops}`] : [])))].sort();
}

/** Each address that was tried is in a way of its level exactly when it was found there. */
function holdAddresses(cluster: Cluster, ways: readonly Way[], found: readonly FoundEnd[]): void {
  const isIn = (ranges: readonly IpRange[], { family, value }: IpAddress): boolean => ranges.some((range) => range.family === family && range.first <= value && value <= range.last);
  for (const address of outsideAddresses(cluster)) {
    for (const hops of [1, 2, 3]) {
      for (const isNamed of [true, false]) {
        const isWay = ways.some((way) => way.end.kind === 'outside' && way.isNamed === isNamed && way.path.length === hops && isIn(way.end.ranges, address));
        const isFound = found.some((one) => one.source.kind === 'address' && one.source.address.family === address.family && one.source.address.value === address.value && one.hops === hops && one.isNamed === isNamed);
        assert.equal(isWay, isFound);
      }
    }
  }
}
