// Whatever happens to a cluster and to the way to it: when it is calm again, who follows it holds what its server holds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { followCluster } from '../../src/agent/cluster-follower.ts';
import type { ClusterListener, ToldChange } from '../../src/agent/told.ts';
import { LiveProgram } from '../../src/compile/live-program.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { ClusterPolicy } from '../../src/model/cluster-policy.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import { formatSelector } from '../../src/model/selector.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { listAll } from '../kube/cluster-cases.ts';
import { formatPod, formatPolicy } from '../read/reading.ts';
import { calm, randomDay, READ_KINDS, someTurns, stampEvery, type Happening } from './random-day.ts';

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
    assert.deepEqual(describe(follower.cluster()!), describe(await readServer(cluster)));
  }
  await follower.stop();
}

interface Following {
  cluster(): Cluster | undefined;
  until(isSo: (cluster: Cluster) => boolean): Promise<void>;
  stop(): Promise<void>;
}

function follow(api: FakeCluster): Following {
  const abort = new AbortController();
  const listener = new ProgramKeeper();
  const done = followCluster({ api, signal: abort.signal, listener });
  return {
    cluster: () => listener.live?.program.cluster,
    until: async (isSo) => {
      while (listener.live === undefined || !isSo(listener.live.program.cluster)) {
        await Promise.race([done.then(() => assert.fail('the following has ended')), listener.stirred()]);
      }
    },
    stop: async () => {
      abort.abort();
      await done;
    },
  };
}

class ProgramKeeper implements ClusterListener {
  live: LiveProgram | undefined;
  #stir = (): void => {};

  begin(cluster: Cluster): void {
    this.live = new LiveProgram(cluster);
    this.#stir();
  }

  change(changes: readonly ToldChange[]): void {
    for (const { change } of changes) this.live!.apply(change);
    this.#stir();
  }

  trouble(): void {}

  stirred(): Promise<void> {
    return new Promise((resolve) => {
      this.#stir = resolve;
    });
  }
}

function isStamped({ namespaces, nodes, pods, policies, clusterPolicies }: Cluster, stamp: string): boolean {
  const isMine = ({ labels }: { readonly labels: ReadonlyMap<string, string> }): boolean => labels.get('stamp') === stamp;
  const selects = (selector: ClusterPolicy['subject']['podSelector']): boolean => formatSelector(selector) === `stamp=${stamp}`;
  return namespaces.some(isMine) && nodes.some(isMine) && pods.some(isMine) && policies.some(({ podSelector }) => selects(podSelector)) && clusterPolicies.some(({ subject }) => selects(subject.namespaceSelector));
}

/** The same objects, read as files are. */
async function readServer(cluster: FakeCluster): Promise<Cluster> {
  const items = (await Promise.all(READ_KINDS.map((kind) => listAll(cluster, kind)))).flat();
  return readManifests([sourceFromText('cluster', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))]).cluster;
}

function describe({ namespaces, nodes, pods, policies, clusterPolicies, podRanges }: Cluster): object {
  return {
    namespaces: namespaces.map(({ name, labels }) => [name, [...labels].sort()]),
    nodes: nodes.map(({ name, labels, addresses }) => [name, [...labels].sort(), addresses]),
    pods: pods.map(describePod),
    policies: policies.map((policy) => `${policy.namespace}/${policy.name} ${formatPolicy(policy)}`),
    clusterPolicies: clusterPolicies.map((policy) => JSON.stringify(policy, (key, value: unknown) => (key === 'origin' ? undefined : value))),
    podRanges,
  };
}

/** Ports without a name are nothing to a rule. */
function describePod(pod: Pod): string {
  return formatPod({ ...pod, ports: pod.ports.filter(({ name }) => name !== undefined) });
}
