// Links, routes and neighbors written over rtnetlink, seen by what then gets through.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import type { Protocol } from '../../src/base/port-set.ts';
import { closeNamespace, createNamespace, inNamespace, type NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { createPollProber } from '../../src/kernel/poll-probe.ts';
import type { ProbeTask } from '../../src/kernel/prober.ts';
import { addAddress, addDefaultRoute, addHostRoute, addNeighbor, addVeth, linkUp, LOOPBACK_INDEX, Rtnetlink, RtnetlinkError, withoutAddressGeneration } from '../../src/kernel/rtnetlink.ts';
import { needs } from '../needs.ts';

function address(text: string): IpAddress {
  return parseIpAddress(text)!;
}

/** Two namespaces with a wire between them: 10.0.0.1 and fd00::1 here, .2 and ::2 there. */
async function withWire(run: (here: NamespaceFd, there: NamespaceFd) => Promise<void>): Promise<void> {
  const [here, there] = [createNamespace(), createNamespace()];
  const macs = [Buffer.from([2, 0, 0, 0, 0, 1]), Buffer.from([2, 0, 0, 0, 0, 2])] as const;
  const ends = [[here, 10, 1], [there, 2, 2]] as const;
  const sockets = ends.map(([namespace]) => new Rtnetlink(namespace));
  try {
    sockets[0]!.apply([addVeth({ index: 10, name: 'wire', mac: macs[0], peer: { index: 2, name: 'eth0', mac: macs[1], namespace: there } })]);
    for (const [side, [, link, own]] of ends.entries()) {
      const other = [address(`10.0.0.${3 - own}`), address(`fd00::${3 - own}`)];
      sockets[side]!.apply([
        linkUp(LOOPBACK_INDEX), withoutAddressGeneration(link), linkUp(link),
        addAddress(link, address(`10.0.0.${own}`)), addAddress(link, address(`fd00::${own}`)),
        ...other.flatMap((one) => [addHostRoute(link, one), addNeighbor(link, one, macs[1 - side]!)]),
        addDefaultRoute(link, other[0]!), addDefaultRoute(link, other[1]!),
      ]);
    }
    await run(here, there);
  } finally {
    for (const socket of sockets) socket.close();
    closeNamespace(here);
    closeNamespace(there);
  }
}

const ROUNDS_MAX = 5;

async function collectAnswers(tasks: readonly ProbeTask[]): Promise<readonly string[]> {
  const round = createPollProber().open(tasks);
  try {
    await round.collect(2000);
    return [...round.answers];
  } finally {
    round.close();
  }
}

test('a wire carries both families', needs('kernel'), async () => {
  await withWire(async (here, there) => {
    // No link-local address: the device never generated one. The route files show what the kernel holds.
    const addresses = inNamespace(here, () => readFileSync('/proc/thread-self/net/if_inet6', 'utf8')).trim().split('\n').map((line) => line.split(/\s+/)[0]);
    assert.deepEqual(addresses.sort(), ['00000000000000000000000000000001', 'fd000000000000000000000000000001']);
    const tasks = (['10.0.0.', 'fd00::'] as const).flatMap((prefix) =>
      (['TCP', 'UDP', 'SCTP'] as const satisfies readonly Protocol[]).map((protocol) => ({
        namespace: here, source: address(`${prefix}1`), target: address(`${prefix}2`), targetNamespace: there, protocol, port: 81,
      })));
    // The kernel raises the carrier in its own time, and what was sent before is lost: only TCP says it again.
    let answers: readonly string[] = [];
    for (let rounds = 0; rounds < ROUNDS_MAX && (rounds === 0 || answers.includes('silent')); rounds++) answers = await collectAnswers(tasks);
    // Nobody listens: the target says so itself. SCTP is seen to arrive.
    assert.deepEqual(answers, ['refused', 'refused', 'arrived', 'refused', 'refused', 'arrived']);
  });
});

test('a source must be an address of the namespace, and a failure says why', needs('kernel'), async () => {
  await withWire(async (here, there) => {
    const round = createPollProber().open([{ namespace: here, source: address('10.9.9.9'), target: address('10.0.0.2'), targetNamespace: there, protocol: 'TCP', port: 81 }]);
    try {
      assert.deepEqual(round.answers, ['failed']);
      assert.equal(round.errnoOf(0), 99); // EADDRNOTAVAIL
    } finally {
      round.close();
    }
  });
});

test('a refused change names itself, in the words of the kernel', needs('kernel'), () => {
  const namespace = createNamespace();
  const socket = new Rtnetlink(namespace);
  try {
    assert.throws(() => socket.apply([linkUp(LOOPBACK_INDEX), addDefaultRoute(99, address('10.0.0.1'))]), (error) => {
      assert.ok(error instanceof RtnetlinkError);
      assert.match(error.message, /cannot add default route: errno \d+ \(.+\)/);
      return true;
    });
  } finally {
    socket.close();
    closeNamespace(namespace);
  }
});

test('many changes go in several sends', needs('kernel'), () => {
  const namespace = createNamespace();
  const socket = new Rtnetlink(namespace);
  try {
    const addresses = Array.from({ length: 500 }, (_, index) => addAddress(LOOPBACK_INDEX, { family: 4, value: 0x0a000001n + BigInt(index) }));
    socket.apply([linkUp(LOOPBACK_INDEX), ...addresses]);
    const locals = inNamespace(namespace, () => readFileSync('/proc/thread-self/net/fib_trie', 'utf8')).match(/\/32 host LOCAL/g) ?? [];
    // Each stands in the main and in the local table's listing, 127.0.0.1 besides.
    assert.ok(locals.length >= 501, `${locals.length} local addresses`);
  } finally {
    socket.close();
    closeNamespace(namespace);
  }
});

test('more probes than a round takes are refused', () => {
  const prober = createPollProber({ tasksMax: 0 });
  const task = { namespace: 0, source: address('10.0.0.1'), target: address('10.0.0.2'), targetNamespace: 0, protocol: 'TCP', port: 1 } as const;
  assert.throws(() => prober.open([task]), RangeError);
});
