// Whatever happens to a cluster and to the way to it: when it is calm again, who follows it holds what its server holds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { ClusterPolicy } from '../../src/model/cluster-policy.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { formatSelector } from '../../src/model/selector.ts';
import { describeCluster, follow, readServer } from './following.ts';
import { calm, randomDay, someTurns, stampEvery, type Happening } from './random-day.ts';

const RUNS = 60;
const RUNS_NIGHTLY = 3000;
/** Who never becomes calm fails. */
const DAYS_MS_MAX = 20_000;

test('after a day of changes and faults the Program is that of the cluster as the server has it', async () => {
  const seed = process.env['BULKHEAD_SEED'];
  const numRuns = process.env['BULKHEAD_NIGHTLY'] === '1' ? RUNS_NIGHTLY : RUNS;
  await fc.assert(
    fc.asyncProperty(fc.array(randomDay, { minLength: 1, maxLength: 3 }), async (days) => live(days)),
    { numRuns, timeout: DAYS_MS_MAX, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  );
});

async function live(days: readonly (readonly Happening[])[]): Promise<void> {
  const cluster = new FakeCluster();
  const follower = follow(cluster);
  for (const [day, happenings] of days.entries()) {
    for (const { act } of happenings) await act(cluster);
    calm(cluster);
    stampEvery(cluster, `day-${day}`);
    await follower.until((seen) => isStamped(seen, `day-${day}`));
    // A telling from the beginning is not in the order of time.
    await someTurns();
    assert.deepEqual(describeCluster(follower.cluster()!), describeCluster(await readServer(cluster)));
  }
  await follower.stop();
}

function isStamped({ namespaces, nodes, pods, policies, clusterPolicies }: Cluster, stamp: string): boolean {
  const isMine = ({ labels }: { readonly labels: ReadonlyMap<string, string> }): boolean => labels.get('stamp') === stamp;
  const selects = (selector: ClusterPolicy['subject']['podSelector']): boolean => formatSelector(selector) === `stamp=${stamp}`;
  return namespaces.some(isMine) && nodes.some(isMine) && pods.some(isMine) && policies.some(({ podSelector }) => selects(podSelector)) && clusterPolicies.some(({ subject }) => selects(subject.namespaceSelector));
}
