// The pods that a probe names as they are on this node now: their namespaces and addresses, or why they are not entered.
import { parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { ClusterApi, ServedKind, StoredObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { NamespaceFd } from '../kernel/network-namespace.ts';
import type { PodNetwork } from '../kernel/pod-network.ts';
import type { ProbedPod } from './connection-probe.ts';

export interface FoundPod {
  readonly addresses: readonly IpAddress[];
  /** Of its node. */
  readonly nodeAddresses: readonly IpAddress[];
  /** To be closed. */
  readonly namespace: NamespaceFd | undefined;
  /** Why it is not entered. */
  readonly problem: string | undefined;
}

export interface ProbedNode {
  readonly api: Pick<ClusterApi, 'get'>;
  readonly node: string;
  readonly network: PodNetwork;
}

const POD: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };

/** By uid. Fails with ClusterError. */
export async function findProbedPods({ api, node, network }: ProbedNode, asked: readonly ProbedPod[]): Promise<ReadonlyMap<string, FoundPod>> {
  const distinct = [...new Map(asked.map((pod) => [pod.uid, pod])).values()];
  const looked: FoundPod[] = [];
  for (const pod of distinct) looked.push(await lookAt({ api, node }, pod));
  const namespaces = network.find(looked.map(({ addresses, problem }) => (problem === undefined ? addresses : [])));
  return new Map(looked.map((found, index) => {
    const namespace = namespaces[index];
    const problem = found.problem ?? (namespace === undefined ? 'no network namespace of this node has its addresses' : undefined);
    return [distinct[index]!.uid, { ...found, namespace, problem }];
  }));
}

/** core/v1, as far as it is read. */
interface PodFields {
  readonly spec: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status: { readonly phase?: string; readonly podIPs?: readonly { readonly ip: string }[]; readonly hostIPs?: readonly { readonly ip: string }[] };
}

/** What the API server says of it now, not what the probe says. */
async function lookAt({ api, node }: Pick<ProbedNode, 'api' | 'node'>, { namespace, name, uid }: ProbedPod): Promise<FoundPod> {
  let stored: StoredObject;
  try {
    stored = await api.get({ served: POD, namespace, name });
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'not-found') return notEntered('the pod has gone');
    throw error;
  }
  const { spec = {}, status: { phase, podIPs = [], hostIPs = [] } = {} } = stored as unknown as Partial<PodFields>;
  if (stored.metadata.uid !== uid) return notEntered('another pod has its name now');
  if (spec.nodeName !== node) return notEntered('it is not on this node');
  if (spec.hostNetwork === true) return notEntered('it shares the network of its node');
  if (stored.metadata['deletionTimestamp'] !== undefined) return notEntered('it is being deleted');
  if (phase !== 'Running') return notEntered(`it is ${phase ?? 'not there yet'}`);
  return { addresses: podIPs.flatMap(({ ip }) => parseIpAddress(ip) ?? []), nodeAddresses: hostIPs.flatMap(({ ip }) => parseIpAddress(ip) ?? []), namespace: undefined, problem: undefined };
}

function notEntered(problem: string): FoundPod {
  return { addresses: [], nodeAddresses: [], namespace: undefined, problem };
}
