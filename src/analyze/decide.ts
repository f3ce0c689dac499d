// Whether two ends may talk: yes from the source's egress and yes from the destination's ingress.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS, type PortSet } from '../base/port-set.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { quadOf, type EndpointRef, type Quad } from './endpoint.ts';

/**
 * The ports on which `source` may open connections to `target`.
 * With `family`, over addresses of that family alone; without it, over any family that both have.
 */
export function allowedPorts(program: Program, source: EndpointRef, target: EndpointRef, family?: IpFamily): PortSet {
  if (isNeverJudged(program, source, target)) return ALL_PORTS;
  const ports = allowedBetween(program, { source: quadOf(program, source), target: quadOf(program, target), ...(family && { family }) });
  return program.portSets.portSet(ports);
}

/** A pod and itself, and a pod and what its own node sends or receives through host network. */
export function isNeverJudged(program: Program, source: EndpointRef, target: EndpointRef): boolean {
  if (source.kind !== 'pod' || target.kind !== 'pod') return false;
  const { pods } = program.cluster;
  if (source.pod === target.pod) return pods[source.pod]!.replicas === 1;
  return isOwnNode(pods[source.pod]!, pods[target.pod]!);
}

interface Placed {
  readonly hostNetwork: boolean;
  readonly nodeName: string | undefined;
}

/** Semantics, "Resident node": always allowed both ways. Without a known node the two are taken to be on different ones. */
export function isOwnNode(a: Placed, b: Placed): boolean {
  return (a.hostNetwork || b.hostNetwork) && a.nodeName !== undefined && a.nodeName === b.nodeName;
}

export interface QuadPair {
  readonly source: Quad;
  readonly target: Quad;
  readonly family?: IpFamily;
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

const FAMILIES: readonly IpFamily[] = [4, 6];
