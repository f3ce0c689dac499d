// The live truth table against the computed one: it agrees where it should, and disagrees where it must.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import fc from 'fast-check';
import { compileCluster } from '../../src/compile/compile.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { inNamespace } from '../../src/kernel/network-namespace.ts';
import { placementOf } from '../../src/lab/lab-placement.ts';
import { withLabAddresses } from '../../src/lab/lab-plan.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { formatDifference, type TruthTable } from '../../src/probe/compare-verdicts.ts';
import { proveTruthTable } from '../../src/probe/probe.ts';
import { anyPodPeer, blockPeer, cluster, pod, podPeer, policy, rule } from '../lab/example-cluster.ts';
import { endOf, withLab } from '../lab/running-lab.ts';
import { manifestText } from '../clusters/manifests.ts';
import { randomCluster } from '../clusters/random-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';
import { needs } from '../needs.ts';
import { changeTo } from '../kernel/whole-ruleset.ts';

const pods = [
  pod('shop/web', { replicas: 2, ports: ['http:TCP/8080'] }),
  pod('shop/db', { ports: ['TCP/3306', 'SCTP/132'] }),
  pod('evil/mallory'),
  pod('sys/proxy', { hostNetwork: true, ports: ['TCP/10249'] }),
  pod('sys/agent', { hostNetwork: true }),
];
const shop = cluster({
  pods,
  policies: [
    policy('evil/out', { egress: [rule([anyPodPeer()])] }),
    policy('shop/deny', { ingress: [], egress: [] }),
    policy('shop/db', { selector: { app: 'db' }, ingress: [rule([podPeer({ app: 'web' })], ['TCP/3306', 'SCTP/132'])] }),
    policy('shop/web-out', { selector: { app: 'web' }, egress: [rule([podPeer({ app: 'db' })], ['TCP/3306', 'SCTP/132']), rule([], ['UDP/53'])] }),
    policy('shop/web-in', { selector: { app: 'web' }, ingress: [rule([blockPeer('0.0.0.0/0', '10.0.0.0/8'), blockPeer('2001:db8::/32')], ['TCP/http', 'UDP/1000-2000'])] }),
  ],
});

function assertAgrees(table: TruthTable, beside = ''): void {
  assert.ok(table.agrees, `${table.differences.length} of ${table.probed} probes differ${beside}\n${table.differences.slice(0, 20).map(formatDifference).join('\n')}`);
}

test('every protocol, family and kind of end: the kernel does what the Program says', needs('kernel'), async () => {
  await withLab(shop, {}, async ({ plan, program, world }) => {
    const table = await proveTruthTable(program, plan.endpoints, world);
    assertAgrees(table);
    assert.equal(table.unknown, 0);
    for (const evidence of ['reply', 'arrival', 'ledger'] as const) assert.ok(table.byEvidence[evidence] > 0, `no verdict by ${evidence}`);
    const kinds = new Set(table.plan.probes.map(({ protocol, family }) => `${protocol} ${family}`));
    assert.deepEqual([...kinds].sort(), ['SCTP 4', 'SCTP 6', 'TCP 4', 'TCP 6', 'UDP 4', 'UDP 6']);
  });
});

test('without a ledger, silence is taken for a refusal, and the answers are the same', needs('kernel'), async () => {
  await withLab(shop, {}, async ({ plan, program, world }) => {
    const ends = plan.endpoints.slice(0, 4);
    const { prober, namespaces } = world;
    const table = await proveTruthTable(program, ends, { prober, namespaces });
    assertAgrees(table);
    assert.equal(table.byEvidence.ledger, 0);
    assert.ok(table.byEvidence.timeout > 0);
  });
});

test('a host that speaks IPv4 alone', needs('kernel'), async () => {
  await withLab(shop, { families: [4] }, async ({ plan, program, world }) => {
    assert.deepEqual(plan.notes, ['IPv6 is neither run nor tried']);
    assert.ok(plan.outside.hosts.length > 0 && plan.outside.hosts.every(({ address }) => address.family === 4));
    const table = await proveTruthTable(program, plan.endpoints, world);
    assertAgrees(table);
    assert.ok(table.probed > 0 && table.plan.probes.every(({ family }) => family === 4));
  });
});

// The table must be able to disagree: with another policy in the kernel, with none, and where a packet just gets lost.
test('names each pair that another policy in the kernel decides otherwise', needs('kernel'), async () => {
  const opened: Cluster = { ...shop, policies: shop.policies.map((one) => (one.name === 'db' ? policy('shop/db', { selector: { app: 'db' }, ingress: [rule([podPeer({ app: 'web' })], ['TCP/3306', 'TCP/8080'])] }) : one)) };
  await withLab(shop, {}, async ({ plan, program, firewall, world }) => {
    changeTo(firewall, emitRuleset(compileCluster(withLabAddresses(opened, plan)), placementOf(plan)).ruleset);
    const table = await proveTruthTable(program, plan.endpoints, world);
    const wanted = ['shop/web-0', 'shop/web-1'].flatMap((web) =>
      [4, 6].map((family) => `${web} -> shop/db sctp/132 over IPv${family}: expected allowed, seen denied (ledger)`));
    assert.deepEqual(table.differences.map(formatDifference).sort(), wanted.sort());
  });
});

test('sees that everything is open when the table is gone', needs('kernel'), async () => {
  await withLab(shop, {}, async ({ plan, program, firewall, world }) => {
    firewall.remove();
    const { prober, namespaces } = world;
    const table = await proveTruthTable(program, plan.endpoints, { prober, namespaces });
    assert.equal(table.allowed, table.probed);
    assert.ok(table.differences.length > 0 && table.differences.every(({ expected, seen }) => expected === 'denied' && seen.verdict === 'allowed'));
  });
});

test('claims nothing of a packet that got lost without a record', needs('kernel', 'nft'), async () => {
  await withLab(shop, {}, async ({ lab, plan, program, world }) => {
    const input = 'table inet lossy { chain in { type filter hook input priority 0; tcp dport 3306 drop\n }\n}';
    const target = lab.namespaces[endOf(plan, 'shop/db')]!;
    const loaded = inNamespace(target, () => spawnSync('nft', ['-f', '-'], { input, encoding: 'utf8' }));
    assert.equal(loaded.status, 0, loaded.stderr);
    const table = await proveTruthTable(program, plan.endpoints, { ...world, isWanted: ({ protocol, port }) => protocol === 'TCP' && port === 3306 });
    assert.deepEqual(new Set(table.differences.map(({ sourceName, targetName, expected, seen }) => `${sourceName} ${targetName} ${expected} ${seen.verdict} ${seen.evidence}`)), new Set([
      'shop/web-0 shop/db allowed unknown timeout',
      'shop/web-1 shop/db allowed unknown timeout',
    ]));
  });
});

test('a cancelled run ends early and does not agree', needs('kernel'), async () => {
  await withLab(shop, {}, async ({ plan, program, world }) => {
    const table = await proveTruthTable(program, plan.endpoints, { ...world, isCancelled: () => true });
    assert.deepEqual([table.probed, table.agrees], [0, false]);
  });
});

/** Clusters in `npm test`, and in the nightly setting. */
const CLUSTERS = 10;
const CLUSTERS_NIGHTLY = 500;

test('random clusters: every live verdict is the computed one', needs('kernel'), async () => {
  const numRuns = process.env['BULKHEAD_NIGHTLY'] === '1' ? CLUSTERS_NIGHTLY : CLUSTERS;
  const seed = Number(process.env['BULKHEAD_SEED'] ?? Date.now() % 1_000_000_000);
  for (const raw of fc.sample(randomCluster, { numRuns, seed })) {
    await withLab(settleCluster(raw), { replicasMax: 2 }, async ({ plan, program, world }) => {
      const table = await proveTruthTable(program, plan.endpoints, { ...world, probesMax: 20_000 });
      assertAgrees(table, `, seed ${seed}, of\n${manifestText(raw)}`);
    });
  }
});
