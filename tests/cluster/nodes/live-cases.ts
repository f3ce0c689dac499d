// Connections that are open while policies change: what is now denied is cut, TCP by a reset, and nothing else notices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '../../../src/base/ip-address.ts';
import { applyObject } from '../write-object.ts';
import { LIVE_PORT, type FleetEnd } from './fleet.ts';
import { holdTruth } from './hold-truth.ts';
import { keepTalking, LiveConnection } from './live-connection.ts';
import { callAll, endNamed, makeService, removeServices, settlesTo, type Call } from './service-cases.ts';
import { networkPolicy, type World } from './world.ts';

const Y = { matchLabels: { app: 'y' } };

/** What is said in this time is heard again, where nothing is in the way. */
const TALK_MS = 400;

export interface NamedConnection {
  readonly name: string;
  readonly from: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly connection: LiveConnection;
}

/** Who goes on talks and is heard; of who was cut TCP was told so, and UDP hears nothing. */
export async function holdLive(connections: readonly NamedConnection[], goesOn: (connection: NamedConnection) => boolean): Promise<void> {
  await keepTalking(connections.map(({ connection }) => connection), TALK_MS);
  const before = connections.map(({ connection: { heard } }) => heard);
  await keepTalking(connections.map(({ connection }) => connection), TALK_MS);
  for (const [index, one] of connections.entries()) {
    const { name, protocol, connection: { state, heard } } = one;
    const words = `${name}: ${state}, heard ${before[index]}, then ${heard - before[index]!}`;
    if (goesOn(one)) assert.ok(state === 'open' && heard > before[index]!, words);
    else if (protocol === 'TCP') assert.equal(state, 'reset', words);
    else assert.equal(heard, before[index], words);
  }
}

const SOURCES = ['a/x', 'b/x', 'b/y', 'c/x', 'outside'];

export function declareLiveConnections(world: () => World): void {
  const toPod = async (): Promise<NamedConnection[]> => {
    const ends = await world().fleet.ends();
    const target = endNamed(ends, 'a/y');
    return SOURCES.flatMap((from) => target.addresses.flatMap((address) => open(endNamed(ends, from), address, [LIVE_PORT, LIVE_PORT])));
  };

  test('open connections to a pod: those that a change denies are cut, the others go on', async () => {
    const { cluster, fleet } = world();
    const connections = await toPod();
    try {
      await holdLive(connections, () => true);
      const fromB = { from: [{ namespaceSelector: Y }] };
      await applyObject(cluster.connection, networkPolicy('a/from-b', { podSelector: Y, ingress: [fromB] }));
      await holdTruth(cluster, fleet);
      await holdLive(connections, ({ from }) => from.startsWith('b/'));
      const left = connections.filter(({ from }) => from.startsWith('b/'));
      // Another port of the same peers, and a policy elsewhere: nothing of it is theirs.
      await applyObject(cluster.connection, networkPolicy('a/from-b', { podSelector: Y, ingress: [fromB, { ports: [{ port: 80 }] }] }));
      await applyObject(cluster.connection, networkPolicy('c/shut', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
      await holdTruth(cluster, fleet);
      await holdLive(left, () => true);
      // One protocol of it goes, and then one of the two clients, by what may go out.
      await applyObject(cluster.connection, networkPolicy('a/from-b', { podSelector: Y, ingress: [{ ...fromB, ports: [{ port: LIVE_PORT }] }] }));
      await holdTruth(cluster, fleet);
      await holdLive(left, ({ protocol }) => protocol === 'TCP');
      const stillLeft = left.filter(({ protocol }) => protocol === 'TCP');
      await applyObject(cluster.connection, networkPolicy('b/out', { podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Egress'] }));
      await holdTruth(cluster, fleet);
      await holdLive(stillLeft, ({ from }) => from === 'b/y');
    } finally {
      for (const { connection } of connections) connection.close();
    }
  });

  test('open connections through a ClusterIP and a NodePort are cut by what the pods may', async () => {
    const { cluster, fleet } = world();
    const ports = [{ name: 'web', port: 8081, targetPort: LIVE_PORT }, { name: 'query', port: 5353, targetPort: LIVE_PORT, protocol: 'UDP' }];
    const { clusterIps, nodePorts } = await makeService(world(), 'live', { type: 'NodePort', ports });
    const ends = await fleet.ends();
    const node = cluster.nodes.at(-1)!;
    const calls = (from: string, targets: readonly IpAddress[], numbers: readonly [number, number]): readonly Call[] => targets.flatMap((target): Call[] => [
      { end: endNamed(ends, from), target, protocol: 'TCP', port: numbers[0] },
      { end: endNamed(ends, from), target, protocol: 'UDP', port: numbers[1] },
    ]);
    // On the server's node and, where there are two, on the other: on a bridge the kernel answers them in different ways.
    const [clients, knockers] = [['b/x', 'c/x', 'c/y'], ['c/y', 'outside']];
    const all = [
      ...clients.flatMap((from) => calls(from, clusterIps, [8081, 5353])),
      ...knockers.flatMap((from) => calls(from, node.addresses, [nodePorts['web']!, nodePorts['query']!])),
    ];
    await settlesTo(all, all.map(() => true));
    const connections = [
      ...clients.flatMap((from) => clusterIps.flatMap((target) => open(endNamed(ends, from), target, [8081, 5353]))),
      ...knockers.flatMap((from) => node.addresses.flatMap((target) => open(endNamed(ends, from), target, [nodePorts['web']!, nodePorts['query']!]))),
    ];
    try {
      await holdLive(connections, () => true);
      await applyObject(cluster.connection, networkPolicy('a/from-b', { podSelector: Y, ingress: [{ from: [{ namespaceSelector: Y }] }] }));
      await holdTruth(cluster, fleet);
      await holdLive(connections, ({ from }) => from === 'b/x');
      assert.deepEqual(await callAll(all), all.map(({ end }) => end.name === 'b/x'));
    } finally {
      for (const { connection } of connections) connection.close();
      await removeServices(world());
    }
  });
}

export function open(from: FleetEnd, target: IpAddress, [tcp, udp]: readonly [number, number]): NamedConnection[] {
  if (!from.addresses.some(({ family }) => family === target.family)) return [];
  return (['TCP', 'UDP'] as const).map((protocol) => ({
    name: `${from.name} ${protocol} over IPv${target.family}`,
    from: from.name,
    protocol,
    connection: new LiveConnection({ namespace: from.namespace, target, protocol, port: protocol === 'TCP' ? tcp : udp }),
  }));
}
