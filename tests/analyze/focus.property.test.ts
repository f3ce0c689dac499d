// Random clusters: a focus gives the rows that it asks for and no others, and new pods change nothing between those that are there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { findEnds } from '../../src/words/endpoint-words.ts';
import { focusReach } from '../../src/analyze/focus-reach.ts';
import { findNewPodExposure } from '../../src/analyze/new-pod-exposure.ts';
import { newPodsOf } from '../../src/analyze/new-pods.ts';
import { reach } from '../../src/analyze/reach.ts';
import { intersectPorts, portSetOf } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkClusters, checkWith } from '../clusters/check-property.ts';
import { settleCluster } from '../clusters/settle.ts';

test('a focus gives the rows that it asks for and no others', () => {
  checkWith(fc.record({ source: fc.nat(2), port: fc.constantFrom(80, 8080) }), (raw, { source, port }) => {
    const program = compileCluster(settleCluster(raw));
    const namespaces = [...new Set(program.cluster.pods.map(({ namespace }) => namespace))];
    if (namespaces.length === 0) return;
    const namespace = namespaces[source % namespaces.length]!;
    const ports = portSetOf('TCP', port, port);
    const whole = reach(program, { by: 'workload' });
    const focused = focusReach(program, whole, { by: 'workload', sources: findEnds(program, `${namespace}/*`), ports });
    const name = ({ endpoints }: typeof whole, index: number): string => endpoints[index]!.id;
    const wanted = Array.from(whole.rows(), (row) => ({ source: name(whole, row.source), target: name(whole, row.target), ports: intersectPorts(row.ports, ports), isOwn: 'namespace' in whole.endpoints[row.source]! && (whole.endpoints[row.source] as { namespace: string }).namespace === namespace }));
    const given = Array.from(focused.rows(), (row) => ({ source: name(focused, row.source), target: name(focused, row.target), ports: row.ports }));
    assert.deepEqual(given, wanted.filter((row) => row.isOwn && row.ports.length > 0).map((row) => ({ source: row.source, target: row.target, ports: row.ports })));
  }, { share: 0.3 });
});

test('an exposure is what the new pod would reach if it were the only new one', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const { pods, namespaces } = newPodsOf(cluster);
    const exposures = findNewPodExposure(cluster);
    const sorted = (extra: Cluster['namespaces']): Cluster['namespaces'] => [...cluster.namespaces, ...extra].sort((a, b) => (a.name < b.name ? -1 : 1));
    const labelled = new Map(pods.map((one, index) => [index, one] as const).filter(([, one]) => one.kind === 'labelled' || one.kind === 'any-namespace'));
    const told = new Set(exposures.flatMap(({ ingress }) => ingress.labelled.map(({ ports }) => ports.join())));
    const alone = new Set<string>();
    for (const one of labelled.values()) {
      const program = compileCluster({ ...cluster, namespaces: sorted(namespaces.filter(({ name }) => name === one.pod.namespace)), pods: [...cluster.pods, one.pod] });
      for (const pod of cluster.pods.keys()) {
        const ports = allowedPorts(program, { kind: 'pod', pod: cluster.pods.length }, { kind: 'pod', pod });
        if (one.kind === 'labelled') alone.add(ports.join());
        else assert.ok(exposures.some(({ ingress }) => ingress.anyNamespace.join() === ports.join()));
      }
    }
    for (const ports of told) assert.ok(alone.has(ports));
  }, { share: 0.3 });
});
