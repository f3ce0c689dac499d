// The pods that are to be probed as the API server has them now: who is there, where, and who has gone since the cluster was read.
import { parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { Cluster } from '../model/cluster.ts';
import type { ClusterApi, ServedKind, StoredObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { ProbedPod } from './connection-probe.ts';

export interface LivePod {
  readonly place: ProbedPod;
  readonly node: string;
  readonly addresses: readonly IpAddress[];
  /** Of its containers that run. */
  readonly containers: readonly string[];
}

export interface LivePods {
  /** By index of `cluster.pods`. */
  readonly pods: ReadonlyMap<number, LivePod>;
  /** Why others are left out, in sentences. */
  readonly notes: readonly string[];
}

/** Requests under way at the same time. */
const REQUESTS_AT_ONCE = 8;

const POD: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };

/** Takes the verb get on pods. Fails with ClusterError. */
export async function readLivePods(api: Pick<ClusterApi, 'get'>, cluster: Cluster, indices: readonly number[]): Promise<LivePods> {
  const pods = new Map<number, LivePod>();
  const notes: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < indices.length) {
      const index = indices[next++]!;
      const { namespace, name } = cluster.pods[index]!;
      const found = await readPod(api, namespace, name);
      if (typeof found === 'string') notes.push(`${namespace}/${name} is left out: ${found}`);
      else pods.set(index, found);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, work));
  return { pods, notes: notes.sort() };
}

/** core/v1, as far as it is read. */
interface PodFields {
  readonly spec: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status: { readonly phase?: string; readonly podIPs?: readonly { readonly ip: string }[]; readonly containerStatuses?: readonly { readonly name: string; readonly state?: { readonly running?: object } }[] };
}

async function readPod(api: Pick<ClusterApi, 'get'>, namespace: string, name: string): Promise<LivePod | string> {
  let stored: StoredObject;
  try {
    stored = await api.get({ served: POD, namespace, name });
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'not-found') return 'it has gone meanwhile';
    throw error;
  }
  const { spec = {}, status = {} } = stored as unknown as Partial<PodFields>;
  if (stored.metadata['deletionTimestamp'] !== undefined) return 'it is being deleted';
  if (spec.hostNetwork === true) return 'it shares the network of its node, which no policy of pods governs';
  if (status.phase !== 'Running' || spec.nodeName === undefined) return `it does not run (${status.phase ?? 'no phase'})`;
  const containers = (status.containerStatuses ?? []).filter(({ state }) => state?.running !== undefined);
  return {
    place: { namespace, name, uid: stored.metadata.uid ?? '' },
    node: spec.nodeName,
    addresses: (status.podIPs ?? []).flatMap(({ ip }) => parseIpAddress(ip) ?? []),
    containers: containers.map((container) => container.name),
  };
}
