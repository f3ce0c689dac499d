// Expectations tried in a cluster in memory by real probers: what is seen, what is left out and why, and that nothing is left behind.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { ClusterApi, WantedObject } from '../../src/kube/cluster-api.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import type { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { readCluster } from '../../src/kube/kube.ts';
import type { ExecResult, PodHands } from '../../src/kube/pod-hands.ts';
import { snapshotText } from '../../src/kube/snapshot.ts';
import type { ProbeAnswer } from '../../src/kernel/prober.ts';
import type { ExpectationResult, TestReport } from '../../src/probe/check-expectations.ts';
import type { ClusterTestOptions } from '../../src/probe/cluster-under-test.ts';
import { CONNECTION_PROBE } from '../../src/probe/connection-probe.ts';
import { runNodeProber } from '../../src/probe/node-prober.ts';
import { readPolicyTests } from '../../src/probe/policy-test.ts';
import { testInCluster } from '../../src/probe/test-in-cluster.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { FakeClock } from '../agent/fake-clock.ts';
import { fakeNetwork, probedCluster, type FakePod } from './probing-world.ts';

const PODS: readonly FakePod[] = [
  ...['n1', 'n2'].flatMap((node, index) => [1, 2].map((count): FakePod => ({ name: `web-${node}-${count}`, node, ip: `10.244.${index + 1}.${count}`, fields: { metadata: { labels: { app: 'web' } } } }))),
  { name: 'db', node: 'n2', ip: '10.244.2.9', fields: { metadata: { labels: { app: 'db', tier: 'back' } }, spec: { containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 5432 }] }] } } },
  { name: 'other', node: 'n1', ip: '10.244.1.9', fields: { metadata: { labels: { app: 'other', tier: 'back' } } } },
  { name: 'third', node: 'n1', ip: '10.244.1.8' },
];

const POLICY = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'db', namespace: 'shop' }, spec: { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 5432 }] }] } };

/** What the policy says, as a kernel would. */
function enforced(source: string, place: string, isListening: boolean): ProbeAnswer {
  const isWeb = /^10\.244\.[12]\.[12]$/.test(source);
  if (place.startsWith('10.244.2.9 ') && !(isWeb && place === '10.244.2.9 TCP/5432')) return 'silent';
  return isListening ? (place.includes('UDP') ? 'replied' : 'connected') : 'refused';
}

interface World {
  readonly cluster: FakeCluster;
  readonly clock: FakeClock;
  readonly held: ReadonlySet<number>;
  readonly listening: ReadonlySet<string>;
}

function start(context: TestContext, { nodes = ['n1', 'n2'], answer = enforced, pods = PODS, isServed = true }: { readonly nodes?: readonly string[]; readonly answer?: typeof enforced; readonly pods?: readonly FakePod[]; readonly isServed?: boolean } = {}): World {
  const cluster = probedCluster(pods, isServed);
  cluster.put(POLICY);
  const network = fakeNetwork(pods.map(({ ip }) => ip), answer);
  const stop = new AbortController();
  const clock = new FakeClock();
  const running = nodes.map((node) => runNodeProber({ api: cluster, node, openNetwork: network.open, clock, onNote: () => undefined, signal: stop.signal }));
  context.after(async () => {
    stop.abort();
    await clock.advance(0);
    await Promise.all(running);
  });
  return { cluster, clock, held: network.held, listening: network.listening };
}

const NO_HANDS: PodHands = {
  exec: () => Promise.reject(new ClusterError('forbidden', 'pods/exec is forbidden')),
  addEphemeralContainer: () => Promise.reject(new ClusterError('forbidden', 'pods/ephemeralcontainers is forbidden')),
  readLog: () => Promise.reject(new ClusterError('forbidden', 'pods/log is forbidden')),
};

function withHands(cluster: FakeCluster, hands: PodHands): ClusterApi & PodHands {
  return new Proxy(cluster, { get: (target, key) => (key in hands ? hands[key as keyof PodHands] : typeof target[key as keyof FakeCluster] === 'function' ? (target[key as keyof FakeCluster] as () => unknown).bind(target) : target[key as keyof FakeCluster]) }) as unknown as ClusterApi & PodHands; // it has all of both
}

let secrets = 0;

async function run({ cluster, clock }: World, expectations: string, options: Partial<ClusterTestOptions> = {}, hands: PodHands = NO_HANDS): Promise<TestReport> {
  const { entries } = await readCluster(cluster);
  const { cluster: read } = readManifests([sourceFromText('cluster', [...snapshotText(entries)].join(''))]);
  const { tests } = readPolicyTests('t.yaml', `apiVersion: bulkhead/v1\nkind: PolicyTest\nexpect:\n${expectations}`);
  const secret = (digits: number): string => `${++secrets}`.padStart(digits, '0').slice(-digits);
  const over = new AbortController();
  const running = testInCluster(withHands(cluster, hands), compileCluster(read), tests, { means: ['agent'], clock, secret, signal: new AbortController().signal, ...options }).finally(() => over.abort());
  running.catch(() => undefined); // it is handed on below
  // Time goes on only while nobody has anything else to do.
  while (!over.signal.aborted) await clock.advance(50);
  return running;
}

const resultsOf = ({ tests }: TestReport): readonly ExpectationResult[] => tests.flatMap(({ results }) => results);
const namesLeft = async ({ cluster }: World): Promise<readonly string[]> => {
  const names: string[] = [];
  for await (const event of cluster.list(CONNECTION_PROBE)) if (event.kind === 'object') names.push(event.object.metadata.name);
  return names;
};

const HOLDING = `  - allow: { from: { labels: { app: web } }, to: shop/db, on: tcp/5432 }
  - deny: { from: shop/other, to: shop/db, on: [tcp/5432, udp/5432] }
  - deny: { from: { labels: { app: web } }, to: shop/db, on: tcp/9000 }
  - isolated: { labels: { app: db }, direction: ingress }
`;

test('what holds is seen to hold, a few pairs for many, on different nodes first; nothing is left', async (context) => {
  const world = start(context);
  const report = await run(world, HOLDING, { pairsMax: 2 });
  const results = resultsOf(report);
  assert.deepEqual(results.map(({ holds, problem }) => [holds, problem?.message]), Array.from({ length: 4 }, () => [true, undefined]), JSON.stringify(results.map(({ tried }) => tried)));
  assert.deepEqual(results.map(({ tried }) => [tried!.tried, tried!.leftOut]), [[2, 2], [2, undefined], [2, 2], [6, undefined]]);
  assert.deepEqual([report.where, report.notes], ['cluster', []]);
  assert.deepEqual([await namesLeft(world), [...world.listening], [...world.held]], [[], [], []]);
});

test('what is open and should not be is a disagreement with its rule; so is what is closed', async (context) => {
  const world = start(context, { answer: (_, place, isListening) => (place.endsWith('/5432') && place.includes('TCP') ? 'silent' : isListening ? 'connected' : 'refused') });
  const [allow, deny, closed] = resultsOf(await run(world, HOLDING));
  assert.deepEqual([allow!.holds, deny!.holds, closed!.holds], [false, false, false]);
  assert.match(allow!.tried!.wrong[0]!, /shop\/web-n1-1 -> shop\/db tcp\/5432 over IPv4: denied/);
  const [difference] = closed!.tried!.differences;
  assert.deepEqual([difference!.expected, difference!.seen.verdict, difference!.why!.explanation.verdict], ['denied', 'allowed', 'denied']);
});

test('who has no prober, has gone, or shares the network of a node is left out, and said to be', async (context) => {
  const world = start(context, { nodes: ['n2'], pods: [...PODS, { name: 'host', node: 'n2', ip: '10.250.0.12', fields: { metadata: { labels: { app: 'host' } }, spec: { hostNetwork: true } } }] });
  world.cluster.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'old', namespace: 'shop', labels: { app: 'old' }, deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: { nodeName: 'n2', containers: [] }, status: { phase: 'Running', podIP: '10.244.2.77', podIPs: [{ ip: '10.244.2.77' }] } });
  const report = await run(world, `  - allow: { from: { labels: { app: web } }, to: shop/db, on: tcp/5432 }
  - allow: { from: shop/old, to: shop/other, on: tcp/80 }
  - allow: { from: shop/host, to: shop/other, on: tcp/80 }
  - allow: { from: shop/web-n2-1, to: shop/other, on: tcp/80 }
  - deny: { from: shop/web-n2-1, to: shop/old, on: tcp/80 }
`);
  const [some, gone, host, deaf, leaving] = resultsOf(report);
  assert.equal(some!.holds, true);
  for (const result of [gone!, host!, leaving!]) assert.match(result.problem!.message, /nothing of this can be tried/);
  assert.equal(deaf!.holds, false, 'nobody listens on a node without a prober, so a refusal is nobody knows whose');
  assert.deepEqual(deaf!.tried!.differences[0]!.seen, { verdict: 'unknown', evidence: 'refusal' });
  assert.ok(report.notes!.some((note) => note.includes('no prober answers on node n1')), report.notes!.join('\n'));
  assert.ok(report.notes!.some((note) => note.includes('shop/old is left out: it is being deleted')), report.notes!.join('\n'));
});

test('an address outside is called where it is named; one that nobody hears is not judged', async (context) => {
  const answer = (source: string, place: string): ProbeAnswer => (place.startsWith('203.0.113.7 ') && source.startsWith('10.250.') ? 'connected' : 'silent');
  const world = start(context, { answer });
  world.cluster.put({ ...POLICY, metadata: { name: 'out', namespace: 'shop' }, spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] } });
  const outside = [{ address: parseIpAddress('203.0.113.7')!, port: 443 }, { address: parseIpAddress('203.0.113.8')!, port: 443 }];
  const [named, unheard] = resultsOf(await run(world, '  - deny: { from: shop/web-n1-1, to: 203.0.113.7 }\n  - deny: { from: shop/web-n1-1, to: 203.0.113.0/24, on: tcp/443 }\n', { outside: outside.slice(0, 1) }));
  assert.deepEqual([named!.holds, named!.tried!.tried, unheard!.holds, unheard!.tried!.tried], [true, 1, true, 1]);
  await assert.rejects(run(world, '  - deny: { from: shop/web-n1-1, to: 203.0.113.8, on: tcp/443 }\n', { outside: outside.slice(1) }), /nobody knows whether anybody is there/);
});

test('a Service is called by its own address too, where all behind it are treated alike', async (context) => {
  const service = (name: string, ip: string, selector: object, port: object): object => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec: { clusterIP: ip, clusterIPs: [ip], selector, ports: [port] } });
  const tried: string[] = [];
  const answer = (source: string, place: string, isListening: boolean): ProbeAnswer => {
    tried.push(`${source} ${place}`);
    if (place === '10.96.0.5 TCP/80') return /^10\.244\.[12]\.[12]$/.test(source) ? 'connected' : 'silent';
    return enforced(source, place, isListening);
  };
  const world = start(context, { answer });
  world.cluster.put(service('db', '10.96.0.5', { app: 'db' }, { port: 80, targetPort: 5432, protocol: 'TCP' }) as WantedObject);
  const [allow, deny] = resultsOf(await run(world, '  - allow: { from: { labels: { app: web } }, to: "svc/shop/db:80" }\n  - deny: { from: shop/other, to: "svc/shop/db:80" }\n', { pairsMax: 2 }));
  assert.deepEqual([allow!.holds, allow!.tried!.tried, deny!.holds, deny!.tried!.tried], [true, 4, true, 2], tried.join('\n'));
  assert.ok(tried.includes('10.244.1.1 10.96.0.5 TCP/80') && tried.includes('10.244.2.1 10.96.0.5 TCP/80') && tried.includes('10.244.1.9 10.96.0.5 TCP/80'), tried.join('\n'));
  // Pods behind one Service that policies treat otherwise: which of them answers is chance.
  world.cluster.put(service('mixed', '10.96.0.6', { tier: 'back' }, { port: 5432, targetPort: 5432, protocol: 'TCP' }) as WantedObject);
  tried.length = 0;
  const [mixed] = resultsOf(await run(world, '  - deny: { from: shop/third, to: "svc/shop/mixed:5432" }\n'));
  assert.equal(mixed!.problem, undefined);
  assert.ok(tried.includes('10.244.1.8 10.244.2.9 TCP/5432') && !tried.some((line) => line.includes('10.96.0.6')), tried.join('\n'));
});

for (const { name, options, words } of [
  { name: 'without the right to make probes', options: {}, words: /verbs create, get and delete on connectionprobes\.bulkhead\.dev/ },
  { name: 'in a cluster that does not know probes', options: { isServed: false, nodes: [] }, words: /does not know ConnectionProbes; put probers onto the nodes/ },
]) {
  test(`${name} no connection is opened, and that is a failure which says what to do`, async (context) => {
    const world = start(context, options);
    const create = world.cluster.create.bind(world.cluster);
    if (!('nodes' in options)) world.cluster.create = () => Promise.reject(new ClusterError('forbidden', 'connectionprobes.bulkhead.dev is forbidden'));
    await assert.rejects(run(world, HOLDING), words);
    await assert.rejects(run(world, HOLDING, { means: ['agent', 'exec', 'ephemeral'], image: 'x' }), /verbs get and create on pods\/exec.*|verb patch on pods\/ephemeralcontainers/s);
    world.cluster.create = create;
  });
}

test('interrupted, it takes away what it made', async (context) => {
  const world = start(context, { nodes: [] });
  const stop = new AbortController();
  const running = run(world, HOLDING, { signal: stop.signal });
  while ((await namesLeft(world)).length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await assert.rejects(running, /interrupted/);
  assert.deepEqual(await namesLeft(world), []);
});

test('programs of pods try TCP; a pod without one is left out, and the next means is asked for what is left', async (context) => {
  const world = start(context, { isServed: false, nodes: [] });
  const exec = async ({ pod, command }: Parameters<PodHands['exec']>[0]): Promise<ExecResult> => {
    if (pod === 'other') return { kind: 'not-started', reason: 'no sh' };
    const lines = [...command[2]!.matchAll(/^try ([0-9]+) (\S+) ([0-9]+)/gm)].map(([, position, address, port]) => `${position} ${address === '10.244.2.9' && port === '5432' && pod.startsWith('web') ? 'connected' : 'silent'}`);
    return { kind: 'ended', status: 0, stdout: `${lines.join('\n')}\n`, stderr: '', isCut: false };
  };
  const report = await run(world, HOLDING, { means: ['agent', 'exec'] }, { ...NO_HANDS, exec });
  const [allow, deny, closed] = resultsOf(report);
  assert.deepEqual([allow!.holds, allow!.tried!.tried, closed!.holds], [true, 3, true]);
  assert.match(deny!.problem!.message, /nothing of this can be tried/);
  assert.ok(report.notes!.some((note) => note.includes('shop/other is left out: no container of it has sh')), report.notes!.join('\n'));
});
