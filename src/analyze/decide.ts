// Whether two ends may talk: yes from the source's egress and yes from the destination's ingress.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS, NO_PORTS, type PortSet } from '../base/port-set.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { FAMILIES, quadOf, type EndpointRef, type Quad } from './endpoint.ts';
import { isOwnNode, ownNodePairOf, portsOnOwnNode, type OwnNodePair } from './own-node.ts';

/**
 * The ports on which `source` may open connections to `target`.
 * With `family`, over addresses of that family alone; without it, over any family that both have.
 */
export function allowedPorts(program: Program, source: EndpointRef, target: EndpointRef, family?: IpFamily): PortSet {
  if (source.kind === 'domain-name') return NO_PORTS;
  const own = ownNodePair(program, source, target);
  if (own !== undefined) return program.portSets.portSet(portsOnOwnNode(program, { ...own, family }));
  if (isNeverJudged(program, source, target)) return ALL_PORTS;
  const ports = allowedBetween(program, { source: quadOf(program, source), target: quadOf(program, target), ...(family && { family }) });
  return program.portSets.portSet(ports);
}

/** A pod and itself; a pod and what its own node sends; and what it sends to its own node, where no policy is cluster-wide. */
export function isNeverJudged(program: Program, source: EndpointRef, target: EndpointRef): boolean {
  if (source.kind !== 'pod' || target.kind !== 'pod') return false;
  const { pods, clusterPolicies } = program.cluster;
  if (source.pod === target.pod && pods[source.pod]!.replicas === 1) return true;
  return (pods[source.pod]!.hostNetwork || clusterPolicies.length === 0) && ownNodePair(program, source, target) !== undefined;
}

/** Two pods of one node, one of them on its host network, between which NetworkPolicy does not judge; else undefined. */
export function ownNodePair(program: Program, source: EndpointRef, target: EndpointRef): OwnNodePair | undefined {
  if (source.kind !== 'pod' || target.kind !== 'pod' || source.pod === target.pod) return undefined;
  const { cluster: { pods }, groupOfPod } = program;
  if (!isOwnNode(pods[source.pod]!, pods[target.pod]!)) return undefined;
  return ownNodePairOf(program, groupOfPod[source.pod]!, groupOfPod[target.pod]!);
}

export interface QuadPair {
  readonly source: Quad;
  readonly target: Quad;
  /** undefined: any that both have. */
  readonly family?: IpFamily | undefined;
}

/** Port set id of what policies let through between two ends. */
export function allowedBetween(program: Program, { source, target, family }: QuadPair): number {
  let ports = NO_PORTS_ID;
  for (const candidate of family === undefined ? FAMILIES : [family]) {
    if (!source.families.includes(candidate) || !target.families.includes(candidate)) continue;
    const byEgress = program.egress.portsOf(source.egressSubject, target.egressClass[candidate]);
    const byIngress = program.ingress.portsOf(target.ingressSubject, source.ingressClass[candidate]);
    ports = program.portSets.union(ports, program.portSets.intersect(byEgress, byIngress));
    if (ports === ALL_PORTS_ID) break;
  }
  return ports;
}
