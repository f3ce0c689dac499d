// Lines of Hubble gathered into a table: what is told of pods only from afar, and what is new in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowGathering, recordsOf, type GatherOptions } from '../../src/flow/gather-flows.ts';
import { endName } from '../../src/flow/flow-record.ts';
import { flowJson } from '../../src/flow/write-flow.ts';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-18T10:00:00Z');

interface Told {
  readonly namespace: string;
  readonly pod_name: string;
  readonly labels: readonly string[];
  readonly workloads?: readonly unknown[];
}

function pod(name: string, app: string, workload?: { readonly kind: string; readonly name: string }): Told {
  return { namespace: 'shop', pod_name: name, labels: [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=shop'], ...(workload === undefined ? {} : { workloads: [workload] }) };
}

const WEB = { kind: 'Deployment', name: 'web' };
const DB = { kind: 'StatefulSet', name: 'db' };

function line(source: Told, destination: Told, more: object = {}): string {
  return JSON.stringify({ flow: { time: new Date(START).toISOString(), verdict: 'FORWARDED', is_reply: false, IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' }, l4: { TCP: { destination_port: 5432 } }, source, destination, ...more } });
}

function gather(lines: readonly string[], options: GatherOptions = {}): FlowGathering {
  const gathering = new FlowGathering(options);
  for (const [index, text] of lines.entries()) gathering.addLine(text, 'flows', index + 1);
  return gathering;
}

function check(expected: readonly string[], lines: readonly string[]): void {
  const found = recordsOf(gather(lines).table);
  assert.deepEqual(found.map(({ source, target, count }) => `${endName(source)} → ${endName(target)} ${count}`).sort(), expected);
}

// Cilium, pkg/hubble/parser/common/endpoint.go: of an end on another node there are names and labels, and no workload.
test('a pod that one node tells without its workload is the one of which another tells it', () => {
  const [near, far] = [pod('web-6d4b9-k2xlp', 'web', WEB), pod('web-6d4b9-k2xlp', 'web')];
  const lines = [line(far, pod('db-0', 'db', DB)), line(near, pod('db-0', 'db')), line(near, pod('db-0', 'db', DB))];
  check(['shop/web → shop/db 3'], lines);
  check(['shop/web → shop/db 3'], lines.toReversed());
});

test('else it is the one workload whose pods have its labels', () => {
  const near = line(pod('web-6d4b9-k2xlp', 'web', WEB), pod('db-0', 'db', DB));
  check(['shop/web → shop/db 2'], [near, line(pod('web-6d4b9-zzzzz', 'web'), pod('db-1', 'db'))]);
  check(['shop/other-1 → shop/db 1', 'shop/web → shop/db 1'], [near, line(pod('other-1', 'other'), pod('db-1', 'db'))]);
});

test('a pod that has no controller stays itself, and so does one whose labels two workloads share', () => {
  const debug = pod('debug', 'web', { kind: 'Pod', name: 'debug' });
  const near = line(pod('web-6d4b9-k2xlp', 'web', WEB), pod('db-0', 'db', DB));
  check(['shop/debug → shop/db 2', 'shop/web → shop/db 1'], [near, line(debug, pod('db-0', 'db')), line(pod('debug', 'web'), pod('db-0', 'db'))]);
  check(['shop/debug → shop/db 1', 'shop/web → shop/db 1', 'shop/web-6d4b9-zzzzz → shop/db 1'], [near, line(debug, pod('db-0', 'db')), line(pod('web-6d4b9-zzzzz', 'web'), pod('db-0', 'db'))]);
});

test('the days on which it was seen stay, and what nobody told is written down as untold', () => {
  const [near, far] = [pod('web-6d4b9-k2xlp', 'web', WEB), pod('web-6d4b9-k2xlp', 'web')];
  const day = (days: number): object => ({ time: new Date(START + days * DAY_MS).toISOString() });
  const { table } = gather([line(far, pod('db-0', 'db', DB)), line(far, pod('db-0', 'db', DB), day(3)), line(near, pod('db-0', 'db', DB), day(4))]);
  assert.deepEqual([table.size, table.columns.days[0]], [1, 0b1_0011]);
  const [alone] = recordsOf(gather([line(far, pod('db-0', 'db', DB))]).table);
  const again = gather([JSON.stringify(flowJson(alone!)), line(near, pod('db-0', 'db', DB))]);
  assert.deepEqual(recordsOf(again.table).map(({ source, count }) => [endName(source), count]), [['shop/web', 2]]);
});

test('what was seen before is not new, also where earlier flows are not asked for, and by another Service', () => {
  const [web, db] = [pod('web-6d4b9-k2xlp', 'web', WEB), pod('db-0', 'db', DB)];
  const today = { time: new Date(START + DAY_MS).toISOString() };
  const by = (name: string): object => ({ destination_service: { namespace: 'shop', name } });
  const port = (destination_port: number): object => ({ l4: { TCP: { destination_port } } });
  const lines = [line(web, db), line(web, db, today), line(web, db, { ...today, ...port(80) }), line(web, db, { ...by('old'), ...port(81) }), line(web, db, { ...today, ...by('new'), ...port(81) })];
  for (const sinceMs of [undefined, START + DAY_MS]) {
    const gathering = gather(lines, { sinceMs, newSinceMs: START + 1 });
    assert.deepEqual(recordsOf(gathering.table).filter((record) => record.firstSeen > START && gathering.isNew(record)).map((record) => record.port), [80], `${sinceMs}`);
  }
});
