// Expectations tried in a lab: each kind holds while the walls stand, and none of those that speak of walls when they are gone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatAssertion, parseAssertion } from '../../src/words/assertion.ts';
import type { PolicyTest } from '../../src/probe/policy-test.ts';
import { tryTests } from '../../src/probe/try-expectations.ts';
import { anyPodPeer, cluster, pod, podPeer, policy, rule } from '../lab/example-cluster.ts';
import { withLab, type RunningLab } from '../lab/running-lab.ts';
import { needs } from '../needs.ts';

const shop = cluster({
  pods: [pod('shop/web', { ports: ['TCP/8080'] }), pod('shop/api', { ports: ['TCP/9000'] }), pod('shop/db', { ports: ['TCP/3306'] }), pod('evil/mallory', { ports: ['TCP/6666'] })],
  policies: [
    policy('shop/deny', { ingress: [], egress: [] }),
    policy('shop/web', { selector: { app: 'web' }, ingress: [rule([anyPodPeer()])], egress: [rule([podPeer({ app: 'api' })])] }),
    policy('shop/api', { selector: { app: 'api' }, ingress: [rule([podPeer({ app: 'web' })], ['TCP/9000'])] }),
  ],
});

const SENTENCES = ['allow shop/web -> shop/api on tcp/9000', 'deny shop/web -> shop/db', 'isolated shop', 'no-path evil/mallory -> shop/db'];

function testOf(sentences: readonly string[]): PolicyTest {
  const range = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  const expectations = sentences.map(parseAssertion).map((assertion) => ({ assertion, sentence: formatAssertion(assertion), file: 'shop.yaml', range }));
  return { name: 'shop', file: 'shop.yaml', expectations };
}

async function holding({ program, plan, world }: RunningLab, prober = world): Promise<{ readonly held: string[]; readonly tried: number[] }> {
  const { tests } = await tryTests({ program, endpoints: plan.endpoints, world: prober, addedPods: [] }, [testOf(SENTENCES)]);
  const results = tests[0]!.results;
  return { held: results.filter(({ holds }) => holds).map(({ expectation }) => expectation.sentence), tried: results.map(({ tried }) => tried?.tried ?? 0) };
}

test('every kind of expectation is tried by real connections, and holds', needs('kernel'), async () => {
  await withLab(shop, {}, async (running) => {
    const { held, tried } = await holding(running);
    assert.deepEqual(held, SENTENCES);
    assert.ok(tried.every((count) => count > 0), `tried ${tried.join(', ')}`);
  });
});

test('without the walls only what is allowed holds', needs('kernel'), async () => {
  await withLab(shop, {}, async (running) => {
    running.firewall.remove();
    const { prober, namespaces } = running.world;
    const { held } = await holding(running, { prober, namespaces });
    assert.deepEqual(held, SENTENCES.slice(0, 1));
  });
});
