// The plan of a lab, made before anything exists: which pod lives where, under which address, listening on what.
import { formatIpRange, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import { namesDomains } from '../model/cluster-policy.ts';
import type { Cluster, ClusterNode, Pod } from '../model/cluster.ts';
import { addressInBlock, BLOCK_ADDRESSES_MAX, chooseAddressBlocks, describeMetBlocks, type AddressBlock, type BlockUse } from './address-block.ts';
import { dnsPodsOf, isAddedDnsPod, isDnsService, withDns } from './dns-pod.ts';
import { LabError } from './lab-error.ts';
import { namePods } from './lab-pod-name.ts';
import { planService, type LabService } from './lab-service.ts';
import { chooseOutsideHosts, type OutsideHost, type OutsideHosts } from './outside-host.ts';
import { mentionedPorts, probedPorts, type MentionedPorts, type ProbedPort } from './probed-port.ts';

/** Replicas counted. A namespace takes half a mebibyte and some milliseconds. */
export const PODS_MAX = 1000;

export interface LabOptions {
  /** The families that this host speaks; both unless told. */
  readonly families?: readonly IpFamily[];
  /** Ranges outside the cluster that policies tell apart; each gets a host. */
  readonly outsideRanges?: readonly IpRange[];
  /** Namespaces for one workload at most; more replicas are left out and counted. */
  readonly replicasMax?: number;
  /** Numbers to listen on beside those that policies and pods name. */
  readonly ports?: readonly number[];
}

export interface LabPlan {
  readonly families: readonly IpFamily[];
  /** By index: the pods of `withLabAddresses(cluster, plan)`, one for each replica. */
  readonly pods: readonly LabPod[];
  readonly outside: OutsideHosts;
  /** Pods, then outside hosts: what probes go between. */
  readonly endpoints: readonly LabEndpoint[];
  readonly services: readonly LabService[];
  readonly blocks: readonly AddressBlock[];
  /** The node that the pods live on, and the one of the pods with host network. */
  readonly node: LabNode;
  readonly hostNode: LabNode;
  readonly ports: MentionedPorts;
  /** Indices of the pods that answer names. */
  readonly dnsPods: readonly number[];
  /** The pod that answers names, where the lab added it: left out of tables unless asked. */
  readonly dnsPod: number | undefined;
  /** What clients are told to ask for names. */
  readonly dnsAddresses: readonly IpAddress[];
  readonly replicasLeftOut: number;
  /** Sentences about what this lab could not do as wished. */
  readonly notes: readonly string[];
}

export interface LabPod {
  /** `namespace/name`, distinct. */
  readonly name: string;
  /** Index in the pods of `withDns(cluster)`. */
  readonly sourcePod: number;
  readonly workload: string;
  readonly hostNetwork: boolean;
  /** Of a pod with host network, its node's. */
  readonly addresses: readonly IpAddress[];
  readonly ports: readonly ProbedPort[];
}

export interface LabNode {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
}

/** One end of a probe; `subject` is how a Program knows it. */
export interface LabEndpoint {
  readonly name: string;
  readonly subject: { readonly kind: 'pod'; readonly pod: number } | { readonly kind: 'address'; readonly address: IpAddress };
  readonly addresses: readonly IpAddress[];
  /** Ends of one group are alike for whoever must leave some out: the workload, or the name of an outside host. */
  readonly group: string;
  /** Traffic between ends of one place passes no firewall of the lab. */
  readonly place: string;
  /** What is tried on it. */
  readonly ports: readonly ProbedPort[];
}

/** Adds a DNS pod where the cluster has none. Throws `LabError` when the cluster is too large. */
export function planLab(input: Cluster, options: LabOptions = {}): LabPlan {
  const cluster = withDns(input);
  const families = options.families ?? [4, 6];
  const replicas = listReplicas(cluster, options.replicasMax ?? PODS_MAX);
  if (replicas.shown.length > PODS_MAX) throw tooManyPods(replicas.shown.length, options.replicasMax);
  const blocks = chooseAddressBlocks(cluster, families);
  const node: LabNode = { name: 'node-1', addresses: addressesIn(blocks, 'nodes', 0) };
  const hostNode: LabNode = { name: 'node-2', addresses: addressesIn(blocks, 'nodes', 1) };
  const ports = mentionedPorts(cluster, options.ports);
  const names = namePods(cluster.pods, replicas.shown);
  const pods = replicas.shown.map(({ pod }, index): LabPod => {
    const { namespace, workload, hostNetwork, ports: own } = cluster.pods[pod]!;
    return {
      name: `${namespace}/${names[index]!}`,
      sourcePod: pod,
      workload: `${workload.namespace}/${workload.name} (${workload.kind})`,
      hostNetwork,
      addresses: hostNetwork ? hostNode.addresses : addressesIn(blocks, 'pods', index),
      ports: probedPorts(ports, own),
    };
  });
  const outsideRanges = (options.outsideRanges ?? []).filter(({ family }) => families.includes(family));
  const outside = chooseOutsideHosts(outsideRanges, blocks.map(({ range }) => range));
  const labCluster = splitReplicas(cluster, { pods, node, hostNode, blocks });
  const services = planServices(labCluster, blocks);
  const dnsPods = dnsPodsOf(labCluster);
  const dnsPod = labCluster.pods.findIndex(isAddedDnsPod);
  return {
    families,
    pods,
    outside,
    endpoints: [...pods.map((pod, index) => podEndpoint(pod, index, { node, hostNode })), ...outside.hosts.map((host) => outsideEndpoint(host, ports))],
    services,
    blocks,
    node,
    hostNode,
    ports,
    dnsPods,
    dnsPod: dnsPod < 0 ? undefined : dnsPod,
    dnsAddresses: dnsAddresses(services, pods, dnsPods),
    replicasLeftOut: replicas.leftOut,
    notes: [...describeFamilies(families), ...describeOwnNode(cluster), ...describeNames(cluster), ...describeMetBlocks(blocks), ...describeLeftOut(replicas.leftOut, outside, ports)],
  };
}

/** The cluster as the lab runs it: one pod for each replica, with its address and node, and the lab's Services. Compile this one. */
export function withLabAddresses(cluster: Cluster, plan: LabPlan): Cluster {
  const split = splitReplicas(withDns(cluster), plan);
  const services = split.services.map((service) => {
    const planned = plan.services.find(({ namespace, name }) => namespace === service.namespace && name === service.name);
    return { ...service, clusterIps: planned?.addresses ?? [] };
  });
  return { ...split, services };
}

interface Replica {
  readonly pod: number;
}

function listReplicas(cluster: Cluster, replicasMax: number): { shown: Replica[]; leftOut: number } {
  const shown: Replica[] = [];
  let leftOut = 0;
  for (const [pod, { replicas }] of cluster.pods.entries()) {
    const count = Math.min(replicas, replicasMax);
    leftOut += replicas - count;
    // Beyond the bound the number alone matters, which may be absurd: `replicas: 2147483647`.
    for (let index = 0; index < count && shown.length <= PODS_MAX; index++) shown.push({ pod });
  }
  return { shown, leftOut };
}

function tooManyPods(count: number, replicasMax: number | undefined): LabError {
  const help = replicasMax === 1 ? 'give it fewer manifests' : 'lower it with `--replicas 1`, which runs one pod of each workload';
  return new LabError('too-many-pods', `the manifests make ${count > PODS_MAX ? `more than ${PODS_MAX}` : count} pods, and a lab runs at most ${PODS_MAX}`, { help });
}

function addressesIn(blocks: readonly AddressBlock[], use: BlockUse, index: number): IpAddress[] {
  if (index >= BLOCK_ADDRESSES_MAX) {
    throw new LabError('no-addresses-left', `more than ${BLOCK_ADDRESSES_MAX} ${use} need an address in the lab`);
  }
  return blocks.filter((block) => block.use === use).map((block) => addressInBlock(block, index));
}

type Placement = Pick<LabPlan, 'pods' | 'node' | 'hostNode' | 'blocks'>;

function splitReplicas(cluster: Cluster, { pods, node, hostNode, blocks }: Placement): Cluster {
  const podRanges = blocks.filter(({ use }) => use === 'pods').map(({ range }) => range);
  const clusterNode = ({ name, addresses }: LabNode, ranges: readonly IpRange[]): ClusterNode => ({
    name,
    labels: new Map([['kubernetes.io/hostname', name]]),
    addresses,
    podRanges: ranges,
  });
  return {
    ...cluster,
    pods: pods.map(({ name, sourcePod, addresses, hostNetwork }): Pod => ({
      ...cluster.pods[sourcePod]!,
      name: name.slice(name.indexOf('/') + 1),
      replicas: 1,
      addresses,
      nodeName: hostNetwork ? hostNode.name : node.name,
    })),
    nodes: [clusterNode(node, podRanges), clusterNode(hostNode, [])],
    podRanges,
  };
}

function planServices(cluster: Cluster, blocks: readonly AddressBlock[]): LabService[] {
  let count = 0;
  return cluster.services
    .filter((service) => service.type !== 'ExternalName')
    .map((service) => planService(cluster, service, service.isHeadless ? [] : addressesIn(blocks, 'services', count++)));
}

function podEndpoint(pod: LabPod, index: number, { node, hostNode }: Pick<LabPlan, 'node' | 'hostNode'>): LabEndpoint {
  return {
    name: pod.name,
    subject: { kind: 'pod', pod: index },
    addresses: pod.addresses,
    group: pod.workload,
    place: pod.hostNetwork ? hostNode.name : `${node.name}/${pod.name}`,
    ports: pod.ports,
  };
}

function outsideEndpoint({ name, address }: OutsideHost, ports: MentionedPorts): LabEndpoint {
  return { name, subject: { kind: 'address', address }, addresses: [address], group: name, place: 'outside', ports: probedPorts(ports, []) };
}

/** Of a headless Service the pods themselves are asked. */
function dnsAddresses(services: readonly LabService[], pods: readonly LabPod[], dnsPods: readonly number[]): IpAddress[] {
  const service = services.find(({ namespace, name }) => isDnsService({ namespace, name }));
  if (service !== undefined && service.addresses.length > 0) return [...service.addresses];
  return dnsPods.flatMap((pod) => pods[pod]!.addresses).slice(0, NAME_SERVERS_MAX);
}

/** The C library asks no more than three (resolv.conf(5), MAXNS). */
const NAME_SERVERS_MAX = 3;

function describeFamilies(families: readonly IpFamily[]): string[] {
  return ([4, 6] as const).filter((family) => !families.includes(family)).map((family) => `IPv${family} is neither run nor tried`);
}

/** Nothing listens on the lab's node, so nothing that its tables show depends on it. */
function describeOwnNode({ clusterPolicies }: Cluster): string[] {
  if (!clusterPolicies.some(({ egress }) => egress.length > 0)) return [];
  return ['what pods send to the node they run on is not judged here; on a real node the egress rules of cluster-wide policies judge it'];
}

/** Nobody here knows what a name outside leads to. */
function describeNames({ clusterPolicies }: Cluster): string[] {
  const policies = clusterPolicies.filter(namesDomains).map(({ name }) => name);
  if (policies.length === 0) return [];
  return [`names of domains lead nowhere here: what ${policies.slice(0, RANGES_SHOWN_MAX).join(', ')}${policies.length > RANGES_SHOWN_MAX ? ', …' : ''} accept${policies.length === 1 ? 's' : ''} by name is neither open nor tried`];
}

function describeLeftOut(replicasLeftOut: number, outside: OutsideHosts, ports: MentionedPorts): string[] {
  const notes: string[] = [];
  if (replicasLeftOut > 0) notes.push(replicasLeftOut === 1 ? '1 further replica is not run' : `${replicasLeftOut} further replicas are not run`);
  const byReason = Map.groupBy(outside.leftOut, ({ reason }) => reason);
  for (const [reason, ranges] of byReason) {
    const shown = `${ranges.slice(0, RANGES_SHOWN_MAX).map(({ range }) => formatIpRange(range)).join(', ')}${ranges.length > RANGES_SHOWN_MAX ? ', …' : ''}`;
    notes.push(`${ranges.length === 1 ? '1 address range has' : `${ranges.length} address ranges have`} no host: ${reason} (${shown})`);
  }
  if (ports.leftOut > 0) notes.push(ports.leftOut === 1 ? '1 further port that policies name is not tried' : `${ports.leftOut} further ports that policies name are not tried`);
  return notes;
}

const RANGES_SHOWN_MAX = 3;
