// What is claimed to be in force, by NodeEnforcement, Events and /readyz, held against connections on real nodes while policies change and agents die.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterObject } from '../../../src/kube/cluster-api.ts';
import { askServer } from '../../../src/kube/kube-request.ts';
import { EVENT } from '../../../src/status/policy-events.ts';
import { cloneRoot } from '../../needs.ts';
import { policyCrdFiles } from '../policy-crds.ts';
import { applyObject } from '../write-object.ts';
import { Agent } from './agent.ts';
import { CLAIMED_PORTS, contradictions, holdClaims, type ClaimedPolicy } from './claim-holder.ts';
import { onNode } from './node-cluster.ts';
import { endNamed } from './service-cases.ts';
import { describeOnNodes, networkPolicy, PODS, startAgents, type World } from './world.ts';

const CRDS = join(cloneRoot, 'deploy/crds');
const CRD_FILES = [...policyCrdFiles(), ...readdirSync(CRDS).map((file) => join(CRDS, file))].join(' ');

/** In CI they are fewer. */
const CHANGES = process.env['BULKHEAD_NIGHTLY'] === '1' ? 300 : 16;

describeOnNodes('claims', { combination: { cni: 'ptp', nodes: 2, isDualStack: true, proxy: 'nftables' }, agent: 'none', settings: { CRD_FILES } }, (world) => {
  let policy: ClaimedPolicy;
  let generations = 0;
  const change = async (): Promise<number> => {
    const port = CLAIMED_PORTS[generations++ % CLAIMED_PORTS.length]!;
    await applyObject(world().cluster.connection, networkPolicy('a/claimed', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port }] }] }));
    return port;
  };
  before(async () => {
    policy = await claimedPolicy(world());
    await change();
    await startAgents(world());
  });

  test('what stands claimed while it is tried is so, through changes, deaths, ends and foreign hands', async () => {
    const seed = Number(process.env['BULKHEAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    let state = seed;
    const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    const stop = new AbortController();
    const holding = holdClaims(world().cluster, policy, stop.signal);
    for (let count = 0; count < CHANGES; count++) {
      await change();
      await sleep(random() * 1500);
      if (count % 10 === 4) await replaceAgents(world(), 'SIGKILL');
      if (count % 10 === 9) await replaceAgents(world(), 'SIGTERM', random() < 0.5 ? 'delete table inet bulkhead\n' : undefined);
    }
    await sleep(2000);
    stop.abort();
    const { held, connections, passed, broken } = await holding;
    console.log(`${CHANGES} changes, seed ${seed}: ${held} claims held against ${connections} connections, ${passed} that were over before all was tried, ${broken.length} broken`);
    assert.deepEqual(broken, []);
    assert.ok(held > CHANGES / 2, `${held} claims were held`);
  });

  test('an agent that starts is ready no sooner than its kernel holds what was changed meanwhile', async () => {
    for (let count = 0; count < 4; count++) {
      await Promise.all(world().agents.map((agent) => agent.end('SIGKILL')));
      const port = await change();
      if (count % 2 === 1) for (const node of world().cluster.nodes) onNode(node, ['nft', '-f', '-'], 'delete table inet bulkhead\n');
      world().agents = world().cluster.nodes.map((node) => new Agent(world().cluster, node));
      await Promise.all(world().agents.map(async (agent) => {
        await agent.ready();
        assert.deepEqual((await contradictions(policy, agent.node.name, port)).wrong, []);
      }));
    }
  });

  test('an Event says that a generation is in force on a node no sooner than it is', async () => {
    for (let count = 0; count < 5; count++) {
      const port = await change();
      const { node } = await eventOfNewest(world());
      assert.deepEqual((await contradictions(policy, node, port)).wrong, []);
      await sleep(300);
    }
  });
});

async function claimedPolicy({ cluster, fleet }: World): Promise<ClaimedPolicy> {
  const ends = await fleet.ends();
  const targets = new Map(cluster.nodes.map(({ name, number }) => [name, PODS.filter(({ namespace, node }) => namespace === 'a' && (node - 1) % cluster.nodes.length === number - 1).map((pod) => endNamed(ends, `a/${pod.name}`))]));
  assert.ok([...targets.values()].every((pods) => pods.length > 0));
  return { namespace: 'a', name: 'claimed', targets, sources: ['b/x', 'outside'].map((name) => endNamed(ends, name)) };
}

/** Between the two nobody looks after the table; `commands` are somebody else's, for nft. */
async function replaceAgents(world: World, signal: NodeJS.Signals, commands?: string): Promise<void> {
  await Promise.all(world.agents.map((agent) => agent.end(signal)));
  for (const node of world.cluster.nodes) if (commands !== undefined) assert.equal(onNode(node, ['nft', '-f', '-'], commands).status, 0);
  await sleep(1000);
  await startAgents(world);
}

/** The one of its newest generation, whichever node was first. */
async function eventOfNewest({ cluster: { connection } }: World): Promise<{ readonly node: string }> {
  const { metadata } = (await askServer(connection, { path: '/apis/networking.k8s.io/v1/namespaces/a/networkpolicies/claimed' })) as ClusterObject;
  for (;;) {
    const { items } = (await askServer(connection, { path: `/apis/${EVENT.apiVersion}/namespaces/a/events` })) as { readonly items: readonly ClusterObject[] };
    const found = items.find(({ metadata: { name } }) => name === `bulkhead.${String(metadata['uid'])}.${String(metadata['generation'])}.in-force`);
    if (found !== undefined) return { node: String(found['reportingInstance']) };
    await sleep(20);
  }
}
