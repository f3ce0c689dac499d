// What happens to nodes and to the agents on them: another version, another clock, a crowd of pods, no room for connections, a boot.
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WantedObject } from '../../../src/kube/cluster-api.ts';
import { applyObject, deleteObject } from '../write-object.ts';
import { Agent } from './agent.ts';
import { makeCrowd, removeCrowd } from './crowd.ts';
import { endAgents, MORE, POLICIES, withWays } from './fault-world.ts';
import { LIVE_PORT, type Fleet } from './fleet.ts';
import { holdTruth } from './hold-truth.ts';
import { holdLive, open } from './live-cases.ts';
import { Newcomers } from './newcomers.ts';
import { meanwhileOnNode, onNode, type RunningNode } from './node-cluster.ts';
import { EARLIER, unpackProgram } from './old-program.ts';
import { endNamed } from './service-cases.ts';
import { throughFault } from './through-fault.ts';
import { describeOnNodes, PODS, startAgents, type World } from './world.ts';

/** In CI it is said that they are fewer. */
const CROWD = process.env['BULKHEAD_NIGHTLY'] === '1' ? 10_000 : 500;

/** From the pod `bare` of `c`, which stands on the first node, nobody may be reached. */
const NONE_FROM_BARE: WantedObject = {
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  kind: 'ClusterNetworkPolicy',
  metadata: { name: 'none-from-bare' },
  spec: { tier: 'Admin', priority: 20, subject: { namespaces: {} }, ingress: [{ name: 'bare', action: 'Deny', from: [{ pods: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'c' } }, podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } } }] }] },
};

describeOnNodes('faults of nodes', { combination: { cni: 'ptp', nodes: 2, isDualStack: true, proxy: 'iptables' } }, (world) => {
  const apply = (object: Parameters<typeof applyObject>[1]): Promise<void> => applyObject(world().cluster.connection, object);
  const remove = (object: Parameters<typeof applyObject>[1]): Promise<void> => deleteObject(world().cluster.connection, object);
  before(async () => {
    for (const policy of POLICIES) await apply(policy);
  });

  test('kept connections go on where new ones are refused, until the agents are told to cut again', async () => {
    // A datagram from a port that an earlier one came from is of that one's connection, as long as it is remembered.
    for (const node of world().cluster.nodes) assert.equal(onNode(node, ['sysctl', '-qw', 'net.netfilter.nf_conntrack_udp_timeout=1']).status, 0);
    await throughFault(world(), 'keep, then cut', async ({ change }) => {
      await endAgents(world(), 'SIGTERM');
      await startAgents(world(), { words: ['--on-change', 'keep'] });
      const ends = await world().fleet.ends();
      const connections = ['a/y', 'b/x', 'c/bare', 'outside'].flatMap((from) => endNamed(ends, 'b/bare').addresses.flatMap((address) => open(endNamed(ends, from), address, [LIVE_PORT, LIVE_PORT])));
      // Datagrams that nobody sends for a second are forgotten too.
      const talking = setInterval(() => connections.forEach(({ connection }) => connection.tick()), 100);
      try {
        await holdLive(connections, () => true);
        await change(async () => {
          await apply(MORE);
          await sleep(1500);
        });
        await holdLive(connections, () => true);
        await endAgents(world(), 'SIGTERM');
        await startAgents(world());
        await holdLive(connections, ({ from }) => from === 'c/bare');
      } finally {
        clearInterval(talking);
        for (const { connection } of connections) connection.close();
      }
      await change(() => remove(MORE));
    });
  });

  for (const [name, find] of Object.entries(EARLIER)) {
    test(`upgraded from ${name}, and back, and upgraded again`, async (context) => {
      const commit = find();
      if (commit === undefined) return context.skip('the history of this clone does not go back to an earlier version: clone it with `git clone`, and without `--depth`');
      const old = unpackProgram(commit);
      try {
        await throughFault(world(), `between ${old.commit} and this version`, async ({ change }) => {
          await endAgents(world(), 'SIGTERM');
          await startAgents(world(), { clone: old.folder });
          await change(() => apply(MORE));
          await endAgents(world(), 'SIGTERM');
          await startAgents(world());
          await change(() => remove(MORE));
          await endAgents(world(), 'SIGKILL');
          await startAgents(world(), { clone: old.folder });
          await endAgents(world(), 'SIGKILL');
          await startAgents(world());
        });
      } finally {
        old.remove();
      }
    });
  }

  test('the clock jumps by hours, forwards and back', async (context) => {
    const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
    if (library === undefined) return context.skip('needs the package libfaketime');
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-clock-'));
    const file = join(folder, 'offset');
    writeFileSync(file, '+0');
    const clocked: number[] = [];
    // Clocks that only go forward stay as they are, as they do where a clock is set.
    const clock = ['env', `LD_PRELOAD=${library}`, `FAKETIME_TIMESTAMP_FILE=${file}`, 'FAKETIME_NO_CACHE=1', 'DONT_FAKE_MONOTONIC=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1', 'FAKETIME_DISABLE_SHM=1'];
    try {
      await withWays(world(), async (ways) => {
        clocked.push(...world().agents.map(({ pid }) => pid));
        await throughFault(world(), 'clocks set to +6 h, 0, +30 h, +1 h', async ({ change }) => {
          for (const [index, hours] of [6, 0, 30, 1].entries()) {
            writeFileSync(file, `+${hours}h`);
            for (const way of ways) way.cut();
            await change(() => (index % 2 === 0 ? apply(MORE) : remove(MORE)));
            for (const agent of world().agents) await holdClaims(agent, hours);
          }
        }, { settleWithinMs: 60_000 });
      }, { before: clock });
    } finally {
      rmSync(folder, { recursive: true });
      for (const left of globSync(`/dev/shm/*faketime_*_{${clocked.join()},0}`)) rmSync(left);
    }
  });

  test('no connection more can be tracked', async (context) => {
    const room = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8'));
    if (room > TRACKED_MAX) return context.skip(`${room} connections would have to be made: the kernel lets nobody lower nf_conntrack_max for one network namespace`);
    const { nodes } = world().cluster;
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-tracked-'));
    const file = join(folder, 'connections');
    writeFileSync(file, strangers(room));
    await throughFault(world(), `no room beside ${room} tracked connections`, async ({ starved, change }) => {
      await sleep(ASSURED_AFTER_MS);
      await starved(async () => {
        await Promise.all(nodes.map((node) => meanwhileOnNode(node, ['conntrack', '-R', file])));
        const before = nodes.map(refusedForRoom);
        await apply(MORE);
        await sleep(3000);
        for (const [index, node] of nodes.entries()) assert.ok(refusedForRoom(node) > before[index]!, `${node.name} has room still`);
        await Promise.all(nodes.map((node) => meanwhileOnNode(node, ['sh', '-c', 'conntrack -D -s 198.18.0.0 --mask-src 255.254.0.0 >/dev/null 2>&1'])));
      });
      await change(() => remove(MORE));
    }, { settleWithinMs: 60_000 });
    rmSync(folder, { recursive: true });
  });

  test(`${CROWD} pods arrive at once, and go at once`, { timeout: 1_200_000 }, async () => {
    await withWays(world(), async (ways) => {
      const unseen = async (act: () => Promise<void>, remotePods: number): Promise<void> => {
        for (const way of ways) way.close();
        await act();
        for (const way of ways) way.open();
        const began = performance.now();
        await Promise.all(world().agents.map((agent) => knows(agent, remotePods)));
        console.log(`${CROWD} pods${CROWD < 10_000 ? ' (10,000 in the nightly setting)' : ''}: both agents ready with them ${Math.round(performance.now() - began)} ms after the way to the API server was open again; ${await Promise.all(world().agents.map(figuresOf))}`);
      };
      await throughFault(world(), `${CROWD} pods arrive`, () => unseen(() => makeCrowd(world().cluster, CROWD, { app: 'y' }), CROWD));
      await throughFault(world(), `${CROWD} pods go`, () => unseen(() => removeCrowd(world().cluster), 0));
    });
  });

  test('a node boots: what its agent finds is closed from its first moment, and what was there before it is judged when it comes', async () => {
    await apply(NONE_FROM_BARE);
    for (const isFirst of [true, false]) {
      const { cluster, fleet } = world();
      const before = cluster.nodes[1]!;
      const note: string[] = [];
      await throughFault(world(), `a node boots, its agent ${isFirst ? 'before' : 'after'} its pods`, async () => {
        const { node, goOn } = await cluster.reboot(before);
        fleet.replaceNode(before, node);
        const agent = (): Agent => (world().agents[1] = new Agent(cluster, node));
        if (isFirst) await agent().ready();
        const newcomers = new Newcomers(node, endNamed(await fleet.ends(), 'c/bare'));
        try {
          await goOn();
          await untilBack(world());
          if (!isFirst) await comesLate(newcomers, { fleet, start: () => agent().ready() });
          assert.deepEqual(newcomers.leaked, []);
          note.push(newcomers.figures());
        } finally {
          await newcomers.end();
        }
      }, { settleWithinMs: 60_000, isWatched: ({ node }) => node !== before.name });
      console.log(`  ${note.join('')}`);
    }
    await remove(NONE_FROM_BARE);
    await holdTruth(world().cluster, world().fleet);
  });
});

async function knows(agent: Agent, remotePods: number): Promise<void> {
  for (let tries = 0; tries < 3000; tries++, await sleep(50)) {
    const [state, ready] = await Promise.all([agent.get('/metrics'), agent.get('/readyz')].map((answer) => answer.catch(() => undefined)));
    const count = Number(/^bulkhead_pods\{kind="remote"\} ([0-9]+)$/m.exec(state?.body ?? '')?.[1] ?? Number.NaN);
    if (ready?.status === 200 && (remotePods === 0 ? count < 100 : count >= remotePods)) return;
  }
  throw new Error(`the agent on ${agent.node.name} does not come to know ${remotePods} pods`);
}

async function figuresOf(agent: Agent): Promise<string> {
  const { body } = await agent.get('/metrics');
  const value = (name: string): number => Number(new RegExp(`^${name} ([0-9.e+-]+)$`, 'm').exec(body)?.[1]);
  return `${agent.node.name.split('-').at(-1)!} ${Math.round(value('bulkhead_agent_resident_bytes') / 1e6)} MB resident, ${value('bulkhead_agent_cpu_seconds_total').toFixed(1)} s of CPU since its start`;
}

/** Until the pods of every node run and can be entered. */
async function untilBack({ fleet }: World): Promise<void> {
  for (let tries = 0; tries < 600; tries++, await sleep(100)) {
    const names = new Set((await fleet.ends()).map(({ name }) => name));
    if (PODS.every(({ namespace, name }) => names.has(`${namespace}/${name}`))) return;
  }
  throw new Error('the pods do not come back');
}

/** Until an agent has judged what was there before it. */
async function comesLate(newcomers: Newcomers, { fleet, start }: { readonly fleet: Fleet; readonly start: () => Promise<unknown> }): Promise<void> {
  assert.ok(newcomers.leaked.length > 0, 'without an agent nothing of the node can be closed yet');
  await newcomers.connect(await fleet.ends());
  await start();
  await newcomers.untilCut();
  newcomers.beginAnew();
  await sleep(1500);
}

/** Ready, and saying of its last commit what its own clock says. */
async function holdClaims(agent: Agent, hours: number): Promise<void> {
  await agent.ready();
  const { body } = await agent.get('/metrics');
  const seconds = Number(/^bulkhead_last_commit_time_seconds ([0-9.e+]+)$/m.exec(body)?.[1]);
  const behind = Date.now() / 1000 + hours * 3600 - seconds;
  assert.ok(behind > -1 && behind < 300, `${agent.node.name} is at +${hours} h and had its last commit ${behind} s ago`);
}

/** The kernel counts connections by network namespace, and knows one limit for all of them, which only the machine's own may set. */
const TRACKED_MAX = 1 << 20;

/** UDP counts as lasting after two seconds (nf_conntrack_proto_udp.c); what does not is thrown away where room is short. */
const ASSURED_AFTER_MS = 2500;

/** Of nobody who is there, lasting, as `conntrack -R` reads them; it ends where the kernel takes no more. */
function strangers(count: number): string {
  return Array.from({ length: count }, (_, index) => `-I -s 198.18.${(index >> 8) & 255}.${index & 255} -d 198.19.${index >> 16}.1 -p udp --sport 1000 --dport 2000 -t 600 -u ASSURED,SEEN_REPLY\n`).join('');
}

/** Packets that were dropped because no entry could be made. */
function refusedForRoom(node: RunningNode): number {
  return [...onNode(node, ['conntrack', '-S']).stdout.matchAll(/ drop=([0-9]+)/g)].reduce((sum, [, drops]) => sum + Number(drops), 0);
}
