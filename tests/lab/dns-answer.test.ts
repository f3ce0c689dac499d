// What the lab answers to questions about names.
import assert from 'node:assert/strict';
import test from 'node:test';
import { decode, encode, type Packet, type RecordType } from 'dns-packet';
import { answerDns, UDP_ANSWER_BYTES_MAX } from '../../src/lab/dns-answer.ts';
import { dnsZone } from '../../src/lab/dns-zone.ts';
import { planLab } from '../../src/lab/lab-plan.ts';
import { cluster, pod, service } from './example-cluster.ts';

const plan = planLab(cluster({
  pods: [pod('shop/web', { replicas: 40, ports: ['http:TCP/8080'] }), pod('shop/db', { replicas: 2, kind: 'StatefulSet', ports: ['sql:TCP/3306'] })],
  services: [
    service('shop/web', { ports: ['http:TCP/80>http'] }),
    service('shop/many', { selector: { app: 'web' }, ports: ['TCP/80>http'], isHeadless: true }),
    service('shop/db', { ports: ['sql:TCP/3306>sql'], isHeadless: true }),
  ],
}));
const zone = dnsZone(plan);

function ask(name: string, type: RecordType, bytesMax = 65535): { rcode: number; flags: number; answers: string[] } {
  const reply = answerDns(zone, encode({ type: 'query', id: 7, flags: 0x100, questions: [{ name, type }] }), { bytesMax });
  const packet = decode(reply!) as Packet;
  assert.equal(packet.id, 7);
  assert.equal(packet.type, 'response');
  const answers = (packet.answers ?? []).map((answer) => ('data' in answer ? (typeof answer.data === 'string' ? answer.data : JSON.stringify(answer.data)) : ''));
  return { rcode: (packet.flags ?? 0) & 0xf, flags: packet.flags ?? 0, answers };
}

test('a Service has its own address, in each family', () => {
  assert.deepEqual(ask('web.shop.svc.cluster.local', 'A').answers, ['10.96.0.1']);
  assert.deepEqual(ask('WEB.Shop.svc.cluster.local', 'AAAA').answers, ['fd00:10:96::1']);
});

test('a headless Service leads to its pods, and each has a name', () => {
  assert.deepEqual(ask('db.shop.svc.cluster.local', 'A').answers, ['10.244.0.42', '10.244.0.43']);
  assert.deepEqual(ask('db-1.db.shop.svc.cluster.local', 'A').answers, ['10.244.0.43']);
  assert.deepEqual(JSON.parse(ask('_sql._tcp.db.shop.svc.cluster.local', 'SRV').answers[0]!), { priority: 0, weight: 100, port: 3306, target: 'db-0.db.shop.svc.cluster.local' });
});

test('knows a name that is not there from one without such a record', () => {
  assert.equal(ask('nosuch.shop.svc.cluster.local', 'A').rcode, 3);
  assert.equal(ask('example.com', 'A').rcode, 3);
  assert.deepEqual(ask('web.shop.svc.cluster.local', 'SRV'), { rcode: 0, flags: 0x580, answers: [] });
  assert.equal(ask('shop.svc.cluster.local', 'A').rcode, 0);
});

test('cuts an answer that is too long for a datagram', () => {
  const short = ask('many.shop.svc.cluster.local', 'A', UDP_ANSWER_BYTES_MAX);
  assert.deepEqual(short.answers, []);
  assert.notEqual(short.flags & 0x200, 0);
  assert.equal(ask('many.shop.svc.cluster.local', 'A').answers.length, 40);
});

test('gives no answer to what is no question', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(40, 0xff), encode({ type: 'response', questions: [{ name: 'a', type: 'A' }] }), encode({ type: 'query', questions: [] })]) {
    assert.equal(answerDns(zone, bytes, { bytesMax: 512 }), undefined);
  }
});
