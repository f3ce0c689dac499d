// Port sets against plain sets of points.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ALL_PORTS,
  complementPorts,
  hasOtherProtocols,
  hasPoint,
  intersectPorts,
  OTHER_POINT,
  portSetOf,
  protocolRanges,
  PROTOCOLS,
  subtractPorts,
  unionPorts,
  type PortSet,
} from '../../src/base/port-set.ts';

// Points where mistakes live: ends of protocols, neighbors, and the point of all other protocols.
const POINTS = [1, 2, 3, 80, 81, 65534, 65535, 65537, 65538, 131071, 131073, 131074, 196607, OTHER_POINT];

const interval: fc.Arbitrary<PortSet> = fc.oneof(
  fc.tuple(fc.constantFrom(...PROTOCOLS), fc.constantFrom(1, 2, 3, 80, 65534), fc.constantFrom(0, 1, 2, 65535)).map(([protocol, first, size]) =>
    portSetOf(protocol, first, Math.min(65535, first + size)),
  ),
  fc.constant([OTHER_POINT, OTHER_POINT]),
  fc.constant(ALL_PORTS),
);
const portSet = fc.array(interval, { maxLength: 6 }).map((intervals) => intervals.reduce(unionPorts, []));

test('union, intersection, difference and complement hold point by point', () => {
  fc.assert(
    fc.property(portSet, portSet, (a, b) => {
      for (const point of POINTS) {
        const [inA, inB] = [hasPoint(a, point), hasPoint(b, point)];
        assert.equal(hasPoint(unionPorts(a, b), point), inA || inB);
        assert.equal(hasPoint(intersectPorts(a, b), point), inA && inB);
        assert.equal(hasPoint(subtractPorts(a, b), point), inA && !inB);
        assert.equal(hasPoint(complementPorts(a), point), !inA);
      }
    }),
  );
});

test('equal sets have equal intervals, so that they intern to one id', () => {
  fc.assert(
    fc.property(portSet, portSet, (a, b) => {
      assert.deepEqual(unionPorts(a, b), unionPorts(b, a));
      assert.deepEqual(unionPorts(intersectPorts(a, b), subtractPorts(a, b)), a);
      assert.deepEqual(complementPorts(complementPorts(a)), a);
      assert.deepEqual(unionPorts(a, complementPorts(a)), ALL_PORTS);
    }),
  );
});

test('endPort 1–65535 in every protocol and the others is the set of all ports', () => {
  const whole = PROTOCOLS.map((protocol) => portSetOf(protocol, 1, 65535)).reduce(unionPorts);
  assert.equal(hasOtherProtocols(whole), false);
  assert.deepEqual(unionPorts(whole, [OTHER_POINT, OTHER_POINT]), ALL_PORTS);
});

test('ranges of one protocol leave out the neighbors of the next', () => {
  const ports = unionPorts(unionPorts(portSetOf('TCP', 65535, 65535), portSetOf('UDP', 1, 1)), [OTHER_POINT, OTHER_POINT]);
  assert.deepEqual(protocolRanges(ports, 'TCP'), [[65535, 65535]]);
  assert.deepEqual(protocolRanges(ports, 'UDP'), [[1, 1]]);
  assert.deepEqual(protocolRanges(ports, 'SCTP'), []);
  assert.equal(hasOtherProtocols(ports), true);
});
