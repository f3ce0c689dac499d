// What a state keeps of workloads without a policy tells those that came later from those that were there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import { findDrift, gapsOf, keyOf } from '../../src/drift/drift.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { readPolicyTests } from '../../src/probe/policy-test.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { keptGaps, readRecord, recordObject, type ReleaseRecord } from '../../src/release/release-record.ts';
import { flow, NOON, podEnd } from '../history/sample-flows.ts';

function program(pods: Readonly<Record<string, string>>): Program {
  const objects = Object.entries(pods).map(([name, app]) => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop, labels: { app: ${app} } }\nspec: { containers: [{ name: c, image: x }] }\n`);
  const policy = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: db, namespace: shop }\nspec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress, Egress] }\n';
  return compileCluster(readManifests([sourceFromText('x.yaml', [...objects, policy].join('---\n'))]).cluster);
}

/** The policies are the same, and the pods of then are known by the gaps alone. */
function since(gaps: readonly string[] | undefined, now: Program): readonly string[] {
  return findDrift({ before: { program: now, flows: undefined, gaps }, now: { program: now, flows: undefined }, tests: [] }).map(keyOf);
}

test('a workload that came since, or whose labels left its policy, is told, and one that was there without a policy is not', () => {
  const then = gapsOf(program({ web: 'web', db: 'db' }));
  assert.deepEqual(then, ['unprotected-workload shop/web egress', 'unprotected-workload shop/web ingress']);
  assert.deepEqual(since(then, program({ web: 'web', db: 'db' })), []);
  assert.deepEqual(since(then, program({ web: 'web', db: 'db', later: 'later' })), ['unprotected-workload shop/later egress', 'unprotected-workload shop/later ingress']);
  assert.deepEqual(since(then, program({ web: 'web', db: 'orders' })), ['unprotected-workload shop/db egress', 'unprotected-workload shop/db ingress', 'selects-nothing NetworkPolicy shop/db']);
  assert.deepEqual(since([], program({ web: 'web', db: 'db' })), then);
  assert.deepEqual(since(undefined, program({ web: 'web', db: 'orders' })), []);
});

test('a policy for the whole cluster protects a workload where it denies something, and not where it only accepts', () => {
  const web = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop, labels: { app: web } }\nspec: { containers: [{ name: c, image: x }] }\n';
  const unprotected = (tier: string, rule: string): readonly string[] => {
    const policy = `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: all }\nspec: { tier: ${tier}, priority: 1, subject: { namespaces: {} }, ingress: [${rule}] }\n`;
    const { cluster, findings } = readManifests([sourceFromText('x.yaml', `${web}---\n${policy}`)]);
    assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
    return findDrift({ before: undefined, now: { program: compileCluster(cluster), flows: undefined }, tests: [] }).map(keyOf);
  };
  const both = ['unprotected-workload shop/web egress', 'unprotected-workload shop/web ingress'];
  const scrapes = "from: [{ namespaces: { matchLabels: { kubernetes.io/metadata.name: monitoring } } }], protocols: [{ tcp: { destinationPort: { number: 9090 } } }]";
  assert.deepEqual(unprotected('Admin', `{ action: Accept, ${scrapes} }`), both);
  assert.deepEqual(unprotected('Admin', `{ action: Pass, ${scrapes} }`), both);
  assert.deepEqual(unprotected('Admin', `{ action: Deny, ${scrapes} }`), both.slice(0, 1));
  assert.deepEqual(unprotected('Baseline', '{ action: Deny, from: [{ namespaces: {} }] }'), both.slice(0, 1));
});

test('a test that fails is told where nobody knows whether it held then', () => {
  const now = program({ web: 'web', db: 'orders' });
  const file = 'apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: shop }\nexpect: [{ deny: { from: shop/web, to: shop/db, on: tcp/1 } }]\n';
  const { tests } = readPolicyTests('shop.test.yaml', file);
  const told = (hasOtherPods: boolean): readonly string[] => findDrift({ before: { program: now, flows: undefined, hasOtherPods, gaps: gapsOf(now) }, now: { program: now, flows: undefined }, tests }).map(({ kind }) => kind);
  assert.deepEqual([told(false), told(true)], [[], ['failed-test']]);
});

test('a refusal since a label changed is told where the same went through behind the release', () => {
  const now = program({ web: 'renamed', db: 'db' });
  const ends = { source: podEnd('shop', 'web'), target: podEnd('shop', 'db') };
  const told = (allowedMs: number): readonly string[] => {
    const flows = new FlowTable();
    flows.add(flow({ ...ends, verdict: 'denied', firstSeen: NOON, lastSeen: NOON }));
    flows.add(flow({ ...ends, firstSeen: allowedMs, lastSeen: allowedMs }));
    flows.add(flow({ ...ends, verdict: 'denied', port: 80, firstSeen: NOON, lastSeen: NOON }));
    return findDrift({ before: { program: now, flows: undefined, hasOtherPods: true, gaps: gapsOf(now), writtenMs: NOON - 3_600_000 }, now: { program: now, flows }, tests: [] }).filter(({ kind }) => kind === 'new-denial').map(({ subject }) => subject);
  };
  assert.deepEqual(told(NOON - 1_000), ['shop/web → shop/db tcp/3306']);
  assert.deepEqual(told(NOON - 3_590_000), [], 'it went through until the nodes had the policies');
  assert.deepEqual(told(NOON - 7_200_000), [], 'the release itself refuses it');
});

test('where no flow was recorded no rule is known to be unused, now and then', () => {
  const text = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: db, namespace: shop }\nspec: { podSelector: {}, ingress: [{ ports: [{ port: 3306 }] }] }\n';
  const { cluster } = readManifests([sourceFromText('x.yaml', text)]);
  const seen = new FlowTable();
  seen.add(flow({ port: 80 }));
  const unused = (before: FlowTable | undefined, now: FlowTable): number => {
    const [then, current] = [before, now].map((flows) => ({ program: compileCluster(cluster), flows }));
    return findDrift({ before: before === undefined ? undefined : then, now: current!, tests: [] }).filter(({ kind }) => kind === 'unused-rule').length;
  };
  assert.deepEqual([unused(undefined, new FlowTable()), unused(undefined, seen), unused(seen, seen), unused(new FlowTable(), seen)], [0, 1, 0, 1]);
});

test('a release keeps gaps while they find room, and is kept without them where they do not', async () => {
  const record: ReleaseRecord = { version: 1, release: 'r', revision: 1, action: 'apply', at: '2026-11-20T00:00:00Z', changes: [], members: [], helpers: [] };
  const read = async (gaps: readonly string[]): Promise<readonly string[] | undefined> => {
    const stored = await recordObject('default', { ...record, ...keptGaps(gaps) }, 'written');
    return (await readRecord(stored as never))?.record.gaps;
  };
  const random = (length: number): string => Array.from({ length }, () => Math.floor(Math.random() * 36).toString(36)).join('');
  assert.deepEqual(await read(['unprotected-workload shop/web egress']), ['unprotected-workload shop/web egress']);
  assert.equal((await read(Array.from({ length: 5000 }, (_, index) => `unprotected-workload shop/web-${index} egress`)))?.length, 5000);
  assert.equal(await read(Array.from({ length: 5001 }, (_, index) => `${index}`)), undefined);
  assert.equal(await read(Array.from({ length: 5000 }, () => random(300))), undefined);
});
