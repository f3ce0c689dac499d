// On how many days a flow was seen, of which two nodes tell one record a day each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowGathering } from '../../src/flow/gather-flows.ts';
import { seenIn } from '../../src/recommend/ends/seen.ts';

const NODES = { web: 'n1', db: 'n2' };

function lineOf(day: number, node: string, verdict: string): string {
  const time = `2026-11-${10 + day}T10:00:00Z`;
  const end = (name: keyof typeof NODES): object => ({ namespace: 'shop', labels: [`k8s:app=${name}`], workloads: [{ kind: 'Deployment', name }], node_name: NODES[name] });
  return JSON.stringify({ time, firstSeen: time, lastSeen: time, verdict, IP: { ipVersion: 'IPv4' }, l4: { TCP: { destination_port: 5432 } }, source: end('web'), destination: end('db'), node_name: node, count: 1 });
}

/** By verdict. */
function daysOf(lines: readonly string[]): unknown {
  const gathering = new FlowGathering();
  for (const [index, line] of lines.entries()) gathering.addLine(line, 'flows.jsonl', index + 1);
  const { table } = gathering;
  return Object.fromEntries(Array.from({ length: table.size }, (_, row) => [table.verdictAt(row), seenIn(table, [row]).days]));
}

test('each day counts once, whichever of the nodes tell it', () => {
  const both = [1, 2, 4, 7].flatMap((day) => [lineOf(day, 'n1', 'FORWARDED'), lineOf(day, 'n2', 'FORWARDED')]);
  for (const lines of [both, both.toReversed(), both.filter((_, index) => index % 2 === 0), both.filter((_, index) => index % 3 > 0)]) assert.deepEqual(daysOf(lines), { allowed: 4 });
});

test('days of refusals are not those of what was let through', () => {
  const lines = [lineOf(1, 'n1', 'DROPPED'), lineOf(3, 'n1', 'DROPPED'), lineOf(5, 'n1', 'DROPPED'), lineOf(6, 'n1', 'FORWARDED'), lineOf(7, 'n1', 'FORWARDED')];
  assert.deepEqual(daysOf(lines), { allowed: 2, denied: 3 });
});
