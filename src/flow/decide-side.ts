// One direction of a flow, as the kernel of the pod's node judges it.
import type { IpFamily } from '../base/ip-address.ts';
import { hasPoint } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { ownNodePair } from '../analyze/decide.ts';
import { quadOf, type EndpointRef } from '../analyze/endpoint.ts';
import { portsOnOwnNode } from '../analyze/own-node.ts';
import type { Direction } from '../model/network-policy.ts';

export interface AskedFlow {
  readonly source: EndpointRef;
  readonly target: EndpointRef;
  readonly family: IpFamily;
  /** On the line of ports. */
  readonly point: number;
}

/** A pod to itself is never judged; of a workload with several pods, it is one to another. */
export function isSideAllowed(program: Program, flow: AskedFlow, direction: Direction): boolean {
  const { source, target, family, point } = flow;
  if (source.kind === 'pod' && target.kind === 'pod' && source.pod === target.pod && program.cluster.pods[source.pod]!.replicas === 1) return true;
  const own = ownNodePair(program, source, target);
  if (own !== undefined) return direction === 'ingress' || hasPoint(program.portSets.portSet(portsOnOwnNode(program, { ...own, family })), point);
  const { subject, peerClass } = endsOfSide(program, flow, direction);
  return hasPoint(program.portSets.portSet(program[direction].portsOf(subject, peerClass)), point);
}

/** Who is governed, and what the other end is to its rules. */
export function endsOfSide(program: Program, { source, target, family }: AskedFlow, direction: Direction): { readonly subject: number; readonly peerClass: number } {
  const [from, into] = [quadOf(program, source), quadOf(program, target)];
  return direction === 'egress' ? { subject: from.egressSubject, peerClass: into.egressClass[family] } : { subject: into.ingressSubject, peerClass: from.ingressClass[family] };
}
