// The cases of conformance are whole: every combination, each with something allowed and something refused, and each change changes something.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { conformanceJunit, conformanceText } from '../../src/report/state/conformance.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { CASE_DIRECTIONS, CONFORMANCE_CASES, OPEN_STATE, PEER_KINDS, PORT_KINDS, statesOf, UPDATES, type ConformancePods } from '../../src/doctor/conformance-cases.ts';
import { expectedConnections } from '../../src/doctor/expected-connections.ts';
import type { ReadyPod } from '../../src/doctor/probe-ground.ts';

const pod = (namespace: string, name: string, last: number): ReadyPod => ({ namespace, name, node: 'n', labels: {}, addresses: [parseIpAddress(`10.0.0.${last}`)!, parseIpAddress(`fd00::${last}`)!] });
const PODS: ConformancePods = { subject: pod('p', 'subject', 1), near: pod('p', 'near', 2), mate: pod('p', 'mate', 3), far: pod('p-far', 'far', 4) };

test('every combination, at least 200', () => {
  assert.equal(CONFORMANCE_CASES.length, PEER_KINDS.length * PORT_KINDS.length * CASE_DIRECTIONS.length * UPDATES.length);
  assert.equal(new Set(CONFORMANCE_CASES.map(({ name }) => name)).size, CONFORMANCE_CASES.length);
  assert.ok(CONFORMANCE_CASES.length >= 200);
});

test('an engine that lets everything through, and one that refuses everything, fail every case', () => {
  for (const one of CONFORMANCE_CASES) {
    const verdicts = [OPEN_STATE, ...statesOf(one, PODS)].flatMap((state) => expectedConnections(state, PODS, one.direction)).map(({ isAllowed }) => isAllowed);
    assert.deepEqual([...new Set(verdicts)].sort(), [false, true], one.name);
  }
});

test('an engine that misses the change fails the case', () => {
  const kept = CONFORMANCE_CASES.filter((one) => {
    const seen = statesOf(one, PODS).map((state) => JSON.stringify(expectedConnections(state, PODS, one.direction).map(({ isAllowed }) => isAllowed)));
    return new Set(seen).size === 1;
  });
  // What asks for no label of a pod is the same whatever they are; and a port by name never meets an address block.
  assert.deepEqual([...new Set(kept.map(({ peer, port, direction, update }) => (update === 'policy' ? `${direction}, ${peer}, ${port}` : peer)))].sort(), ['Exists and DoesNotExist', 'egress, ipBlock with except, name', 'egress, ipBlock, name', 'ipBlock', 'ipBlock with except', 'namespaceSelector']);
});

test('the report names what fails', () => {
  const result = { cases: [{ name: 'a & b', holds: false, effectMs: undefined, wrong: ['x came through'], connections: 9, tookMs: 1500 }, { name: 'c', holds: true, effectMs: 300, wrong: [], connections: 9, tookMs: 900 }], features: [{ dimension: 'peer', name: 'ipBlock', held: 1, count: 2 }], effects: { p50: 300, p99: 300, max: 300 }, isConformant: false } as const;
  assert.match(conformanceText(result, PLAIN_STYLE, { isWide: false }), /ipBlock +partly +1 of 2[^]*FAIL a & b\n {2}x came through\n1 of 2 cases hold, 18 connections/);
  assert.match(conformanceJunit(result), /tests="2" failures="1"[^]*name="a &amp; b" time="1.500">\n +<failure message="x came through">/);
});
