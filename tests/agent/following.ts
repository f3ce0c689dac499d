// Follows a cluster with a Program, and says in short what it has come to hold.
import assert from 'node:assert/strict';
import { followCluster } from '../../src/agent/cluster-follower.ts';
import type { ClusterListener, ToldChange } from '../../src/agent/told.ts';
import { LiveProgram } from '../../src/compile/live-program.ts';
import type { ClusterApi } from '../../src/kube/cluster-api.ts';
import type { ClusterError } from '../../src/kube/cluster-error.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { listAll } from '../kube/cluster-cases.ts';
import { formatPod, formatPolicy } from '../read/reading.ts';

export interface Following {
  /** undefined: not everything has been told yet. */
  cluster(): Cluster | undefined;
  /** Kinds whose way is cut, with what is wrong. */
  readonly troubles: ReadonlyMap<string, string>;
  until(isSo: (cluster: Cluster) => boolean): Promise<void>;
  stop(): Promise<void>;
}

export function follow(api: ClusterApi): Following {
  const abort = new AbortController();
  const listener = new ProgramKeeper();
  const done = followCluster({ api, signal: abort.signal, listener, allowsAudit: false });
  return {
    cluster: () => listener.live?.program.cluster,
    troubles: listener.troubles,
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
  readonly troubles = new Map<string, string>();
  #stir = (): void => {};

  begin(cluster: Cluster): void {
    this.live = new LiveProgram(cluster);
    this.#stir();
  }

  change(changes: readonly ToldChange[]): void {
    for (const { change } of changes) this.live!.apply(change);
    this.#stir();
  }

  trouble(kind: string, error: ClusterError | undefined): void {
    if (error === undefined) this.troubles.delete(kind);
    else this.troubles.set(kind, error.code);
    this.#stir();
  }

  stirred(): Promise<void> {
    return new Promise((resolve) => {
      this.#stir = resolve;
    });
  }
}

/** The same objects, read as files are. */
export async function readServer(api: ClusterApi): Promise<Cluster> {
  const { kinds } = await api.discover();
  const read = READ_KINDS.filter((kind) => kinds.some((served) => served.kind === kind));
  const items = (await Promise.all(read.map((kind) => listAll(api, kind)))).flat();
  return readManifests([sourceFromText('cluster', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))]).cluster;
}

const READ_KINDS: readonly string[] = ['Namespace', 'Node', 'Pod', 'NetworkPolicy', 'ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'];

export function describeCluster({ namespaces, nodes, pods, policies, clusterPolicies, podRanges }: Cluster): object {
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
