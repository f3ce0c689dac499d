// From what agents report to which policy is in force where: what is so, what is not yet, and what nobody can know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_LOSSES } from '../../src/flow/flow-losses.ts';
import type { ClusterObject } from '../../src/kube/cluster-api.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { rolloutJson, rolloutText } from '../../src/report/state/rollout.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { enforcementStatus, NODE_ENFORCEMENT } from '../../src/status/node-enforcement.ts';
import { rolloutOf } from '../../src/status/rollout.ts';
import { watchRollout } from '../../src/status/watch-rollout.ts';
import type { AgentState } from '../../src/agent/agent-state.ts';
import type { StagedCount } from '../../src/stage/staged-count.ts';
import { FACTS, policy, READY } from './agent-states.ts';

const NOW = new Date(Date.UTC(2026, 0, 1, 0, 1));
const LATER = new Date(Date.UTC(2026, 0, 1, 1));

const node = (name: string): ClusterObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
const object = (name: string, generation: number): ClusterObject => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'shop', uid: `uid-${name}`, generation } });

function report(name: string, state: Partial<AgentState>, nextReportBefore = LATER, staged: readonly StagedCount[] = [], losses = NO_LOSSES): ClusterObject {
  const status = enforcementStatus({ state: { ...READY, node: name, ...state }, facts: FACTS, staged, losses }, { now: FACTS.startedAt, nextReportBefore });
  return { apiVersion: NODE_ENFORCEMENT.apiVersion, kind: NODE_ENFORCEMENT.kind, metadata: { name }, status: JSON.parse(JSON.stringify(status)) };
}

test('every standing of a policy on a node', () => {
  const nodes = ['all-well', 'behind', 'closed', 'full', 'never', 'quiet', 'waiting'].map(node);
  const many = Array.from({ length: 20_000 }, (_, index) => policy(`other-${index}`, { inForceSince: new Date(Date.UTC(2026, 0, 1, 0, 0, 30)) }));
  const enforcements = [
    report('all-well', { policies: [policy('web', { generation: 2 })] }),
    report('behind', { policies: [policy('web', { generation: 1 })] }),
    report('closed', { policies: [policy('web', { generation: 2, problem: 'a field that nobody knows' })] }),
    report('full', { policies: [policy('web', { generation: 2 }), ...many] }),
    report('quiet', { policies: [policy('web', { generation: 2 })] }, FACTS.startedAt),
    report('waiting', { isReady: false, troubles: [{ code: 'kernel', message: 'no memory', since: FACTS.startedAt }], policies: [policy('web', { generation: 2, inForceSince: undefined })] }),
  ];
  const rollout = rolloutOf({ nodes, enforcements, policies: [object('web', 2)] }, NOW);
  assert.equal(rollout.isComplete, false);
  assert.equal(rolloutText(rollout, PLAIN_STYLE), `NODE      AGENT      ENFORCING  VERSION  REPORTED
all-well  ready      yes        0.1.0    2026-01-01T00:00:00Z
behind    ready      yes        0.1.0    2026-01-01T00:00:00Z
closed    ready      yes        0.1.0    2026-01-01T00:00:00Z
full      ready      yes        0.1.0    2026-01-01T00:00:00Z
never     no agent   ?
quiet     silent     yes        0.1.0    2026-01-01T00:00:00Z
waiting   not ready  yes        0.1.0    2026-01-01T00:00:00Z
  waiting: kernel: no memory

POLICY                  GENERATION  IN FORCE      SINCE
NetworkPolicy shop/web  2           2 of 7 nodes
  behind: not yet
  closed: closed: a field that nobody knows
  full: unknown: its agent knows more policies than its report has room for
  never: unknown: no agent has ever reported from there
  quiet: unknown: its agent has been silent since 2026-01-01T00:00:00Z
  and 1 more
`);
});

test('a node whose clock is hours ahead promises nothing', () => {
  const early = new Date(FACTS.startedAt.getTime() - 6 * 3_600_000);
  const rollout = rolloutOf({ nodes: [node('ahead')], enforcements: [report('ahead', { policies: [policy('web', { generation: 2 })] })], policies: [object('web', 2)] }, early);
  assert.equal(rollout.isComplete, false);
  assert.deepEqual([rollout.nodes[0]!.standing, rollout.policies[0]!.nodes], ['silent', [{ node: 'ahead', standing: 'unknown', why: 'it reports by a clock that is ahead, 2026-01-01T00:00:00Z' }]]);
});

test('what is audited is in force nowhere, and what it would refuse is summed', () => {
  const audited = policy('web', { generation: 2, isAudited: true, inForceSince: undefined });
  const count = (wouldRefuse: number): StagedCount => ({ kind: 'Namespace', name: 'shop', uid: 'u', generation: 0, since: FACTS.startedAt, until: FACTS.startedAt, judged: 10, wouldRefuse, wouldAllow: 0, unknown: 0, rules: [], witnesses: [{ direction: 'ingress', source: 'shop/job', target: 'shop/web', protocol: 'TCP', port: 8080, judged: wouldRefuse }] });
  const enforcements = [report('one', { policies: [audited] }, LATER, [count(1)]), report('two', { policies: [audited] }, LATER, [count(2)])];
  const rollout = rolloutOf({ nodes: ['one', 'two'].map(node), enforcements, policies: [object('web', 2)] }, NOW);
  assert.equal(rollout.isComplete, false);
  assert.equal(rolloutText(rollout, PLAIN_STYLE).slice(rolloutText(rollout, PLAIN_STYLE).indexOf('POLICY')), `POLICY                  GENERATION  IN FORCE      SINCE
NetworkPolicy shop/web  2           0 of 2 nodes
  one: audited: judged, and not enforced
  two: audited: judged, and not enforced

AUDITED, NOT ENFORCED  NODES  JUDGED  WOULD REFUSE  SINCE
shop                   2      20      3             2026-01-01T00:00:00Z
  ingress shop/job -> shop/web TCP/8080 (2)
  ingress shop/job -> shop/web TCP/8080 (1)
`);
});

test('what no flow tells of is told, node by node, and where all is told nothing is', () => {
  const enforcements = [report('all-told', {}), report('lost', {}, LATER, [], { ledgerFull: 100, spoolFull: 20, unwritten: 3, refused: 4 }), report('refused', {}, LATER, [], { ...NO_LOSSES, refused: 7 })];
  const rollout = rolloutOf({ nodes: ['all-told', 'lost', 'old-agent', 'refused'].map(node), enforcements, policies: [] }, NOW);
  assert.equal(rolloutText(rollout, PLAIN_STYLE), `NODE       AGENT     ENFORCING  VERSION  REPORTED
all-told   ready     yes        0.1.0    2026-01-01T00:00:00Z
lost       ready     yes        0.1.0    2026-01-01T00:00:00Z
old-agent  no agent  ?
refused    ready     yes        0.1.0    2026-01-01T00:00:00Z
  lost: judgments of which no flow tells, since 2026-01-01T00:00:00Z: 100 the kernel had no room for, 20 the disk had no room for while the server of flows was away, 3 the disk did not take, 4 the server of flows refused
  refused: judgments of which no flow tells, since 2026-01-01T00:00:00Z: 7 the server of flows refused

the cluster has no policies
`);
  assert.deepEqual(JSON.parse(rolloutJson(rollout)).nodes.map(({ losses }: { readonly losses?: object }) => losses), [undefined, { since: '2026-01-01T00:00:00Z', ledgerFull: 100, spoolFull: 20, unwritten: 3, refused: 4 }, undefined, { since: '2026-01-01T00:00:00Z', refused: 7 }]);
});

test('in force everywhere since the last node', () => {
  const later = policy('web', { inForceSince: new Date(Date.UTC(2026, 0, 1, 0, 0, 40)) });
  const given = { nodes: [node('a'), node('b')], enforcements: [report('a', { policies: [policy('web')] }), report('b', { policies: [later] })], policies: [object('web', 1)] };
  const rollout = rolloutOf(given, NOW);
  assert.ok(rollout.isComplete);
  assert.match(rolloutText(rollout, PLAIN_STYLE), /NetworkPolicy shop\/web {2}1 {11}2 of 2 nodes {2}2026-01-01T00:00:40Z\n$/);
  const remade = { ...object('web', 1), metadata: { ...object('web', 1).metadata, uid: 'another' } };
  assert.equal(rolloutOf({ ...given, policies: [remade] }, NOW).policies[0]!.nodes[0]!.standing, 'pending', 'a policy made anew is another one');
});

test('a policy beyond the first thousand of a report is known by its uid', () => {
  const policies = Array.from({ length: 3_000 }, (_, index) => policy(`p${index}`, { inForceSince: new Date(Date.UTC(2026, 0, 1, 0, 0, index % 50)) }));
  const objects = policies.map(({ name }) => object(name, 1));
  const rollout = rolloutOf({ nodes: [node('a')], enforcements: [report('a', { policies })], policies: objects }, NOW);
  assert.ok(rollout.isComplete);
  for (const { name, nodes } of rollout.policies) assert.equal(nodes[0]!.since, `2026-01-01T00:00:${String(Number(name.slice(1)) % 50).padStart(2, '0')}Z`, name);
});

test('what an agent of another version reports does not break the reader', () => {
  const odd = { ...report('a', {}), status: { reportedAt: '2026-01-01T00:00:00Z', nextReportBefore: '2026-01-01T01:00:00Z', ready: true, invented: [1] } };
  const { nodes, policies } = rolloutOf({ nodes: [node('a')], enforcements: [odd], policies: [object('web', 1)] }, NOW);
  assert.deepEqual([nodes[0]!.standing, policies[0]!.nodes[0]!.standing], ['ready', 'pending']);
});

test('a cluster is read, and read on as it changes', async () => {
  const cluster = new FakeCluster();
  cluster.serve(NODE_ENFORCEMENT);
  cluster.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } });
  const stop = new AbortController();
  const read: string[] = [];
  for await (const objects of watchRollout(cluster, stop.signal)) {
    const { nodes, isComplete } = rolloutOf(objects, NOW);
    read.push(`${nodes[0]!.standing} ${isComplete}`);
    if (isComplete) break;
    if (objects.enforcements.length === 0) cluster.put(report('a', {}) as never);
  }
  assert.deepEqual([read[0], read.at(-1)], ['no-agent false', 'ready true']);
  cluster.goAway();
  await assert.rejects(async () => {
    for await (const objects of watchRollout(cluster, stop.signal)) void objects;
  }, /cannot be reached/);
});

test('a policy that stands longer than it should is named, in force or not', () => {
  const temporary = (name: string, expires: string): ClusterObject => {
    const plain = object(name, 1);
    return { ...plain, metadata: { ...plain.metadata, annotations: { 'bulkhead.dev/expires': expires } } };
  };
  const policies = [object('always', 1), temporary('later', '2026-01-01T00:02:00.000Z'), temporary('over', '2026-01-01T00:00:30.000Z'), temporary('unreadable', 'tomorrow')];
  const rollout = rolloutOf({ nodes: [node('a')], enforcements: [report('a', { policies: policies.map(({ metadata }) => policy(metadata.name, { generation: 1 })) })], policies }, NOW);
  assert.deepEqual(rollout.policies.map(({ name, overdueSince }) => [name, overdueSince]), [['always', undefined], ['later', undefined], ['over', '2026-01-01T00:00:30.000Z'], ['unreadable', 'tomorrow']]);
  assert.match(rolloutText(rollout, PLAIN_STYLE), /^NetworkPolicy shop\/over .*\n {2}its time is over since 2026-01-01T00:00:30.000Z, and it stands: `bulkhead rollback --expired` takes it back$/m);
});
