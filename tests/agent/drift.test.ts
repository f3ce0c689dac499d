// An agent puts its table right when somebody else laid hands on it, and says so in its state.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { NodeAgent } from '../../src/agent/node-agent.ts';
import { createFakeFirewall, type FakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { FakeClock } from './fake-clock.ts';

const POD = `apiVersion: v1
kind: Node
metadata: { name: here }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec: { nodeName: here, containers: [ { name: web, image: web } ] }
status: { podIP: 10.0.0.1, podIPs: [ { ip: 10.0.0.1 } ], phase: Running }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: shop }
spec: { podSelector: {}, policyTypes: [Ingress] }
`;

async function startedAgent(firewall: FakeFirewall): Promise<NodeAgent> {
  const clock = new FakeClock();
  const agent = new NodeAgent({ node: 'here', firewall, clock });
  agent.begin(readManifests([sourceFromText('shop.yaml', POD)]).cluster, []);
  await clock.advance(10);
  return agent;
}

test('a table that is gone is put back and told', async () => {
  const firewall = createFakeFirewall();
  const agent = await startedAgent(firewall);
  const held = firewall.read();
  assert.equal(held.get('li4')?.length, 1);
  assert.deepEqual([agent.state.isReady, agent.state.kernel.driftRepairs], [true, 0]);
  firewall.tamper('gone');
  assert.deepEqual(firewall.read(), held);
  const { kernel, isReady } = agent.state;
  assert.deepEqual([isReady, kernel.driftRepairs, kernel.lastDrift], [true, 1, 'the table was gone, and everything open until now']);
  agent.stop();
});

test('a policy is in force since the table was put back, not since before', async () => {
  const firewall = createFakeFirewall();
  const clock = new FakeClock();
  const agent = new NodeAgent({ node: 'here', firewall, clock });
  const told = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: 'shop', name: 'closed', uid: 'u', generation: 1, resourceVersion: '1', problem: undefined };
  agent.begin(readManifests([sourceFromText('shop.yaml', POD)]).cluster, [told]);
  await clock.advance(10);
  const since = agent.state.policies[0]!.inForceSince!;
  await clock.advance(5000);
  assert.deepEqual(agent.state.policies[0]!.inForceSince, since);
  firewall.tamper('gone');
  assert.equal(agent.state.policies[0]!.inForceSince!.getTime() - since.getTime(), 5010 - (since.getTime() - Date.UTC(2026, 0, 1)));
  agent.stop();
});

test('an element of somebody is taken out again', async () => {
  const firewall = createFakeFirewall();
  const agent = await startedAgent(firewall);
  const held = firewall.read();
  firewall.tamper([{ set: 'li4', removed: [{ key: [0x0a000001n] }], added: [{ key: [0x0a000001n], data: 0 }] }]);
  assert.deepEqual(firewall.read(), held);
  assert.match(agent.state.kernel.lastDrift ?? '', /^what stands in the sets of the table was changed: li4 \{ 10\.0\.0\.1 : 0:0 \} added/);
  agent.stop();
  firewall.tamper('gone');
  assert.equal(agent.state.kernel.driftRepairs, 1);
});
