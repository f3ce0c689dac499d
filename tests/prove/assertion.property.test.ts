// Random clusters: an assertion holds exactly when a search over all pairs of pods says so, and its counterexamples are ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ConnectionAssertion } from '../../src/words/assertion.ts';
import { checkAssertion } from '../../src/prove/check-assertion.ts';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { intersectPorts, portSetOf, subtractPorts } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import { checkWith } from '../clusters/check-property.ts';
import { settleCluster } from '../clusters/settle.ts';

/** Every pod of the cluster, replica by replica. */
interface Replica {
  readonly pod: number;
  readonly namespace: string;
}

function replicasOf({ cluster }: Program): Replica[] {
  return cluster.pods.flatMap(({ replicas, namespace }, pod) => Array.from({ length: replicas }, () => ({ pod, namespace })));
}

function portsBetween(program: Program, source: Replica, target: Replica) {
  return allowedPorts(program, { kind: 'pod', pod: source.pod }, { kind: 'pod', pod: target.pod });
}

const question = fc.record({ source: fc.nat(2), target: fc.nat(2), kind: fc.constantFrom('allow' as const, 'deny' as const), port: fc.constantFrom(80, 443, 8080), hopsMax: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }) });

/** Two namespaces with pods, by number; undefined where there are no pods at all. */
function pickNamespaces({ cluster }: Program, source: number, target: number): [string, string] | undefined {
  const names = [...new Set(cluster.pods.map(({ namespace }) => namespace))];
  return names.length === 0 ? undefined : [names[source % names.length]!, names[target % names.length]!];
}

test('allow and deny hold exactly when all pairs are so', () => {
  checkWith(question, (raw, { source, target, kind, port }) => {
    const program = compileCluster(settleCluster(raw));
    const [from, to] = pickNamespaces(program, source, target) ?? [];
    if (from === undefined || to === undefined) return;
    const replicas = replicasOf(program);
    const asked = portSetOf('TCP', port, port);
    const pairs = replicas.flatMap((a) => replicas.flatMap((b) => (a !== b && a.namespace === from && b.namespace === to ? [portsBetween(program, a, b)] : [])));
    if (pairs.length === 0) return;
    const assertion: ConnectionAssertion = { kind, source: `${from}/*`, target: `${to}/*`, ports: [`tcp/${port}`] };
    const { holds, counterexamples } = checkAssertion(program, assertion);
    assert.equal(holds, pairs.every((ports) => (kind === 'allow' ? subtractPorts(asked, ports) : intersectPorts(asked, ports)).length === 0));
    for (const example of counterexamples) assert.ok(example.kind === 'connection' && example.explanation.verdict === (kind === 'allow' ? 'denied' : 'allowed'));
  }, { share: 0.4 });
});

test('no-path holds exactly when a search over all pods finds none, and its path is one, as short as can be', () => {
  checkWith(question, (raw, { source, target, hopsMax }) => {
    const program = compileCluster(settleCluster(raw));
    const [from, to] = pickNamespaces(program, source, target) ?? [];
    if (from === undefined || to === undefined) return;
    const length = shortestPath(program, from, to);
    const { counterexamples } = checkAssertion(program, { kind: 'no-path', source: `${from}/*`, target: `${to}/*`, hopsMax });
    const [example] = counterexamples;
    if (length === undefined || length > (hopsMax ?? Number.POSITIVE_INFINITY)) return assert.equal(example, undefined);
    assert.ok(example?.kind === 'path');
    assert.equal(example.hops.length, length);
    for (const { explanation, ports } of example.hops) assert.ok(explanation.verdict === 'allowed' && ports.length > 0);
    for (const [index, { target: end }] of example.hops.slice(0, -1).entries()) assert.equal(end, example.hops[index + 1]!.source);
  }, { share: 0.4 });
});

/** From each replica of one namespace to any other replica of the other. */
function shortestPath(program: Program, from: string, to: string): number | undefined {
  const replicas = replicasOf(program);
  let best: number | undefined;
  for (const start of replicas.filter(({ namespace }) => namespace === from)) {
    const distance = new Map<Replica, number>([[start, 0]]);
    for (const [source, hops] of distance) {
      for (const target of replicas) if (!distance.has(target) && portsBetween(program, source, target).length > 0) distance.set(target, hops + 1);
    }
    for (const [end, hops] of distance) if (end !== start && end.namespace === to && hops < (best ?? Number.POSITIVE_INFINITY)) best = hops;
  }
  return best;
}
