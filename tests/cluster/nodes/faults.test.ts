// What breaks around an agent, and the connections meanwhile: none leaks, none that is allowed is refused or cut.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askServer } from '../../../src/kube/kube-request.ts';
import { applyObject, deleteObject } from '../write-object.ts';
import { Agent } from './agent.ts';
import { getInside } from './call-inside.ts';
import { endAgents, MORE, POLICIES, withWays, Y } from './fault-world.ts';
import { onNode } from './node-cluster.ts';
import { throughFault } from './through-fault.ts';
import { describeOnNodes, networkPolicy, startAgents, type World } from './world.ts';

const NIGHTLY = process.env['BULKHEAD_NIGHTLY'] === '1';

/** Decides about nobody. */
const IDLE = (count: number): ReturnType<typeof networkPolicy> => networkPolicy('b/idle', { podSelector: { matchLabels: { nobody: String(count) } }, policyTypes: ['Ingress'] });

/** Comes while another is closed: the pods `y` of `c` let nobody in. */
const OTHER = networkPolicy('c/shut', { podSelector: Y, policyTypes: ['Ingress'] });

const FOREIGN_HANDS: Readonly<Record<string, string>> = {
  'its chains are emptied': 'flush table inet bulkhead\n',
  'it is deleted': 'delete table inet bulkhead\n',
};

describeOnNodes('faults', { combination: { cni: 'bridge', nodes: 2, isDualStack: true, proxy: 'nftables' } }, (world) => {
  const apply = (object: Parameters<typeof applyObject>[1]): Promise<void> => applyObject(world().cluster.connection, object);
  const remove = (object: Parameters<typeof applyObject>[1]): Promise<void> => deleteObject(world().cluster.connection, object);
  before(async () => {
    for (const policy of POLICIES) await apply(policy);
  });

  test('killed in the middle of a load, again and again', async () => {
    const seed = Number(process.env['BULKHEAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    let state = seed;
    const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    const kills = NIGHTLY ? 100 : 8;
    await throughFault(world(), `${kills} kills on each node, seed ${seed}`, async () => {
      for (let count = 0; count < kills; count++) {
        await endAgents(world(), 'SIGKILL');
        world().agents = world().cluster.nodes.map((node) => new Agent(world().cluster, node));
        await apply(IDLE(count));
        await sleep(random() * 1500);
      }
      await endAgents(world(), 'SIGKILL');
      await startAgents(world());
      await remove(IDLE(0));
    });
  });

  test('stopped, and started again', async () => {
    await throughFault(world(), 'stop and start', async () => {
      await endAgents(world(), 'SIGTERM');
      await sleep(1000);
      await startAgents(world());
    });
  });

  test('changed while it was stopped', async () => {
    await throughFault(world(), 'stop, change, start', async ({ changeUnseen }) => {
      await endAgents(world(), 'SIGTERM');
      const unseen = await changeUnseen(() => apply(MORE));
      await sleep(500);
      await unseen.arrive(() => startAgents(world()));
    });
    await throughFault(world(), 'stop, change back, start', async ({ changeUnseen }) => {
      await endAgents(world(), 'SIGKILL');
      const unseen = await changeUnseen(() => remove(MORE));
      await unseen.arrive(() => startAgents(world()));
    });
  });

  test('the API server is gone for half a minute, and back with other content', async () => {
    await withWays(world(), async (ways) => {
      await throughFault(world(), 'API server gone for 30 s', async ({ changeUnseen }) => {
        for (const way of ways) way.close();
        const unseen = await changeUnseen(() => apply(MORE));
        await sleep(30_000);
        await unseen.arrive(async () => ways.forEach((way) => way.open()));
      }, { settleWithinMs: 60_000 });
      await throughFault(world(), 'API server not answering for 10 s', async ({ changeUnseen }) => {
        for (const way of ways) way.stall();
        const unseen = await changeUnseen(() => remove(MORE));
        await sleep(10_000);
        await unseen.arrive(async () => ways.forEach((way) => way.open()));
      }, { settleWithinMs: 60_000 });
    });
  });

  test('the watch is cut again and again', async () => {
    await withWays(world(), async (ways) => {
      await throughFault(world(), 'watches cut 50 times', async ({ change }) => {
        for (let count = 0; count < 50; count++) {
          for (const way of ways) way.cut();
          if (count === 10) await change(() => apply(MORE));
          if (count === 30) await change(() => remove(MORE));
          await sleep(100);
        }
      }, { settleWithinMs: 60_000 });
    });
  });

  test('etcd has forgotten what the agents saw last, and the API server is killed', async () => {
    await withWays(world(), async (ways) => {
      await throughFault(world(), 'compaction and a new API server', async ({ changeUnseen }) => {
        for (const way of ways) way.close();
        const unseen = await changeUnseen(async () => {
          for (let count = 0; count < 20; count++) await apply(IDLE(count));
          await apply(MORE);
          await forgetHistory(world());
          await world().cluster.restartApiServer();
        });
        await unseen.arrive(async () => ways.forEach((way) => way.open()));
      }, { settleWithinMs: 60_000 });
      await remove(MORE);
      await remove(IDLE(0));
    });
  });

  test('two agents on one node: one enforces, and the other takes over when it ends', async () => {
    await throughFault(world(), 'two agents on each node', async ({ change }) => {
      const second = world().cluster.nodes.map((node) => new Agent(world().cluster, node, { statusPort: 9412 }));
      try {
        await sleep(3000);
        await change(() => apply(MORE));
        await endAgents(world(), 'SIGKILL');
        await Promise.all(second.map((agent) => agent.ready(60_000)));
        await change(() => remove(MORE));
      } finally {
        for (const agent of second) await agent.end('SIGTERM');
        await endAgents(world(), 'SIGTERM');
        await startAgents(world());
      }
    });
  });

  test('a policy that cannot be understood closes what it selects, and nothing else', async () => {
    const foo = {
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'foo' },
      spec: { tier: 'Admin', priority: 1, subject: { pods: { namespaceSelector: Y, podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } } }, ingress: [{ name: 'foo', action: 'Deny', from: [{ pods: { podSelector: { matchExpressions: [{ key: 'app', operator: 'Foo', values: ['x'] }] } } }] }] },
    };
    await throughFault(world(), 'operator Foo', async ({ change }) => {
      await change(() => apply(foo));
      await sleep(500);
      await change(() => remove(foo));
    });
  });

  test('a policy that is too large for a set closes what it selects, is named, and nothing else waits for it', async () => {
    // From addresses that nobody has: what it says and what it closes are the same for those who are probed.
    const ingress = Array.from({ length: 400 }, (_, index) => ({ from: [{ ipBlock: { cidr: `203.0.${index >> 8}.${index & 255}/32` } }], ports: [{ port: 1000 + index }] }));
    const large = networkPolicy('b/large', { podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, ingress });
    await throughFault(world(), 'larger than a set', async ({ change }) => {
      await endAgents(world(), 'SIGTERM');
      await startAgents(world(), { words: ['--set-size', '300'] });
      await change(() => apply(large));
      const answers = await Promise.all(world().agents.map(async (agent) => (await agent.get('/readyz')).body));
      assert.equal(answers.filter((body) => /capacity: NetworkPolicy\/b\/large is closed: set \w+ would hold more than 300 elements/.test(body)).length, 1, answers.join());
      await holdEvent(world(), 'large');
      await change(() => apply(OTHER));
      await change(() => remove(OTHER));
      await change(() => remove(large));
      await Promise.all(world().agents.map((agent) => agent.ready()));
    });
    await endAgents(world(), 'SIGTERM');
    await startAgents(world());
  });

  test('the disk is full', async () => {
    const folder = '/var/lib/cni/full'; // the node's own, gone with it
    for (const node of world().cluster.nodes) {
      const made = onNode(node, ['sh', '-c', `mkdir -p ${folder} && mount -t tmpfs -o size=64k tmpfs ${folder} && (cat /dev/zero >${folder}/zeros || true)`]);
      assert.equal(made.status, 0, made.stderr);
    }
    const env = { TMPDIR: folder, HOME: folder, XDG_CACHE_HOME: folder, XDG_RUNTIME_DIR: folder, NODE_COMPILE_CACHE: folder };
    await throughFault(world(), 'disk full', async ({ change }) => {
      await endAgents(world(), 'SIGKILL');
      await startAgents(world(), { env, before: ['sh', '-c', `exec "$@" >>${folder}/log 2>&1`, '-'] });
      await change(() => apply(MORE));
      await change(() => remove(MORE));
    });
    await endAgents(world(), 'SIGKILL');
    await startAgents(world());
    for (const node of world().cluster.nodes) onNode(node, ['umount', folder]);
  });

  test('no file descriptor is left', async () => {
    await withWays(world(), async (ways) => {
      await throughFault(world(), 'out of file descriptors for 5 s', async ({ changeUnseen }) => {
        for (const { pid } of world().agents) assert.equal(limitFiles(pid, 16), 0);
        for (const way of ways) way.cut();
        const unseen = await changeUnseen(() => apply(MORE));
        await sleep(5000);
        await unseen.arrive(async () => {
          for (const { pid } of world().agents) limitFiles(pid, 1024);
        });
      }, { settleWithinMs: 60_000 });
      await remove(MORE);
    });
  });

  for (const [name, commands] of Object.entries(FOREIGN_HANDS)) {
    test(`somebody else's hands in our table: ${name}`, async () => {
      await throughFault(world(), name, async ({ foreignHands }) => {
        // Where the kernel gives a table an owner it refuses; else what was done is undone.
        await foreignHands(() => world().cluster.nodes.forEach((node) => void onNode(node, ['nft', '-f', '-'], commands)));
        await sleep(1000);
      }, { settleWithinMs: 60_000 });
    });

    test(`the same while no agent runs: ${name}`, async () => {
      await throughFault(world(), `${name}, with no agent there`, async ({ foreignHands }) => {
        await endAgents(world(), 'SIGTERM');
        await foreignHands(async () => {
          for (const node of world().cluster.nodes) {
            const { status, stderr } = onNode(node, ['nft', '-f', '-'], commands);
            assert.equal(status, 0, stderr);
          }
          await startAgents(world());
        });
      }, { settleWithinMs: 60_000 });
    });
  }
});

/** The API server has one that says why a policy of `b` is closed. */
async function holdEvent({ cluster }: World, policy: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++, await sleep(50)) {
    const { items } = (await askServer(cluster.connection, { path: '/apis/events.k8s.io/v1/namespaces/b/events' })) as { readonly items: readonly { readonly reason: string; readonly regarding: { readonly name: string } }[] };
    if (items.some(({ reason, regarding }) => reason === 'PolicyProblem' && regarding.name === policy)) return;
  }
  assert.fail(`no Event names ${policy}`);
}

/** The soft limit of a running process. */
function limitFiles(pid: number, count: number): number | null {
  return spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${count}:`]).status;
}

/** What etcd does every few minutes by order of the API server: everything before now is gone. */
async function forgetHistory({ cluster }: World): Promise<void> {
  const ask = async (what: string, request: object): Promise<string> => {
    const { status, body } = await getInside(cluster.outside.namespace, cluster.etcdPort, `/v3/kv/${what}`, { body: JSON.stringify(request) });
    assert.equal(status, 200, body);
    return body;
  };
  const { header } = JSON.parse(await ask('range', { key: Buffer.from('/').toString('base64') })) as { readonly header: { readonly revision: string } };
  await ask('compaction', { revision: header.revision, physical: true });
}
