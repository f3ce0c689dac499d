// Services in front of pods that policies select: by ClusterIP, NodePort, in both external traffic policies, to oneself, headless; TCP and UDP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../../src/base/ip-address.ts';
import { askServer } from '../../../src/kube/kube-request.ts';
import { createPollProber } from '../../../src/kernel/poll-probe.ts';
import type { ProbeTask } from '../../../src/kernel/prober.ts';
import { applyObject } from '../write-object.ts';
import { getInside } from './call-inside.ts';
import type { FleetEnd } from './fleet.ts';
import { holdTruth } from './hold-truth.ts';
import { networkPolicy, type World } from './world.ts';

const ALL = {};
const Y = { matchLabels: { app: 'y' } };
const FROM_B_X = { from: [{ namespaceSelector: Y, podSelector: { matchLabels: { app: 'x' } } }] };
const OUTSIDE_BLOCKS = [{ ipBlock: { cidr: '10.250.0.1/32' } }, { ipBlock: { cidr: 'fd00:10:250::1/128' } }];

interface ServiceAddresses {
  readonly clusterIps: readonly IpAddress[];
  readonly nodePorts: Readonly<Record<string, number>>;
}

/** In front of `a/y`: TCP 8080 leads to 80, UDP 5353 to 81; `options` are fields of the spec. */
export async function makeService({ cluster: { connection, combination } }: World, name: string, options: Readonly<Record<string, unknown>> = {}): Promise<ServiceAddresses> {
  const ports = [{ name: 'web', port: 8080, targetPort: 'http' }, { name: 'query', port: 5353, targetPort: 81, protocol: 'UDP' }];
  const families = combination.isDualStack ? { ipFamilyPolicy: 'RequireDualStack' } : {};
  await applyObject(connection, { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'a' }, spec: { selector: { app: 'y' }, ports, ...families, ...options } });
  const { spec } = (await askServer(connection, { path: `/api/v1/namespaces/a/services/${name}` })) as { readonly spec: { readonly clusterIPs: readonly string[]; readonly ports: readonly { readonly name: string; readonly nodePort?: number }[] } };
  return {
    clusterIps: spec.clusterIPs.flatMap((text) => parseIpAddress(text) ?? []),
    nodePorts: Object.fromEntries(spec.ports.flatMap(({ name: port, nodePort }) => (nodePort === undefined ? [] : [[port, nodePort]]))),
  };
}

export async function removeServices({ cluster: { connection } }: World): Promise<void> {
  const { items } = (await askServer(connection, { path: '/api/v1/namespaces/a/services' })) as { readonly items: readonly { readonly metadata: { readonly name: string } }[] };
  for (const { metadata } of items) await askServer(connection, { path: `/api/v1/namespaces/a/services/${metadata.name}`, method: 'DELETE' });
}

export interface Call {
  readonly end: FleetEnd;
  readonly target: IpAddress;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

const ANSWER_WITHIN_MS = 900;

/** Whether each came through. */
export async function callAll(calls: readonly Call[]): Promise<readonly boolean[]> {
  const round = createPollProber().open(calls.map(({ end, target, protocol, port }): ProbeTask => ({
    namespace: end.namespace,
    source: end.addresses.find(({ family }) => family === target.family)!,
    target,
    targetNamespace: end.namespace,
    protocol,
    port,
  })));
  try {
    await round.collect(ANSWER_WITHIN_MS);
    return round.answers.map((answer) => answer === 'connected' || answer === 'replied');
  } finally {
    round.close();
  }
}

/** Until kube-proxy has taken up the Service, which takes it up to a second, or for good. */
export async function settlesTo(calls: readonly Call[], expected: readonly boolean[], withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await callAll(calls);
    if (seen.every((one, index) => one === expected[index])) break;
    if (performance.now() > deadline) {
      const wrong = calls.flatMap(({ end, target, protocol, port }, index) => (seen[index] === expected[index] ? [] : [`${end.name} -> ${formatIpAddress(target)} ${protocol.toLowerCase()}/${port} ${seen[index] === true ? 'comes' : 'does not come'} through`]));
      throw new assert.AssertionError({ message: wrong.join('\n') });
    }
    await sleep(50);
  }
  // It stays so.
  assert.deepEqual(await callAll(calls), expected);
}

export function endNamed(ends: readonly FleetEnd[], name: string): FleetEnd {
  const end = ends.find((candidate) => candidate.name === name);
  assert.ok(end !== undefined, `no end ${name}`);
  return end;
}

export function declareServices(world: () => World): void {
  const callsTo = async ({ clusterIps }: ServiceAddresses, names: readonly string[]): Promise<readonly Call[]> => {
    const ends = await world().fleet.ends();
    return names.flatMap((name) => clusterIps.flatMap((target): Call[] => [
      { end: endNamed(ends, name), target, protocol: 'TCP', port: 8080 },
      { end: endNamed(ends, name), target, protocol: 'UDP', port: 5353 },
    ]));
  };
  const NAMES = ['b/x', 'b/y', 'c/x', 'a/x', 'hosts/host1'];

  test('a ClusterIP leads to pods whose policy decides, on the pod\'s own ports', async () => {
    const service = await makeService(world(), 'web');
    const calls = await callsTo(service, NAMES);
    // As it is without policies: kube-proxy and the listeners are ready.
    await settlesTo(calls, calls.map(() => true));
    await applyObject(world().cluster.connection, networkPolicy('a/guard', { podSelector: Y, ingress: [{ ...FROM_B_X, ports: [{ port: 80 }] }] }));
    const { nodes } = world().cluster;
    // `a/y` stands on node 2, where there is one; from its own node everything comes in.
    const isOwnNode = nodes.length === 1;
    await settlesTo(calls, calls.map(({ end, protocol }) => (end.name === 'b/x' && protocol === 'TCP') || (end.name === 'hosts/host1' && isOwnNode)));
    await removeServices(world());
  });

  test('on the way out a rule means the pods behind the ClusterIP, not the ClusterIP', async () => {
    const service = await makeService(world(), 'web');
    const calls = await callsTo(service, ['b/x', 'b/y']);
    await settlesTo(calls, calls.map(() => true));
    await applyObject(world().cluster.connection, networkPolicy('b/out', { podSelector: ALL, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: ALL, podSelector: Y }], ports: [{ port: 80 }] }] }));
    await settlesTo(calls, calls.map(({ protocol }) => protocol === 'TCP'));
    const blocks = service.clusterIps.map((address) => ({ ipBlock: { cidr: `${formatIpAddress(address)}/${address.family === 4 ? 32 : 128}` } }));
    await applyObject(world().cluster.connection, networkPolicy('b/out', { podSelector: ALL, policyTypes: ['Egress'], egress: [{ to: blocks }] }));
    await settlesTo(calls, calls.map(() => false));
    await removeServices(world());
  });

  test('a pod reaches itself through its own Service, also where it is isolated', async () => {
    const service = await makeService(world(), 'web');
    const calls = (await callsTo(service, ['a/y'])).filter(({ protocol }) => protocol === 'TCP');
    await applyObject(world().cluster.connection, networkPolicy('a/shut', { podSelector: ALL, policyTypes: ['Ingress', 'Egress'] }));
    await holdTruth(world().cluster, world().fleet);
    await settlesTo(calls, calls.map(() => true));
    await removeServices(world());
  });

  for (const externalTrafficPolicy of ['Cluster', 'Local'] as const) {
    test(`a NodePort with externalTrafficPolicy ${externalTrafficPolicy}`, async () => {
      const { nodePorts } = await makeService(world(), 'door', { type: 'NodePort', externalTrafficPolicy });
      const { cluster, fleet } = world();
      const outside = endNamed(await fleet.ends(), 'outside');
      const calls = cluster.nodes.flatMap(({ addresses }) => addresses.flatMap((target): Call[] => [
        { end: outside, target, protocol: 'TCP', port: nodePorts['web']! },
        { end: outside, target, protocol: 'UDP', port: nodePorts['query']! },
      ]));
      const own = new Set(cluster.nodes.at(-1)!.addresses);
      const isOwn = ({ target }: Call): boolean => own.has(target);
      // Only the node where the pod stands has it; the other sends on what comes in, in its own name, or drops it.
      const without = calls.map((call) => isOwn(call) || externalTrafficPolicy === 'Cluster');
      await settlesTo(calls, without);
      await applyObject(cluster.connection, networkPolicy('a/outside', { podSelector: Y, ingress: [{ from: OUTSIDE_BLOCKS }] }));
      await settlesTo(calls, calls.map(isOwn));
      await applyObject(cluster.connection, networkPolicy('a/outside', { podSelector: Y, ingress: [{ from: OUTSIDE_BLOCKS, ports: [{ port: 80 }] }] }));
      await settlesTo(calls, calls.map((call) => isOwn(call) && call.protocol === 'TCP'));
      await applyObject(cluster.connection, networkPolicy('a/outside', { podSelector: Y, policyTypes: ['Ingress'] }));
      await settlesTo(calls, calls.map(() => false));
      await removeServices(world());
    });
  }

  test('a headless Service is its pods, and DNS that a policy lets through leads to them', async () => {
    await makeService(world(), 'heads', { clusterIP: 'None' });
    const { cluster } = world();
    const ask = (words: readonly string[]): boolean => succeeds(() => cluster.kubectl(['-n', 'b', 'exec', 'x', '--', ...words]));
    // The dot at its end keeps the name from being looked up in each domain of the search list.
    const connect = ['/agnhost', 'connect', 'heads.a.svc.cluster.local.:80', '--timeout=1s'];
    const dns = { to: [{ namespaceSelector: ALL, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }], ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] };
    await applyObject(cluster.connection, networkPolicy('b/out', { podSelector: ALL, policyTypes: ['Egress'], egress: [dns, { to: [{ namespaceSelector: ALL, podSelector: Y }] }] }));
    await holdTruth(cluster, world().fleet);
    assert.ok(await becomes(() => ask(connect)), 'the name is found, and the pod behind it reached');
    await applyObject(cluster.connection, networkPolicy('b/out', { podSelector: ALL, policyTypes: ['Egress'], egress: [dns] }));
    await holdTruth(cluster, world().fleet);
    assert.ok(!ask(connect), 'DNS alone is not the way to the pod');
    await applyObject(cluster.connection, networkPolicy('b/out', { podSelector: ALL, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: ALL, podSelector: Y }] }] }));
    await holdTruth(cluster, world().fleet);
    assert.ok(!ask(connect), 'without DNS the name is not found');
    await removeServices(world());
  });

  test('the client that a pod sees through a NodePort is who it would be without an agent', async () => {
    const { cluster, fleet } = world();
    const outside = endNamed(await fleet.ends(), 'outside');
    const seenBy = async (externalTrafficPolicy: string): Promise<readonly string[]> => {
      const { nodePorts } = await makeService(world(), `who-${externalTrafficPolicy.toLowerCase()}`, { type: 'NodePort', externalTrafficPolicy });
      const targets = externalTrafficPolicy === 'Local' ? [cluster.nodes.at(-1)!] : cluster.nodes;
      const calls = targets.map(({ addresses }): Call => ({ end: outside, target: addresses[0]!, protocol: 'TCP', port: nodePorts['web']! }));
      await settlesTo(calls, calls.map(() => true));
      return Promise.all(calls.map(async ({ target, port }) => (await getInside(outside.namespace, port, '/clientip', { target })).body.replace(/:[0-9]+$/, '')));
    };
    assert.deepEqual(await seenBy('Local'), ['10.250.0.1']);
    const masqueraded = await seenBy('Cluster');
    // In its own name a node sends on what was not sent to one of its pods: always, since kube-proxy cannot know yet where it goes.
    for (const [index, address] of masqueraded.entries()) assert.match(address, new RegExp(`^10\\.(250\\.0\\.${11 + index}|244\\.${1 + index}\\.1)$`));
    await removeServices(world());
  });
}

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

async function becomes(holds: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 10; tries++) {
    if (holds()) return true;
    await sleep(200);
  }
  return false;
}
