// An agent beside kube-proxy, the kubelet, the CNI and somebody else's marks: nothing of theirs changes, and nothing is left when it is removed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyObject } from '../write-object.ts';
import { combinations, describeCombination } from './combination.ts';
import { foreignRules, forgetMarks, hasOurTable, kernelSettings, observeMarks, seenMarks, type SeenMarks } from './foreign-rules.ts';
import { holdTruth } from './hold-truth.ts';
import { onNode } from './node-cluster.ts';
import { callAll, endNamed, makeService, settlesTo, type Call } from './service-cases.ts';
import { describeOnNodes, networkPolicy, startAgents, type World } from './world.ts';

/** One in each mode of kube-proxy; all in the nightly setting. */
const CHOSEN = process.env['BULKHEAD_NIGHTLY'] === '1' ? combinations() : combinations().filter(({ nodes, isDualStack }) => nodes === 2 && isDualStack);

for (const combination of CHOSEN) {
  describeOnNodes(`foreign hands, ${describeCombination(combination)}`, { combination, agent: 'none' }, (world) => {
    let calls: readonly Call[] = [];
    const before: { rules: string[]; settings: string[]; marks: readonly SeenMarks[] } = { rules: [], settings: [], marks: [] };

    test('without an agent', async () => {
      const { cluster } = world();
      calls = await callsThroughServices(world());
      await settlesTo(calls, calls.map(() => true));
      for (const node of cluster.nodes) observeMarks(node);
      before.marks = await marksOf(world(), calls);
      before.rules = cluster.nodes.map(foreignRules);
      before.settings = cluster.nodes.map(kernelSettings);
      assert.ok(before.marks.some(({ masquerade }) => masquerade > 0), 'something is masqueraded');
    });

    test('with an agent and policies the rules of others, the kernel\'s settings and every foreign mark are as before', async () => {
      const { cluster, fleet } = world();
      await startAgents(world());
      await applyObject(cluster.connection, networkPolicy('a/some', { podSelector: {}, ingress: [{ ports: [{ port: 80 }, { port: 81, protocol: 'UDP' }] }] }));
      await holdTruth(cluster, fleet);
      const marks = await marksOf(world(), calls);
      assert.deepEqual(marks.map(({ lost }) => lost), cluster.nodes.map(() => 0), 'no packet lost a mark');
      // Packets of connections under way at the end of the count differ by a few; those to be masqueraded are one per new connection.
      assert.deepEqual(marks.map(({ masquerade }) => masquerade), before.marks.map(({ masquerade }) => masquerade));
      assert.deepEqual(cluster.nodes.map(foreignRules), before.rules);
      assert.deepEqual(cluster.nodes.map(kernelSettings), before.settings);
      console.log(`${describeCombination(combination)}: ${marks.reduce((sum, { kept }) => sum + kept, 0)} forwarded packets kept a foreign mark, 0 lost it; ${marks.reduce((sum, { masquerade }) => sum + masquerade, 0)} masqueraded, as without an agent; ${before.rules.join('').split('\n').length} lines of foreign rules unchanged`);
    });

    test('agents that stop leave their rules in force', async () => {
      for (const agent of world().agents) await agent.end();
      await holdTruth(world().cluster, world().fleet);
      assert.deepEqual(world().cluster.nodes.map(hasOurTable), world().cluster.nodes.map(() => true));
    });

    test('--uninstall takes away what is ours and nothing else', async () => {
      const { cluster, fleet } = world();
      for (const node of cluster.nodes) {
        const { status, stderr } = onNode(node, [process.execPath, new URL('../../../src/cli/main.ts', import.meta.url).pathname, 'agent', '--uninstall', '--node', node.name]);
        assert.equal(status, 0, stderr);
      }
      assert.deepEqual(cluster.nodes.map(hasOurTable), cluster.nodes.map(() => false));
      await holdTruth(cluster, fleet, { isEnforced: false });
      assert.deepEqual(cluster.nodes.map(foreignRules), before.rules);
      assert.deepEqual(cluster.nodes.map(kernelSettings), before.settings);
      assert.deepEqual(cluster.nodes.map(markedConnections), cluster.nodes.map(() => []));
    });
  });
}

/** Connections that still carry a generation of ours. */
function markedConnections(node: World['cluster']['nodes'][number]): readonly string[] {
  return onNode(node, ['conntrack', '-L', '-o', 'extended']).stdout.split('\n').filter((line) => (Number(/ mark=([0-9]+)/.exec(line)?.[1] ?? 0) & 0x7f) !== 0);
}

/** By ClusterIP, NodePort in both external traffic policies, to oneself, and pod to pod. */
async function callsThroughServices(world: World): Promise<readonly Call[]> {
  const ends = await world.fleet.ends();
  const { nodes } = world.cluster;
  const [inside, door, local] = [await makeService(world, 'inside'), await makeService(world, 'door', { type: 'NodePort' }), await makeService(world, 'local', { type: 'NodePort', externalTrafficPolicy: 'Local' })];
  const both = (from: string, target: Call['target'], tcp: number, udp: number): Call[] => {
    const end = endNamed(ends, from);
    if (!end.addresses.some(({ family }) => family === target.family)) return [];
    return [{ end, target, protocol: 'TCP', port: tcp }, { end, target, protocol: 'UDP', port: udp }];
  };
  return [
    ...['a/y', 'b/x', 'c/bare', 'hosts/host1'].flatMap((from) => inside.clusterIps.flatMap((target) => both(from, target, 8080, 5353))),
    ...nodes.flatMap(({ addresses }) => addresses.flatMap((target) => both('outside', target, door.nodePorts['web']!, door.nodePorts['query']!))),
    ...nodes.at(-1)!.addresses.flatMap((target) => both('outside', target, local.nodePorts['web']!, local.nodePorts['query']!)),
    ...endNamed(ends, 'a/y').addresses.flatMap((target) => both('b/bare', target, 80, 81)),
  ];
}

async function marksOf({ cluster }: World, calls: readonly Call[]): Promise<readonly SeenMarks[]> {
  for (const node of cluster.nodes) forgetMarks(node);
  for (let round = 0; round < 5; round++) assert.ok((await callAll(calls)).every((one) => one));
  return cluster.nodes.map(seenMarks);
}
