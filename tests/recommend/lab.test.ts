// The recommended policies in a real kernel: the connections that were seen work, and no others.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasPoint, pointOf } from '../../src/base/port-set.ts';
import type { Cluster, Workload } from '../../src/model/cluster.ts';
import { formatDifference, type TruthTable } from '../../src/probe/compare-verdicts.ts';
import { proveTruthTable } from '../../src/probe/probe.ts';
import { parseCidr } from '../../src/read/values/cidr.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import type { Connection, End } from '../../src/recommend/ends/connection.ts';
import { recommend } from '../../src/recommend/recommend.ts';
import { recommendationYaml } from '../../src/report/define/recommendation.ts';
import { withLab, type RunningLab } from '../lab/running-lab.ts';
import { cloneRoot, needs, sharedPath, type Need } from '../needs.ts';

/** Where the lab puts its pods when nothing else stands there; the rules for clients outside leave them out. */
const POD_RANGES = ['10.244.0.0/16', 'fd00:10:244::/56'].map((text) => parseCidr(text)!.range);

const APPLICATIONS: readonly (readonly [name: string, pattern: string, ...needed: Need[]])[] = [
  ['examples/shop', join(cloneRoot, 'examples/shop/*.yaml')],
  ['Online Boutique', sharedPath('data/online-boutique/*.yaml'), 'shared'],
  ['Sock Shop', sharedPath('data/sock-shop/*.yaml'), 'shared'],
];

for (const [name, pattern, ...needed] of APPLICATIONS) {
  test(`${name}: what is seen works, and nothing else`, needs('kernel', ...needed), async () => {
    const files = globSync(pattern).sort().map((file) => sourceFromText(file, readFileSync(file, 'utf8')));
    const { cluster, written } = readManifests(files, { keepsWritten: true, podRanges: POD_RANGES });
    const recommendation = recommend(cluster, written);
    // What is tried is what is printed.
    const printed = sourceFromText('recommended.yaml', [...recommendationYaml(recommendation)].join(''));
    const enforced = readManifests([...files, printed], { podRanges: POD_RANGES }).cluster;
    await withLab(enforced, { replicasMax: 2 }, async (running) => {
      const table = await proveTruthTable(running.program, running.plan.endpoints, running.world);
      assert.ok(table.agrees, table.differences.slice(0, 20).map(formatDifference).join('\n'));
      holdAgainst(table, running, recommendation.connections);
    });
  });
}

/** Each probe between two pods, held against the connections and nothing that was computed from them. */
function holdAgainst(table: TruthTable, { plan, program }: RunningLab, connections: readonly Connection[]): void {
  let works = 0;
  for (const [index, { source, target, protocol, port }] of table.plan.probes.entries()) {
    const [from, to] = [workloadAt(program.cluster, plan, source), workloadAt(program.cluster, plan, target)];
    if (from === undefined || to === undefined || from.namespace === 'kube-system') continue;
    const isSeen = connections.some((connection) => isEnd(connection.source, from) && isEnd(connection.target, to) && hasPoint(connection.ports, pointOf(protocol, port)));
    const text = `${from.namespace}/${from.name} to ${to.namespace}/${to.name} on ${protocol} ${port}`;
    assert.equal(table.seen[index]!.verdict, isSeen ? 'allowed' : 'denied', text);
    if (isSeen) works++;
  }
  assert.ok(works > 0);
}

function workloadAt(cluster: Cluster, plan: RunningLab['plan'], end: number): Workload | undefined {
  const { subject } = plan.endpoints[end]!;
  return subject.kind === 'pod' ? cluster.pods[subject.pod]!.workload : undefined;
}

/** The lab's own DNS pod stands in kube-system. */
function isEnd(end: End, workload: Workload): boolean {
  if (end.kind === 'subject') return end.subject.workloads.some(({ kind, namespace, name }) => kind === workload.kind && namespace === workload.namespace && name === workload.name);
  return end.kind === 'pods' && end.name === 'DNS' && workload.namespace === 'kube-system';
}

