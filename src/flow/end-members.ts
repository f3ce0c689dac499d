// What stands behind the ends of flows, and the few pairs of it that stand for all: pods that policies treat alike, and whether they share a node with the other end.
import type { EndpointRef } from '../analyze/endpoint.ts';
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import type { FlowEnd } from './flow-record.ts';

/** Pods of one end that policies treat alike, or an address. */
export type EndMember =
  | { readonly kind: 'pods'; readonly pods: readonly number[]; readonly families: readonly IpFamily[]; readonly hostNetwork: boolean }
  /** `isOwnNode`: of the node on which the other end runs. */
  | { readonly kind: 'address'; readonly address: IpAddress; readonly isOwnNode: boolean };

export interface MemberPair {
  readonly source: EndpointRef;
  readonly target: EndpointRef;
  /** One is an address of the node on which the other, a pod, runs. */
  readonly isOnOwnNode: boolean;
}

/** `pods` are those that the end is. */
export function membersOf({ groupOfPod, groups }: Program, end: FlowEnd, pods: readonly number[]): readonly EndMember[] {
  if (pods.length > 0) return [...Map.groupBy(pods, (pod) => groupOfPod[pod]!)].map(([group, alike]) => ({ kind: 'pods', pods: alike, families: groups[group]!.families, hostNetwork: groups[group]!.hostNetwork }));
  return end.kind === 'outside' ? [{ kind: 'address', address: end.address, isOwnNode: end.isOwnNode }] : [];
}

/** One that stands for all of the member. */
export function refOf(member: EndMember): EndpointRef {
  return member.kind === 'pods' ? { kind: 'pod', pod: member.pods.at(-1)! } : { kind: 'address', address: member.address };
}

/** Pods that have no address of the family cannot have had the flow, unless none of the end has one. */
export function ofFamily(members: readonly EndMember[], family: IpFamily): readonly EndMember[] {
  if (members.length === 1) return members;
  const able = members.filter((member) => member.kind === 'address' || member.families.includes(family));
  return able.length === 0 ? members : able;
}

/**
 * One pair on two nodes and one on the same, where that makes a difference and there are such. The address of a node that
 * is not said to be the other end's own is judged as any: it may be that of a client whom the node hides.
 */
export function pairsOf({ cluster: { pods } }: Program, source: EndMember, target: EndMember): readonly MemberPair[] {
  if (source.kind === 'address' || target.kind === 'address') return [{ source: refOf(source), target: refOf(target), isOnOwnNode: isToOwnNode(source, target) || isToOwnNode(target, source) }];
  const nodeOf = (pod: number): string | undefined => pods[pod]!.nodeName;
  const pairOf = (from: number, into: number): MemberPair => ({ source: { kind: 'pod', pod: from }, target: { kind: 'pod', pod: into }, isOnOwnNode: false });
  if (source.hostNetwork || target.hostNetwork) return [farPair(nodeOf, source.pods, target.pods), nearPair(nodeOf, source.pods, target.pods)].flatMap((pair) => (pair === undefined ? [] : [pairOf(...pair)]));
  // A workload of several pods that speaks to itself is one pod to another.
  const into = target.pods.at(-1)!;
  const from = source.pods.findLast((pod) => pod !== into);
  return [from === undefined ? pairOf(into, target.pods.find((pod) => pod !== into) ?? into) : pairOf(from, into)];
}

function isToOwnNode(member: EndMember, other: EndMember): boolean {
  return member.kind === 'pods' && other.kind === 'address' && other.isOwnNode;
}

type NodeOf = (pod: number) => string | undefined;
type PodPair = readonly [source: number, target: number];

/** Of whom the node is not known is taken to be on another. */
function farPair(nodeOf: NodeOf, sources: readonly number[], targets: readonly number[]): PodPair | undefined {
  const isFar = (source: number, target: number): boolean => nodeOf(source) === undefined || nodeOf(source) !== nodeOf(target);
  const [first] = targets as [number, ...number[]]; // a member has one at least
  const source = sources.find((pod) => isFar(pod, first));
  if (source !== undefined) return [source, first];
  const target = targets.find((pod) => isFar(sources[0]!, pod));
  return target === undefined ? undefined : [sources[0]!, target];
}

function nearPair(nodeOf: NodeOf, sources: readonly number[], targets: readonly number[]): PodPair | undefined {
  const onNode = new Map(targets.map((pod) => [nodeOf(pod), pod]));
  onNode.delete(undefined);
  const source = sources.find((pod) => onNode.has(nodeOf(pod)));
  return source === undefined ? undefined : [source, onNode.get(nodeOf(source))!];
}
