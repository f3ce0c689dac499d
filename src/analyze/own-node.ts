// Traffic between a pod and the host network of the node it runs on: NetworkPolicy lets all of it pass, cluster-wide policies judge what goes to the node.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { portsOfTiers } from '../compile/tier-ports.ts';
import { FAMILIES, quadOfGroup, type Quad } from './endpoint.ts';
import type { PlacedEndpoint } from './endpoints.ts';

interface Placed {
  readonly hostNetwork: boolean;
  readonly nodeName: string | undefined;
}

/** Semantics, "Resident node". Without a known node the two are taken to be on different ones. */
export function isOwnNode(a: Placed, b: Placed): boolean {
  return (a.hostNetwork || b.hostNetwork) && a.nodeName !== undefined && a.nodeName === b.nodeName;
}

/** Two ends of one node, one of them on its host network. */
export interface OwnNodePair {
  readonly source: Quad;
  readonly target: Quad;
  /** Whether it is the source that is on the host network. */
  readonly isFromHost: boolean;
  /** undefined: any that both have. */
  readonly family?: IpFamily | undefined;
}

/**
 * Port set id. No ingress peer can select a node, and nothing governs the host network, so that only a pod's egress is
 * judged. Never less than policies let through between two such ends that do not share a node.
 */
export function portsOnOwnNode({ cluster, egress, portSets }: Program, { source, target, isFromHost, family }: OwnNodePair): number {
  const common = (family === undefined ? FAMILIES : [family]).filter((candidate) => source.families.includes(candidate) && target.families.includes(candidate));
  if (isFromHost || cluster.clusterPolicies.length === 0) return common.length === 0 ? NO_PORTS_ID : ALL_PORTS_ID;
  return common.reduce((ports, candidate) => {
    const ofFamily = portsOfTiers(egress, { subject: source.egressSubject, peerClass: target.egressClass[candidate] });
    return portSets.union(ports, portSets.intern(ofFamily));
  }, NO_PORTS_ID);
}

/** Of two groups, one of them on the host network. */
export function ownNodePairOf(program: Program, source: number, target: number): OwnNodePair {
  return { source: quadOfGroup(program, source), target: quadOfGroup(program, target), isFromHost: program.groups[source]!.hostNetwork };
}

/** Nodes with pods both on the host network and beside it: nowhere else does it matter who runs where. */
export function sharedNodes(pods: readonly Placed[]): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const { hostNetwork, nodeName } of pods) if (hostNetwork && nodeName !== undefined) hosts.add(nodeName);
  const shared = new Set<string>();
  if (hosts.size === 0) return shared;
  for (const { hostNetwork, nodeName } of pods) if (!hostNetwork && nodeName !== undefined && hosts.has(nodeName)) shared.add(nodeName);
  return shared;
}

/** For a source endpoint, port set ids by those targets of which some pod shares a node with one of its pods through host network; needs known nodes. */
export function ownNodeFinder(program: Program, placed: readonly PlacedEndpoint[]): (source: number) => ReadonlyMap<number, number> {
  const { pods } = program.cluster;
  if (!pods.some((pod) => pod.hostNetwork && pod.nodeName !== undefined)) return () => NOBODY;
  const residents = placed.map(({ podIndices }) => residentsOf(program, podIndices));
  const onNode = new Map<string, Resident[]>();
  for (const [endpoint, list] of residents.entries()) for (const one of list) push(onNode, one.node, { ...one, endpoint });
  const known = new Map<string, number>();
  const portsBetween = (source: number, target: number): number => {
    const key = `${source} ${target}`;
    let ports = known.get(key);
    if (ports === undefined) known.set(key, (ports = portsOnOwnNode(program, ownNodePairOf(program, source, target))));
    return ports;
  };
  return (source) => {
    const result = new Map<number, number>();
    for (const from of residents[source]!) {
      for (const target of onNode.get(from.node)!) {
        if (!from.hostNetwork && !target.hostNetwork) continue;
        // One pod alone has no other of its kind.
        if (target.endpoint === source && target.group === from.group && from.pods === 1) continue;
        const ports = portsBetween(from.group, target.group);
        result.set(target.endpoint, program.portSets.union(result.get(target.endpoint) ?? NO_PORTS_ID, ports));
      }
    }
    return result;
  };
}

const NOBODY: ReadonlyMap<number, number> = new Map();

/** Pods of one group on one node. */
interface Residence {
  readonly node: string;
  readonly group: number;
  readonly hostNetwork: boolean;
  readonly pods: number;
}

interface Resident extends Residence {
  readonly endpoint: number;
}

function residentsOf({ cluster, groupOfPod }: Program, podIndices: readonly number[]): readonly Residence[] {
  const found = new Map<string, Residence>();
  for (const index of podIndices) {
    const { nodeName: node, hostNetwork, replicas } = cluster.pods[index]!;
    if (node === undefined) continue;
    const group = groupOfPod[index]!;
    const key = `${group} ${node}`;
    found.set(key, { node, group, hostNetwork, pods: (found.get(key)?.pods ?? 0) + replicas });
  }
  return [...found.values()];
}

function push(lists: Map<string, Resident[]>, key: string, value: Resident): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
