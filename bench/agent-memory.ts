// What a node agent keeps resident: the whole process, from the watch to the elements for the kernel, which takes them and keeps none here.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAgent } from '../src/agent/agent.ts';
import { systemClock } from '../src/cli/system-clock.ts';
import type { Firewall } from '../src/kernel/firewall.ts';
import { spareMemory } from '../src/kernel/spare-memory.ts';
import { KubeApi } from '../src/kube/kube-api.ts';
import { namespacesOf, NODE, nodesOf, podsOf, policiesOf, type AgentShape } from './agent-shapes.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** As `bin/bulkhead agent` starts it. */
const AGENT_FLAGS: readonly string[] = ['--max-semi-space-size=2', '--heap-growing-percent=20', '--expose-gc'];
/** Until the garbage of the first telling is gone. */
const QUIET_MS = 20_000;

interface Wanted extends AgentShape {
  readonly goalMegabytes: number;
}

const LARGE = { pods: 100_000, workloads: 2000, namespaces: 500, policies: 10_000, localPods: 100 };
const SHAPES: readonly Wanted[] = [
  { name: 'policies that name all pods', ...LARGE, isEachDifferent: false, named: 'all', goalMegabytes: 400 },
  { name: 'every pod with labels of its own', ...LARGE, isEachDifferent: true, named: 'all', goalMegabytes: 400 },
  { name: 'policies that name a tenth', ...LARGE, isEachDifferent: false, named: 'a tenth', goalMegabytes: 250 },
  { name: 'a small cluster, a full node', pods: 10_000, workloads: 400, namespaces: 100, policies: 1000, localPods: 500, isEachDifferent: false, named: 'all', goalMegabytes: 150 },
];

/** A kernel holds its elements itself. */
const TAKES_ALL: Firewall = {
  takeOver: () => undefined,
  load: () => {},
  apply: () => {},
  watch: () => () => {},
  repair: () => undefined,
  read: () => {
    throw new Error('nobody reads it');
  },
  readLedger: () => [],
  readUnrecorded: () => 0,
  freshen: () => {},
  readNamed: () => [],
  readConnections: () => () => false,
  answersProblem: undefined,
  remove: () => {},
  close: () => {},
};

const [role, given] = process.argv.slice(2);
if (role === 'serve') serve(shapeNamed(given!));
else if (role === 'agent') await runAgent(given!);
else if (role !== 'load') {
  // An installed package has no TypeScript to be read: with the cache of the first run this has none either.
  runSelf('load');
  for (const shape of SHAPES) if (role === undefined || shape.name.includes(role)) await report(shape);
}

function shapeNamed(name: string): AgentShape {
  return SHAPES.find((shape) => shape.name === name)!; // given by `report`
}

function runSelf(...words: readonly string[]): string {
  return spawnSync(join(ROOT, 'bin/node'), [...AGENT_FLAGS, fileURLToPath(import.meta.url), ...words], { encoding: 'utf8', env: { ...process.env, MALLOC_ARENA_MAX: '1' }, stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
}

async function report(shape: Wanted): Promise<void> {
  const server = spawn(join(ROOT, 'bin/node'), [fileURLToPath(import.meta.url), 'serve', shape.name], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const url = await new Promise<string>((resolve) => server.stdout.once('data', (data: Buffer) => resolve(`${data}`.trim())));
    const { resident, peak, seconds, loadSeconds, quietPercent, heap } = JSON.parse(runSelf('agent', url)) as Measured; // written by `runAgent`
    console.log(
      `${shape.pods} pods, ${shape.policies} policies, ${shape.localPods} local pods, ${shape.name}: ${resident} MB resident (goal ${shape.goalMegabytes}; heap ${heap} MB, at most ${peak} MB while loading), `
        + `in force after ${loadSeconds.toFixed(1)} s, ${seconds.toFixed(1)} s CPU; then ${quietPercent.toFixed(2)} % of a core`,
    );
  } finally {
    server.kill();
  }
}

interface Measured {
  readonly resident: number;
  readonly peak: number;
  readonly heap: number;
  readonly seconds: number;
  readonly loadSeconds: number;
  readonly quietPercent: number;
}

// --- The agent

async function runAgent(url: string): Promise<void> {
  const stop = new AbortController();
  const api = new KubeApi({ name: 'bench', server: new URL(url), credentials: async () => ({}) });
  const { agent, ended } = startAgent({ api, firewall: TAKES_ALL, node: NODE, clock: systemClock, signal: stop.signal, memory: spareMemory });
  await new Promise<void>((resolve) => agent.onChange(() => void (agent.state.isReady && resolve())));
  const loadSeconds = process.uptime();
  const { user, system } = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const quiet = process.cpuUsage(before);
  const status = readFileSync('/proc/self/status', 'utf8');
  const kilobytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]);
  const measured: Measured = {
    resident: Math.round(kilobytes('VmRSS') / 1024),
    peak: Math.round(kilobytes('VmHWM') / 1024),
    heap: Math.round(process.memoryUsage().heapUsed / 2 ** 20),
    seconds: (user + system) / 1e6,
    loadSeconds,
    quietPercent: (quiet.user + quiet.system) / 10 / QUIET_MS,
  };
  process.stdout.write(JSON.stringify(measured));
  stop.abort();
  await ended;
}

// --- The API server

function serve(shape: AgentShape): void {
  const objects: Readonly<Record<string, () => Generator<object>>> = {
    '/api/v1/namespaces': () => namespacesOf(shape),
    '/api/v1/nodes': () => nodesOf(shape),
    '/api/v1/pods': () => podsOf(shape),
    '/apis/networking.k8s.io/v1/networkpolicies': () => policiesOf(shape),
  };
  const server = createServer((request, response) => {
    const list = objects[new URL(request.url!, 'http://bench').pathname];
    if (list === undefined) return void response.writeHead(404).end('{}');
    response.writeHead(200, { 'content-type': 'application/json' });
    tell(response, list());
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
}

function tell(response: ServerResponse, objects: Generator<object>): void {
  for (let next = objects.next(); next.done !== true; next = objects.next()) {
    if (!response.write(`${JSON.stringify({ type: 'ADDED', object: next.value })}\n`)) return void response.once('drain', () => tell(response, objects));
  }
  response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '999999999', annotations: { 'k8s.io/initial-events-end': 'true' } } } })}\n`);
}
