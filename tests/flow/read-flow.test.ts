// Lines of flows: what of Hubble's export is a flow, who opened it, and that no line whatever throws.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { readFlow, type ReadFlow } from '../../src/flow/read-flow.ts';
import { endName } from '../../src/flow/flow-record.ts';
import { flowJson } from '../../src/flow/write-flow.ts';

const WEB = { ID: 12, identity: 3001, namespace: 'shop', labels: ['k8s:app=web', 'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop', 'k8s:io.cilium.k8s.namespace.labels.team=red', 'k8s:io.cilium.k8s.policy.cluster=default', 'k8s:io.kubernetes.pod.namespace=shop', 'k8s:pod-template-hash=abc'], pod_name: 'web-abc-xyz', workloads: [{ name: 'web', kind: 'Deployment' }] };
const DB = { ID: 13, identity: 3002, namespace: 'data', labels: ['k8s:app=db', 'k8s:io.kubernetes.pod.namespace=data'], pod_name: 'db-0', workloads: [{ name: 'db', kind: 'StatefulSet' }] };
const HUBBLE = { time: '2026-11-20T10:00:00.123456789Z', verdict: 'FORWARDED', IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' }, l4: { TCP: { source_port: 41234, destination_port: 5432, flags: { SYN: true } } }, source: WEB, destination: DB, Type: 'L3_L4', node_name: 'n1', is_reply: false, traffic_direction: 'EGRESS', destination_service: { name: 'db', namespace: 'data' } };

function read(flow: object): ReadFlow {
  return readFlow(JSON.stringify({ flow, node_name: 'n1', time: HUBBLE.time }));
}

function check(expected: string, changes: object): void {
  const found = read({ ...HUBBLE, ...changes });
  assert.equal(found.kind === 'left-out' ? found.why : found.kind === 'flow' ? found.record.verdict : found.kind, expected, JSON.stringify(changes));
}

test('a name that no object can have is told, and goes no further', () => {
  const named = (changes: object): string => {
    const found = read({ ...HUBBLE, source: { ...WEB, ...changes } });
    return found.kind === 'broken' ? found.message : found.kind;
  };
  assert.match(named({ namespace: '../../root' }), /^the namespace `..\/..\/root` takes only/);
  assert.match(named({ workloads: [{ name: '../evil', kind: 'Deployment' }] }), /^the workload/);
  assert.match(named({ pod_name: 'a/b' }), /^the pod/);
  assert.equal(named({}), 'flow');
});

test('who opened, and whether a policy let it', () => {
  check('allowed', {});
  check('allowed', { verdict: 'AUDIT' });
  check('allowed', { verdict: 'REDIRECTED' });
  check('denied', { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED', is_reply: null });
  check('denied', { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENY' });
  // Drops that no policy ordered, what is no verdict, and the requests inside a connection.
  check('no-verdict', { verdict: 'DROPPED', drop_reason_desc: 'CT_MAP_INSERTION_FAILED' });
  check('no-verdict', { verdict: 'TRACED' });
  check('no-verdict', { verdict: 42 });
  // A reason that the one who printed it has no word for, and one of the time before there were words.
  check('no-verdict', { verdict: 'DROPPED', drop_reason: 204, drop_reason_desc: 204 });
  check('no-verdict', { verdict: 'DROPPED', drop_reason: 140 });
  check('denied', { verdict: 'DROPPED', drop_reason: 133, is_reply: null });
  check('denied', { verdict: 'DROPPED', drop_reason: 181, drop_reason_desc: 181, is_reply: null });
  check('no-verdict', { l4: { ICMPv6: { type: 135 } } });
  check('allowed', { l4: { ICMPv6: { type: 128 } } });
  check('no-verdict', { Type: 'L7' });
  // An answer goes to the port that its opener happened to get.
  check('reply', { is_reply: true });
  check('unsure', { is_reply: null, l4: { UDP: { source_port: 53, destination_port: 41234 } } });
  check('unsure', { is_reply: null, l4: { TCP: { source_port: 53, destination_port: 41234, flags: { SYN: true, ACK: true } } } });
  check('allowed', { is_reply: null });
  // An answer that is dropped because its connection was forgotten tells no policy's refusal of its opener.
  for (const flags of [{ SYN: true, ACK: true }, { ACK: true, PSH: true }, { RST: true }, {}]) {
    check('unsure', { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED', is_reply: null, l4: { TCP: { source_port: 5432, destination_port: 41234, flags } } });
  }
  check('denied', { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED', is_reply: null, l4: { TCP: { destination_port: 5432 } } });
  check('no-ends', { l4: {} });
  check('no-ends', { l4: { TCP: { destination_port: 70000 } } });
  check('no-ends', { source: {}, IP: {} });
  check('broken', { time: 'yesterday' });
});

test('a pod keeps its labels and those of its namespace, and what Cilium added goes', () => {
  const found = read(HUBBLE);
  assert.ok(found.kind === 'flow');
  const { source, target, lastSeen, service, port } = found.record;
  assert.ok(source.kind === 'pod');
  assert.deepEqual([...source.labels], [['app', 'web'], ['pod-template-hash', 'abc']]);
  assert.deepEqual([...source.namespaceLabels], [['team', 'red']]);
  assert.deepEqual([endName(source), endName(target), port, service, new Date(lastSeen).toISOString()], ['shop/web-abc-xyz', 'data/db-0', 5432, 'data/db', '2026-11-20T10:00:00.123Z']);
});

test('pods of a workload are one end, and runs of a CronJob are its own', () => {
  const table = new FlowTable();
  const run = (name: string): object => ({ ...WEB, pod_name: `${name}-q`, workloads: [{ kind: 'Job', name }], labels: ['k8s:app=nightly', `k8s:job-name=${name}`, `k8s:controller-uid=${name}`] });
  for (const flow of [HUBBLE, { ...HUBBLE, source: { ...WEB, pod_name: 'web-def-uvw', labels: WEB.labels.map((label) => label.replace('=abc', '=def')) } }, { ...HUBBLE, source: run('nightly-29390250') }, { ...HUBBLE, source: run('nightly-29390251') }]) {
    const found = read(flow);
    assert.ok(found.kind === 'flow');
    table.add(found.record);
  }
  assert.deepEqual(Array.from({ length: table.size }, (_, row) => table.recordAt(row)).map(({ source, target, count }) => [source.kind === 'pod' && source.workload.kind, endName(source), endName(target), count]), [
    ['Deployment', 'shop/web', 'data/db', 2],
    ['CronJob', 'shop/nightly', 'data/db', 2],
  ]);
});

test('what an export leaves out of the flow stands around it', () => {
  const { time: _, node_name: __, ...masked } = HUBBLE;
  const found = read(masked);
  assert.ok(found.kind === 'flow');
  assert.deepEqual([new Date(found.record.lastSeen).toISOString(), found.record.node], ['2026-11-20T10:00:00.123Z', 'n1']);
});

test('flows that an exporter summed up count as many', () => {
  for (const [count, aggregate] of [[7, { ingress_flow_count: 5, egress_flow_count: 2 }], [3, { unknown_direction_flow_count: 3 }], [1, {}]] as const) {
    const found = read({ ...HUBBLE, aggregate });
    assert.ok(found.kind === 'flow');
    assert.equal(found.record.count, count);
  }
});

test('an address that Cilium knows no pod for is the pod that its labels tell', () => {
  const found = read({ ...HUBBLE, source: { identity: WEB.identity, labels: WEB.labels } });
  assert.ok(found.kind === 'flow' && found.record.source.kind === 'pod');
  const { namespace, pod, isUntold, labels } = found.record.source;
  assert.deepEqual([namespace, pod, isUntold, labels.get('app')], ['shop', undefined, true, 'web']);
});

test('nodes are addresses, and the node of the other end is known as such', () => {
  const found = read({ ...HUBBLE, source: { labels: ['reserved:host'] } });
  assert.ok(found.kind === 'flow' && found.record.source.kind === 'outside');
  assert.equal(found.record.source.isOwnNode, true);
  const again = readFlow(JSON.stringify(flowJson(found.record)));
  assert.ok(again.kind === 'flow');
  assert.deepEqual(again.record.source, found.record.source);
});

test('what was lost before is known, and other events are no flows', () => {
  assert.deepEqual(readFlow('{"lost_events":{"source":"HUBBLE_RING_BUFFER","num_events_lost":"7"}}'), { kind: 'lost', flows: 7 });
  assert.deepEqual(readFlow('{"node_status":{"state_change":"NODE_CONNECTED"}}'), { kind: 'left-out', why: 'other-event' });
  assert.equal(readFlow('{"flow":').kind, 'broken');
  assert.equal(readFlow('[]').kind, 'broken');
});

test('no line throws, and what is read can be written and read again', () => {
  const fields = fc.constantFrom(...Object.keys(HUBBLE), 'count', 'openings', 'firstSeen', 'rule', '__proto__', 'constructor', 'drop_reason_desc', 'source_names');
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>('FORWARDED', 'DROPPED', [], {}, null, -1, 1e300, '2026-13-45T99:99:99Z', { labels: [1, null, 'k8s:', 'k8s:=', 'k8s:a=b=c'], namespace: 'x', workloads: [null] }, { TCP: { destination_port: '80' } }, { '999': {} }, { ingress: { verdict: 'allows', rules: [{ kind: 'a' }] }, egress: { verdict: 'refuses' } }));
  fc.assert(fc.property(fc.array(fc.tuple(fields, odd), { maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 20 }), fc.boolean(), (changes, noise, isWrapped) => {
    const flow = Object.assign(JSON.parse(JSON.stringify(HUBBLE)) as object, Object.fromEntries(changes));
    const text = JSON.stringify(isWrapped ? { flow } : flow);
    readFlow(noise + text);
    readFlow(text.slice(0, text.length - noise.length));
    const found = readFlow(text);
    if (found.kind !== 'flow') return;
    const written = JSON.stringify(flowJson(found.record));
    const again = readFlow(written);
    assert.ok(again.kind === 'flow', written);
    assert.equal(JSON.stringify(flowJson(again.record)), written);
    new FlowTable().add(found.record);
  }), { numRuns: 3000 });
});
