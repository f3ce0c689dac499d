// What happens to nodes and to the agents on them: another version, another clock, no room for connections.
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyObject, deleteObject } from '../write-object.ts';
import type { Agent } from './agent.ts';
import { endAgents, MORE, POLICIES, withWays } from './fault-world.ts';
import { LIVE_PORT } from './fleet.ts';
import { holdLive, open } from './live-cases.ts';
import { meanwhileOnNode, onNode, type RunningNode } from './node-cluster.ts';
import { EARLIER, unpackProgram } from './old-program.ts';
import { endNamed } from './service-cases.ts';
import { throughFault } from './through-fault.ts';
import { describeOnNodes, startAgents } from './world.ts';

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
        }, 60_000);
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
    }, 60_000);
    rmSync(folder, { recursive: true });
  });
});

/** Ready, and saying of its last commit what its own clock says. */
async function holdClaims(agent: Agent, hours: number): Promise<void> {
  await agent.ready();
  const { body } = await agent.get('/metrics');
  const seconds = Number(/^bulkhead_last_commit_time_seconds ([0-9.e+]+)$/m.exec(body)?.[1]);
  const behind = Date.now() / 1000 + hours * 3600 - seconds;
  assert.ok(behind > -1 && behind < 300, `${agent.node.name} is at +${hours} h and had its last commit ${behind} s ago`);
}

// --- Connections

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
