// The picture of who reaches whom: every row is in it and nothing else, its text cannot become markup, and it asks for nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { portSetOf } from '../../src/base/port-set.ts';
import type { ReachRow } from '../../src/analyze/reach.ts';
import { bundleRows } from '../../src/report/reach/reach-bundles.ts';
import { formatReach } from '../../src/report/reach/reach-formats.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { exampleReachability, reachabilityOf } from './reachability-example.ts';

const ENDS = 7;
const end = fc.nat({ max: ENDS - 1 });
const PORTS = [portSetOf('TCP', 80, 80), portSetOf('UDP', 53, 53)];

test('bundles, unfolded, are the rows, each once', () => {
  const seed = process.env['BULKHEAD_SEED'];
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(end, end), { maxLength: ENDS * ENDS, selector: ([source, target]) => `${source} ${target}` }), fc.array(fc.nat({ max: 1 }), { minLength: 49, maxLength: 49 }), fc.array(fc.boolean(), { minLength: ENDS, maxLength: ENDS }), (pairs, choice, alone) => {
      const isAlone = (at: number): boolean => alone[at]!;
      const rows = pairs.filter(([source, target]) => source !== target || !isAlone(source)).map(([source, target]): ReachRow => ({ source, target, ports: PORTS[choice[source * ENDS + target]!]! }));
      const unfolded = bundleRows(rows, isAlone).flatMap(({ ports, sources, targets }) => sources.flatMap((source) => targets.map((target) => ({ source, target, ports: ports.join() }))));
      const told = unfolded.filter(({ source, target }) => source !== target || !isAlone(source)).map(({ source, target, ports }) => `${source} ${target} ${ports}`);
      assert.deepEqual(told.sort(), rows.map(({ source, target, ports }) => `${source} ${target} ${ports.join()}`).sort());
    }),
    { numRuns: 1000, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  );
});

test('pods of which each reaches all others are one bundle', () => {
  const rows = [0, 1, 2].flatMap((source) => [0, 1, 2].filter((target) => target !== source).map((target) => ({ source, target, ports: PORTS[0]! })));
  assert.deepEqual(bundleRows(rows, () => true), [{ ports: PORTS[0]!, sources: [0, 1, 2], targets: [0, 1, 2] }]);
});

async function svgOf(reachability = exampleReachability()): Promise<string> {
  return [...(await formatReach('svg', reachability, { style: PLAIN_STYLE, widthColumns: 80, findings: [] }))].join('');
}

test('names the ends and what the lines carry, and asks for nothing', async () => {
  const svg = await svgOf();
  for (const text of ['>FROM<', '>data<', '>db<', '>web<', '>10.0.0.0/8<', '>TCP 5432<', '>all<', '>TCP 80,8000-8999; UDP 53<']) assert.ok(svg.includes(text), text);
  assert.doesNotMatch(svg, /<script|<foreignObject|<image|href|url\(|@import|\son[a-z]+=/i);
  assert.equal(svg.match(/http[^"]*/g)?.join(), 'http://www.w3.org/2000/svg');
  assert.equal(await svgOf(), svg);
});

test('names cannot become markup', async () => {
  const name = '</text><script>"\'&\u0007';
  const svg = await svgOf(reachabilityOf([{ id: `ns/${name}`, kind: 'Pod', namespace: 'ns', name, pods: 1, hostNetwork: false }], []));
  assert.ok(svg.includes('>&#60;/text&#62;&#60;script&#62;&#34;&#39;&#38;\\u0007<'));
  assert.doesNotMatch(svg, /<script/);
});

test('more ends than anybody reads are refused', async () => {
  const ends = Array.from({ length: 81 }, (_, at) => ({ id: `ns/p${at}`, kind: 'Pod', namespace: 'ns', name: `p${at}`, pods: 1, hostNetwork: false }));
  await assert.rejects(svgOf(reachabilityOf(ends, [])), /a picture of 81 ends is more than anybody reads \(80 at most\)/);
  assert.match(await svgOf(reachabilityOf(ends.slice(1), [])), /^<svg /);
});
