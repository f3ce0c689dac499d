// Puts what was read together: namespaces that are only mentioned, pods under their topmost controllers, everything sorted.
import { compareText } from '../base/finding.ts';
import { comparePrecedence } from '../model/cluster-policy.ts';
import { compareNames, comparePods } from '../model/cluster-order.ts';
import type { Cluster, ClusterNode, Namespace, Pod, Workload } from '../model/cluster.ts';
import type { EndpointSlice } from '../model/endpoint-slice.ts';
import type { Gathering, LivePod, OwnerReference, WorkloadTemplate } from './objects/gathering.ts';

const METADATA_NAME = 'kubernetes.io/metadata.name';
const TEMPLATE_HASH = 'pod-template-hash';
/** Controllers above a pod that are followed; a longer chain is a circle. */
const OWNERS_MAX = 10;

const NO_KEYS: ReadonlySet<string> = new Set();

export function assembleCluster(gathering: Gathering): Cluster {
  const nodes = [...gathering.nodes].sort((a, b) => compareText(a.name, b.name));
  return {
    namespaces: assembleNamespaces(gathering),
    pods: assemblePods(gathering, nodes),
    services: [...gathering.services].sort(compareNames),
    endpointSlices: assembleSlices(gathering),
    ingresses: [...gathering.ingresses].sort(compareNames),
    ingressClasses: [...gathering.ingressClasses].sort((a, b) => compareText(a.name, b.name)),
    nodes,
    policies: [...gathering.policies].sort(compareNames),
    clusterPolicies: [...gathering.clusterPolicies].sort(comparePrecedence),
    podRanges: [...gathering.settings.podRanges, ...nodes.flatMap(({ podRanges }) => podRanges)],
    unreadObjects: [...gathering.unread.values()].flatMap(({ apiVersion, kind, names }) => [...names].map(([namespace, name]) => ({ apiVersion, kind, namespace, name }))),
  };
}

function assembleNamespaces({ namespaces, mentionedNamespaces }: Gathering): readonly Namespace[] {
  const names = [...new Set([...namespaces.keys(), ...mentionedNamespaces])].sort(compareText);
  return names.map((name) => {
    const read = namespaces.get(name);
    return { name, labels: read?.labels ?? new Map([[METADATA_NAME, name]]), unknownKeys: NO_KEYS, origin: read?.origin };
  });
}

/** A mirror shows what the Endpoints were: those that were read are as new, or newer. */
function assembleSlices({ endpointSlices, endpoints }: Gathering): readonly EndpointSlice[] {
  const isStale = ({ namespace, serviceName }: EndpointSlice): boolean => endpoints.has(`${namespace}/${serviceName}`);
  const own = endpointSlices.flatMap(({ slices, isMirror }) => slices.filter((slice) => !isMirror || !isStale(slice)));
  return [...own, ...[...endpoints.values()].flatMap(({ slices }) => slices)].sort(compareNames);
}

/** Pods that were read take the place of those that their controller's template stands for. */
function assemblePods(gathering: Gathering, nodes: readonly ClusterNode[]): readonly Pod[] {
  const owners = indexOwners(gathering.workloads);
  const workloads = createWorkloadInterner();
  const found = gathering.livePods.map((pod) => ({ ...pod, workload: workloads(workloadOf(pod, owners)) }));
  // Pods made from a template that the files replace would be made anew from it.
  const live = found.filter(({ workload }) => !gathering.changedWorkloads.has(keyOf(workload)));
  const replaced = new Set(live.filter((pod) => !pod.isFinished || pod.workload.kind === 'Job').map(({ workload }) => keyOf(workload)));
  const nodeAddresses = new Map(nodes.map(({ name, addresses }) => [name, addresses]));
  const pods = live.filter(({ isFinished }) => !isFinished).map(({ pod, workload }) => withNode({ ...pod, workload }, nodeAddresses));
  for (const template of gathering.workloads) {
    if (isMadeByAnother(template, owners)) continue;
    const workload = workloads(topmost({ kind: template.kind, namespace: template.namespace, name: template.name }, owners));
    if (replaced.has(keyOf(workload))) continue;
    pods.push(...template.pods.map((pod) => ({ ...pod, workload, replicas: template.kind === 'DaemonSet' ? Math.max(nodes.length, 1) : pod.replicas })));
  }
  return pods.sort(comparePods);
}

/** A hostNetwork pod has the addresses of its node, of each family the first: a node may have an external one behind it. */
function withNode(pod: Pod, nodeAddresses: ReadonlyMap<string, Pod['addresses']>): Pod {
  if (!pod.hostNetwork || pod.addresses.length > 0 || pod.nodeName === undefined) return pod;
  const addresses = nodeAddresses.get(pod.nodeName) ?? [];
  return { ...pod, addresses: addresses.filter(({ family }, index) => addresses.findIndex((other) => other.family === family) === index) };
}

// --- Controllers

/** Of each controller in the input, the one above it. */
type Owners = ReadonlyMap<string, OwnerReference | undefined>;

function indexOwners(workloads: readonly WorkloadTemplate[]): Owners {
  return new Map(workloads.map((workload) => [keyOf(workload), workload.owner]));
}

function keyOf({ kind, namespace, name }: Workload): string {
  return `${kind}/${namespace}/${name}`;
}

function createWorkloadInterner(): (workload: Workload) => Workload {
  const known = new Map<string, Workload>();
  return (workload) => {
    const key = keyOf(workload);
    const first = known.get(key) ?? workload;
    known.set(key, first);
    return first;
  };
}

function workloadOf({ pod, owner }: LivePod, owners: Owners): Workload {
  if (owner === undefined) return pod.workload;
  const controller = { kind: owner.kind, namespace: pod.namespace, name: owner.name };
  if (owners.has(keyOf(controller))) return topmost(controller, owners);
  return topmost(guessAbove(controller, pod, owners) ?? controller, owners);
}

/** Names the controller above one that is not in the input by the way in which controllers name what they make. */
function guessAbove(controller: Workload, pod: Pod, owners: Owners): Workload | undefined {
  const deployment = deploymentOf(controller, pod);
  if (deployment !== undefined || controller.kind !== 'Job') return deployment;
  const cronJob = { ...controller, kind: 'CronJob', name: controller.name.replace(/-[0-9]+$/, '') };
  return owners.has(keyOf(cronJob)) ? cronJob : undefined;
}

/** Of a ReplicaSet, as the Deployment that made it named it: after itself and the hash of the template. */
export function deploymentOf(controller: Workload, { labels }: Pick<Pod, 'labels'>): Workload | undefined {
  const hash = labels.get(TEMPLATE_HASH);
  if (controller.kind !== 'ReplicaSet' || hash === undefined || !controller.name.endsWith(`-${hash}`)) return undefined;
  return { ...controller, kind: 'Deployment', name: controller.name.slice(0, -hash.length - 1) };
}

function topmost(workload: Workload, owners: Owners): Workload {
  let current = workload;
  for (let count = 0; count < OWNERS_MAX; count++) {
    const owner = owners.get(keyOf(current));
    if (owner === undefined) return current;
    current = { kind: owner.kind, namespace: current.namespace, name: owner.name };
  }
  return workload;
}

/** A controller whose own controller was read too: its pods stand in that one's template. */
function isMadeByAnother(template: WorkloadTemplate, owners: Owners): boolean {
  if (template.owner === undefined) return false;
  const above = { kind: template.owner.kind, namespace: template.namespace, name: template.owner.name };
  return owners.has(keyOf(above)) && topmost(template, owners).name !== template.name;
}
