// A running lab: Services, names, listeners and flows over real packets.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { decode, encode, type RecordType } from 'dns-packet';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { inNamespace, type NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { addressFamily, socketAddress } from '../../src/kernel/socket-address.ts';
import { labFlows } from '../../src/lab/lab-flows.ts';
import { findLab, readLabs } from '../../src/lab/lab-state.ts';
import { findPod, findTarget } from '../../src/lab/lab-end.ts';
import { probeOnce } from '../../src/lab/probe-once.ts';
import type { ProbeAnswer } from '../../src/kernel/prober.ts';
import type { Protocol } from '../../src/base/port-set.ts';
import { needs } from '../needs.ts';
import { blockPeer, cluster, pod, podPeer, policy, rule, service } from './example-cluster.ts';
import { addressOfEnd, endOf, withLab, type RunningLab } from './running-lab.ts';

const shop = cluster({
  pods: [
    pod('shop/db', { ports: ['TCP/3306'] }),
    pod('shop/loner', { ports: ['http:TCP/80'] }),
    pod('shop/web', { replicas: 3, ports: ['http:TCP/8080', 'dns:UDP/5353'] }),
    pod('sys/agent', { hostNetwork: true, ports: ['TCP/9100'] }),
  ],
  services: [
    service('shop/web', { ports: ['http:TCP/80>http', 'dns:UDP/53>dns'] }),
    service('shop/loner', { ports: ['TCP/80>http'] }),
    service('shop/db', { ports: ['TCP/3306>3306'], isHeadless: true }),
    service('shop/empty', { selector: { no: 'body' }, ports: ['TCP/80>80'] }),
  ],
  policies: [
    policy('shop/db', { selector: { app: 'db' }, ingress: [rule([podPeer({ app: 'web' })], ['TCP/3306'])] }),
    policy('shop/loner', { selector: { app: 'loner' }, ingress: [rule([blockPeer('203.0.113.0/24')])], egress: [rule([podPeer({ app: 'loner' })])] }),
  ],
});

interface Try {
  readonly source: string;
  readonly target: IpAddress;
  readonly protocol: Protocol;
  readonly port: number;
  readonly times?: number;
}

const ANSWER_WAIT_MS = 2000;
const SILENCE_WAIT_MS = 100;

/** Connections one after another to any address; those that are never answered are `silent`. */
async function answersOf({ lab, plan }: RunningLab, { source, target, protocol, port, times = 1 }: Try, waitMs = ANSWER_WAIT_MS): Promise<ProbeAnswer[]> {
  const namespace = lab.namespaces[endOf(plan, source)]!;
  const task = { namespace, source: addressOfEnd(plan, source, target.family), target, targetNamespace: namespace, protocol, port };
  const round = lab.prober.open(Array.from({ length: times }, () => task));
  try {
    await round.collect(waitMs);
    return [...round.answers];
  } finally {
    round.close();
  }
}

function serviceAddress({ plan }: RunningLab, name: string, family: IpFamily): IpAddress {
  return plan.services.find((one) => one.name === name)!.addresses.find((address) => address.family === family)!;
}

test('a lab runs, answers, translates and names, and leaves nothing', needs('kernel'), async (t) => {
  const before = readdirSync('/proc/self/fd').length;
  await withLab(shop, {}, async (running) => {
    for (const family of [4, 6] as const) {
      await t.test(`a Service leads to every pod behind it over IPv${family}`, async () => {
        const target = serviceAddress(running, 'web', family);
        running.firewall.readLedger({ drain: true });
        const answers = await answersOf(running, { source: 'shop/db', target, protocol: 'TCP', port: 80, times: 100 });
        assert.deepEqual(new Set(answers), new Set(['connected']));
        const reached = new Set(running.firewall.readLedger({ drain: true }).map((entry) => `${formatIpAddress(entry.target)} ${entry.port}`));
        const pods = ['shop/web-0', 'shop/web-1', 'shop/web-2'].map((name) => `${formatIpAddress(addressOfEnd(running.plan, name, family))} 8080`);
        assert.deepEqual([...reached].sort(), pods.sort());
      });

      await t.test(`a Service translates UDP and its replies over IPv${family}`, async () => {
        assert.deepEqual(await answersOf(running, { source: 'sys/agent', target: serviceAddress(running, 'web', family), protocol: 'UDP', port: 53 }), ['replied']);
      });

      await t.test(`a pod reaches itself through its own Service over IPv${family}, whatever its policy`, async () => {
        assert.deepEqual(await answersOf(running, { source: 'shop/loner', target: serviceAddress(running, 'loner', family), protocol: 'TCP', port: 80 }), ['connected']);
      });

      await t.test(`a Service is judged by the pod behind it over IPv${family}`, async () => {
        assert.deepEqual(await answersOf(running, { source: 'shop/db', target: serviceAddress(running, 'loner', family), protocol: 'TCP', port: 80 }, SILENCE_WAIT_MS), ['silent']);
      });

      await t.test(`a Service without pods is told to be unreachable over IPv${family}`, async () => {
        assert.deepEqual(await answersOf(running, { source: 'shop/db', target: serviceAddress(running, 'empty', family), protocol: 'TCP', port: 80 }), ['failed']);
      });
    }

    await t.test('names are answered by the DNS pod through its Service', () => {
      const namespace = running.lab.namespaces[endOf(running.plan, 'shop/web-0')]!;
      for (const server of running.plan.dnsAddresses) {
        assert.deepEqual(askDns(namespace, server, 'db.shop.svc.cluster.local', 'A'), [formatIpAddress(addressOfEnd(running.plan, 'shop/db', 4))]);
        assert.deepEqual(askDns(namespace, server, 'loner.shop.svc.cluster.local', 'AAAA'), [formatIpAddress(serviceAddress(running, 'loner', 6))]);
      }
    });

    await t.test('the DNS pod is judged like any: who may not reach it gets no answer', () => {
      const namespace = running.lab.namespaces[endOf(running.plan, 'shop/loner')]!;
      assert.equal(askDns(namespace, running.plan.dnsAddresses[0]!, 'db.shop.svc.cluster.local', 'A', SILENCE_WAIT_MS), undefined);
    });

    await t.test('an HTTP client is told the name of the pod', () => {
      const target = addressOfEnd(running.plan, 'shop/web-1', 4);
      const reply = exchange(running.lab.namespaces[endOf(running.plan, 'shop/web-0')]!, { target, port: 8080, isTcp: true }, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      assert.match(reply!.toString(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nshop\/web-1\n$/);
    });

    await t.test('flows bear names', async () => {
      const end = new AbortController();
      running.firewall.readLedger({ drain: true });
      await answersOf(running, { source: 'shop/web-2', target: addressOfEnd(running.plan, 'shop/loner', 4), protocol: 'TCP', port: 80 }, SILENCE_WAIT_MS);
      for await (const entries of labFlows(running.plan, running.firewall, { signal: end.signal, intervalMs: 1 })) {
        assert.deepEqual(entries.map(({ verdict, sourceName, targetName, port, refusal }) => [verdict, sourceName, targetName, port, refusal]), [['denied', 'shop/web-2', 'shop/loner', 80, 'ingress']]);
        end.abort();
      }
    });

    await t.test('another process finds the lab and its pods', async () => {
      const state = findLab();
      assert.equal(state.pid, process.pid);
      assert.equal(findPod(state, 'shop/web').name, 'shop/web-0');
      assert.equal(findPod(state, 'loner').name, 'shop/loner');
      assert.throws(() => findPod(state, 'shop/nobody'), /no pod `shop\/nobody`: it has/);
      assert.throws(() => findTarget(state, 'svc/shop/nobody'), /no Service/);
      const verdicts = async (source: string, target: string, port: number): Promise<string[]> =>
        (await probeOnce(state, { source, target, protocol: 'TCP', port })).map(({ verdict, evidence, refusal }) => [verdict, evidence, refusal].filter(Boolean).join(' '));
      assert.deepEqual(await verdicts('shop/web', 'shop/db', 3306), ['allowed reply', 'allowed reply']);
      assert.deepEqual(await verdicts('shop/web', 'shop/db', 3307), ['denied ledger ingress', 'denied ledger ingress']);
      assert.deepEqual(await verdicts('shop/web', 'svc/shop/loner', 80), ['denied ledger ingress', 'denied ledger ingress']);
      assert.deepEqual(await verdicts('shop/loner', 'svc/shop/web', 80), ['denied ledger egress', 'denied ledger egress']);
      assert.deepEqual(await verdicts('203.0.113.0-203.0.113.255', 'shop/loner', 80), ['allowed reply']);
    });
  });
  assert.deepEqual(readdirSync('/proc/self/fd').length, before + HOME_NAMESPACE_FD);
  assert.deepEqual(readLabs(), []);
});

/** The way home stays open for the whole process. */
const HOME_NAMESPACE_FD = 1;

interface Peer {
  readonly target: IpAddress;
  readonly port: number;
  readonly isTcp: boolean;
}

/** One message there and one back; undefined when none comes. Blocks: the answer is another thread's. */
function exchange(namespace: NamespaceFd, { target, port, isTcp }: Peer, message: Buffer, waitMs = ANSWER_WAIT_MS): Buffer | undefined {
  const libc = loadLibc();
  const fd = inNamespace(namespace, () => libc.socket(addressFamily(target), isTcp ? 1 : 2, 0));
  try {
    const address = socketAddress(target, port);
    assert.equal(libc.connect(fd, address, address.length), 0, `errno ${libc.errno()}`);
    assert.equal(libc.send(fd, message, message.length, 0), message.length);
    const poll = Buffer.alloc(8);
    poll.writeInt32LE(fd);
    poll.writeInt16LE(1, 4);
    if (libc.poll(poll, 1, waitMs) === 0) return undefined;
    const reply = Buffer.alloc(4096);
    return reply.subarray(0, libc.recv(fd, reply, reply.length, 0));
  } finally {
    libc.close(fd);
  }
}

function askDns(namespace: NamespaceFd, server: IpAddress, name: string, type: RecordType, waitMs?: number): string[] | undefined {
  const query = encode({ type: 'query', id: 1, flags: 0x100, questions: [{ name, type }] });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  const overUdp = exchange(namespace, { target: server, port: 53, isTcp: false }, query, waitMs);
  if (overUdp === undefined) return undefined;
  const overTcp = exchange(namespace, { target: server, port: 53, isTcp: true }, Buffer.concat([length, query]));
  const dataOf = (reply: Buffer): string[] => (decode(reply).answers ?? []).flatMap((answer) => ('data' in answer ? [String(answer.data)] : []));
  assert.deepEqual(dataOf(overTcp!.subarray(2)), dataOf(overUdp));
  return dataOf(overUdp);
}
