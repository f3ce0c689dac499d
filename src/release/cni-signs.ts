// What other engines write into the API server about policies they were given: Cilium, OVN-Kubernetes, the AWS VPC CNI. None of them names a generation.
import type { Program } from '../compile/program.ts';
import type { ClusterApi, ServedKind, StoredObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { Judgment } from './judge-release.ts';
import { placeLabel } from './release-object.ts';

/** `yes`: all that it can say speaks for it. `no`: it says that something is not in force. `unclear`: it has not said yet. */
export interface CniSign {
  readonly standing: 'yes' | 'no' | 'unclear';
  /** A clause without a final stop. */
  readonly message: string;
}

export const CILIUM_ENDPOINT: ServedKind = { apiVersion: 'cilium.io/v2', kind: 'CiliumEndpoint', resource: 'ciliumendpoints', isNamespaced: true };
export const POLICY_ENDPOINT: ServedKind = { apiVersion: 'networking.k8s.aws/v1alpha1', kind: 'PolicyEndpoint', resource: 'policyendpoints', isNamespaced: true };

/** Empty where no engine has anything to say of it. Kinds that are not served, or may not be listed, say nothing. */
export async function readCniSigns(api: Pick<ClusterApi, 'get' | 'listWhole'>, { changes, plan }: Pick<Judgment, 'changes' | 'plan'>): Promise<readonly CniSign[]> {
  const isolated = newlyIsolated(plan);
  const written = changes.filter(({ result }) => result !== undefined).map(({ place }) => place);
  const named = written.filter(({ served }) => served.kind === 'NetworkPolicy').map(({ namespace, name }) => `${namespace}/${name}`);
  const wide = written.filter(({ served }) => served.apiVersion === 'policy.networking.k8s.io/v1alpha1');
  const signs = [
    ciliumSign(await listIn(api, CILIUM_ENDPOINT, isolated.map(({ namespace }) => namespace)), isolated),
    awsSign(await listIn(api, POLICY_ENDPOINT, written.flatMap(({ namespace }) => namespace ?? [])), named),
    ovnSign(await Promise.all(wide.map(async (place) => ({ label: placeLabel(place), stored: await api.get(place) })))),
  ];
  return signs.filter((sign) => sign !== undefined);
}

async function listIn(api: Pick<ClusterApi, 'listWhole'>, served: ServedKind, namespaces: readonly string[]): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = [];
  for (const namespace of new Set(namespaces)) {
    try {
      let own: StoredObject[] = [];
      for await (const event of api.listWhole(served, { namespace })) {
        if (event.kind === 'restart') own = [];
        else own.push(event.object);
      }
      found.push(...own);
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'not-found') return []; // nobody serves the kind
      if (!(error instanceof ClusterError) || error.code !== 'forbidden') throw error;
    }
  }
  return found;
}

interface IsolatedPod {
  readonly namespace: string;
  readonly name: string;
  readonly direction: Direction;
}

/** By NetworkPolicies, and not before. */
function newlyIsolated({ before, after }: Judgment['plan']): readonly IsolatedPod[] {
  const isIsolated = (program: Program, direction: Direction, pod: number): boolean => program[direction].isIsolated(program[direction].subjectOfGroup[program.groupOfPod[pod]!]!);
  return after.cluster.pods.flatMap(({ namespace, name, hostNetwork }, pod) =>
    hostNetwork ? [] : DIRECTIONS.filter((direction) => isIsolated(after, direction, pod) && !isIsolated(before, direction, pod)).map((direction) => ({ namespace, name, direction })),
  );
}

/** https://docs.cilium.io/en/stable/network/kubernetes/ciliumendpoint/: one object for each pod; `status.policy` is there only where its agents are told to write it. */
function ciliumSign(endpoints: readonly StoredObject[], isolated: readonly IsolatedPod[]): CniSign | undefined {
  type Policy = Partial<Record<Direction, { readonly enforcing?: unknown }>>;
  const policies = new Map(endpoints.flatMap((endpoint) => {
    const { policy } = (endpoint['status'] ?? {}) as { readonly policy?: Policy };
    return policy === undefined ? [] : [[`${endpoint.metadata.namespace}/${endpoint.metadata.name}`, policy] as const];
  }));
  const told = isolated.filter(({ namespace, name }) => policies.has(`${namespace}/${name}`));
  if (told.length === 0) return undefined;
  const open = told.find(({ namespace, name, direction }) => policies.get(`${namespace}/${name}`)![direction]?.enforcing !== true);
  if (open !== undefined) return { standing: 'no', message: `Cilium says that it does not enforce the ${open.direction} of ${open.namespace}/${open.name} (CiliumEndpoint)` };
  const pods = new Set(told.map(({ namespace, name }) => `${namespace}/${name}`)).size;
  return { standing: 'yes', message: `Cilium says that it enforces on ${pods === 1 ? 'the pod that is' : `all ${pods} pods that are`} newly isolated (CiliumEndpoint), and not by which policy` };
}

/** The controller of Amazon EKS resolves each NetworkPolicy into PolicyEndpoints for its agents (aws/amazon-network-policy-controller-k8s, README and api/v1alpha1), which say nothing back. */
function awsSign(endpoints: readonly StoredObject[], named: readonly string[]): CniSign | undefined {
  if (endpoints.length === 0 || named.length === 0) return undefined;
  const resolved = new Set(endpoints.map((endpoint) => {
    const { policyRef } = (endpoint['spec'] ?? {}) as { readonly policyRef?: { readonly name?: unknown; readonly namespace?: unknown } };
    return `${String(policyRef?.namespace)}/${String(policyRef?.name)}`;
  }));
  const missing = named.find((name) => !resolved.has(name));
  if (missing !== undefined) return { standing: 'unclear', message: `the controller of the AWS VPC CNI has not passed on ${missing} (PolicyEndpoint)` };
  return { standing: 'yes', message: `the controller of the AWS VPC CNI has passed ${named.length === 1 ? 'it' : 'all of them'} on to its agents (PolicyEndpoint), which do not say what they hold` };
}

const ZONE_CONDITION = 'Ready-In-Zone-';

/** Conditions of AdminNetworkPolicies, one for each zone (ovn-org/ovn-kubernetes, controller/admin_network_policy/status.go); a true one stays true through a change that goes well. */
function ovnSign(policies: readonly { readonly label: string; readonly stored: StoredObject }[]): CniSign | undefined {
  const zones = policies.flatMap(({ label, stored }) => {
    const { conditions = [] } = (stored['status'] ?? {}) as { readonly conditions?: readonly { readonly type?: unknown; readonly status?: unknown; readonly message?: unknown }[] };
    return conditions.filter(({ type }) => String(type).startsWith(ZONE_CONDITION)).map(({ type, status, message }) => ({ label, zone: String(type).slice(ZONE_CONDITION.length), isReady: status === 'True', message: String(message) }));
  });
  if (zones.length === 0) return undefined;
  const failed = zones.find(({ isReady }) => !isReady);
  if (failed !== undefined) return { standing: 'no', message: `OVN-Kubernetes says of ${failed.label} in zone ${failed.zone}: ${failed.message}` };
  const silent = policies.find(({ label }) => zones.every((zone) => zone.label !== label));
  if (silent !== undefined) return { standing: 'unclear', message: `OVN-Kubernetes has said nothing of ${silent.label}` };
  const count = new Set(zones.map(({ zone }) => zone)).size;
  return { standing: 'yes', message: `OVN-Kubernetes says that ${count === 1 ? 'the zone' : `${count} zones`} took ${policies.length === 1 ? 'it' : 'them'}, and not in which generation` };
}
