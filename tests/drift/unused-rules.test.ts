// A rule that nobody needs is known by what it says, wherever it stands in its policy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCluster } from '../../src/compile/compile.ts';
import { findDrift, type Drift } from '../../src/drift/drift.ts';
import { newsOf, readTold, toldText } from '../../src/drift/told.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { flow } from '../history/sample-flows.ts';

function policy(...rules: readonly string[]): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: db, namespace: shop }\nspec: { podSelector: {}, ingress: [${rules.join(', ')}] }\n`;
}

/** Of flows to another port. */
function unusedSince(before: string | undefined, now: string): readonly Drift[] {
  const flows = new FlowTable();
  flows.add(flow({ port: 1 }));
  const [then, current] = [before, now].map((text) => (text === undefined ? undefined : { program: compileCluster(readManifests([sourceFromText('x.yaml', text)]).cluster), flows }));
  return findDrift({ before: then, now: current!, tests: [] }).filter(({ kind }) => kind === 'unused-rule');
}

const WEB = '{ from: [{ podSelector: { matchLabels: { app: web, tier: front } } }, { ipBlock: { cidr: 10.0.0.0/8 } }], ports: [{ port: 80 }, { port: 443 }] }';
/** The same. */
const REORDERED = '{ ports: [{ port: 443, protocol: TCP }, { port: 80 }], from: [{ ipBlock: { cidr: 10.0.0.5/8 } }, { podSelector: { matchExpressions: [{ key: tier, operator: In, values: [front] }], matchLabels: { app: web } } }] }';
const LATER = '{ from: [{ namespaceSelector: {}, podSelector: {} }], ports: [{ port: 9 }] }';

test('a rule put before others makes none of them new; its place is told', () => {
  assert.deepEqual(unusedSince(policy(WEB), policy(LATER, REORDERED)), [
    { kind: 'unused-rule', subject: 'ingress rule of NetworkPolicy shop/db from everything of namespaces everything on tcp/9', message: 'none of 1 recorded flows needed ingress rule 1 of NetworkPolicy shop/db' },
  ]);
  assert.deepEqual(unusedSince(policy(LATER, WEB), policy(REORDERED)), []);
  assert.deepEqual(unusedSince(undefined, policy(LATER, WEB, REORDERED)).map(({ subject, message }) => [subject, message.match(/rule \d/)?.[0]]), [
    ['ingress rule of NetworkPolicy shop/db from 10.0.0.0/8 or app=web, tier=front on tcp/443, tcp/80', 'rule 2'],
    ['ingress rule of NetworkPolicy shop/db from everything of namespaces everything on tcp/9', 'rule 1'],
  ]);
});

test('rules that differ far behind their beginning are two, in names of bounded length', () => {
  const long = (last: number): string => `{ from: [${Array.from({ length: 500 }, (_, index) => `{ ipBlock: { cidr: 20.${index >> 8}.${index & 255}.0/24 } }`).join(', ')}, { ipBlock: { cidr: 99.0.0.${last}/32 } }] }`;
  const [drift] = unusedSince(policy(long(1)), policy(long(1), long(2)));
  assert.match(drift?.message ?? '', /rule 2/);
  assert.ok(drift!.subject.length < 300, drift!.subject);
});

test('what an earlier version kept as told, by the place of a rule, is read', () => {
  const old = { kind: 'unused-rule', subject: 'ingress rule 1 of NetworkPolicy shop/db', message: 'none of 1 recorded flows needed ingress rule 1 of NetworkPolicy shop/db' } as const;
  const { fresh, resolved } = newsOf(readTold(toldText(newsOf([], [old], 5))), unusedSince(undefined, policy(WEB)), 9);
  assert.deepEqual([fresh.length, resolved.map(({ subject }) => subject)], [1, [old.subject]]);
});
