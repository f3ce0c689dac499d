// Random pairs of clusters: a comparison says of every pair of pods what decide and the reference say, also of those that share a node.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { isOutside } from '../../src/analyze/endpoints.ts';
import { hasPoint, NO_PORTS, OTHER_POINT, pointOf, subtractPorts, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import { comparePrograms } from '../../src/compare/compare.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import { checkWith } from '../clusters/check-property.ts';
import { trafficPoints } from '../clusters/points.ts';
import { clusterPair, randomChange } from '../clusters/random-change.ts';
import { referenceAllows } from '../reference/reference.ts';

test('a comparison names exactly the workloads whose pods gain or lose something, and what', () => {
  checkWith(randomChange, (raw, change) => {
    const [before, after] = clusterPair(raw, change).map(compileCluster);
    const { endpoints, changes } = comparePrograms({ before: before!, after: after! });
    const told = new Map<string, Change>();
    for (const { source, target, gained, lost } of changes()) {
      const [from, to] = [endpoints[source]!, endpoints[target]!];
      if (!isOutside(from) && !isOutside(to)) unite(told, `${plainId(from.id)} → ${plainId(to.id)}`, { gained, lost });
    }
    const expected = new Map<string, Change>();
    const names = new Map([...before!.cluster.pods, ...after!.cluster.pods].map((pod) => [nameOf(pod), pod]));
    for (const from of names.values()) {
      for (const to of names.values()) {
        if (from.name === to.name && from.namespace === to.namespace) continue;
        const [old, now] = [before!, after!].map((program) => {
          const [source, target] = [from, to].map((pod) => program.cluster.pods.findIndex((one) => nameOf(one) === nameOf(pod)));
          return source! < 0 || target! < 0 ? NO_PORTS : allowedPorts(program, { kind: 'pod', pod: source! }, { kind: 'pod', pod: target! });
        });
        unite(expected, `${from.namespace}/${from.workload.name} → ${to.namespace}/${to.workload.name}`, { gained: subtractPorts(now!, old!), lost: subtractPorts(old!, now!) });
      }
    }
    assert.deepEqual(new Map([...told].sort()), new Map([...expected].sort()));
  });
});

interface Change {
  readonly gained: PortSet;
  readonly lost: PortSet;
}

function unite(changes: Map<string, Change>, pair: string, { gained, lost }: Change): void {
  if (gained.length + lost.length === 0) return;
  const known = changes.get(pair) ?? { gained: NO_PORTS, lost: NO_PORTS };
  changes.set(pair, { gained: unionPorts(known.gained, gained), lost: unionPorts(known.lost, lost) });
}

function plainId(id: string): string {
  return id.replace(/#\d+$/, '');
}

function nameOf({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}

test('what a comparison says of two pods is what the reference says of them in both sets', () => {
  checkWith(randomChange, (raw, change) => {
    const [before, after] = clusterPair(raw, { ...change, workloads: 10 });
    const points = [...trafficPoints(before), ...trafficPoints(after)].map((point) => ({ ...point, at: point.protocol === 'other' ? OTHER_POINT : pointOf(point.protocol, point.port) }));
    const { endpoints, changes } = comparePrograms({ before: compileCluster(before), after: compileCluster(after) });
    const told = new Map(Array.from(changes(), ({ source, target, ...one }) => [`${endpoints[source]!.id} → ${endpoints[target]!.id}`, one]));
    const names = new Set([...before.pods, ...after.pods].map(({ namespace, name }) => `${namespace} ${name}`));
    const isAllowed = (cluster: Cluster, [from, to]: readonly string[], { protocol, port }: (typeof points)[number]): boolean => {
      const [source, target] = [from, to].map((name) => cluster.pods.findIndex((pod) => `${pod.namespace} ${pod.name}` === name));
      if (source! < 0 || target! < 0) return false;
      return ([4, 6] as const).some((family) => referenceAllows(cluster, { source: { kind: 'pod', pod: source! }, target: { kind: 'pod', pod: target! }, protocol, port, family }));
    };
    let turn = 0;
    for (const from of names) {
      for (const to of names) {
        if (from === to) continue;
        const change = told.get(`${idOf(from)} → ${idOf(to)}`) ?? { gained: NO_PORTS, lost: NO_PORTS };
        // Each pair at one point: all of them are asked somewhere.
        const point = points[turn++ % points.length]!;
        const [old, now] = [isAllowed(before, [from, to], point), isAllowed(after, [from, to], point)];
        assert.deepEqual([hasPoint(change.gained, point.at), hasPoint(change.lost, point.at)], [now && !old, old && !now], `${from} → ${to} ${point.protocol} ${point.port}`);
      }
    }

    function idOf(name: string): string {
      const pod = [...before.pods, ...after.pods].find((one) => `${one.namespace} ${one.name}` === name)!;
      return `${pod.namespace}/${pod.workload.name}`;
    }
  }, { share: 0.4 });
});

test('an example of a change is two ends that show it', () => {
  checkWith(randomChange, (raw, change) => {
    const [before, after] = clusterPair(raw, change).map(compileCluster);
    const comparison = comparePrograms({ before: before!, after: after! });
    for (const one of comparison.changes()) {
      for (const [program, side, ports] of [[before!, 'before', one.lost], [after!, 'after', one.gained]] as const) {
        if (ports.length === 0) continue;
        const example = comparison.exampleOf(one, side);
        assert.ok(example.ports.length > 0);
        assert.deepEqual(subtractPorts(example.ports, allowedPorts(program, example.source, example.target)), NO_PORTS);
        assert.deepEqual(subtractPorts(example.ports, ports), NO_PORTS);
      }
    }
  }, { share: 0.4 });
});
