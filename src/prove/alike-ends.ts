// Ends that every policy treats alike, with host networks told apart by node: what a search over pairs looks at.
import type { IpFamily } from '../base/ip-address.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Program } from '../compile/program.ts';
import { quadKey, quadOf, quadOfAtom, quadOfDomainName, type Quad } from '../analyze/endpoint.ts';
import { alikeKey } from '../analyze/named-ends.ts';

export interface AlikeEnd {
  readonly quad: Quad;
  /** With replicas; 0 outside. */
  readonly pods: number;
  readonly hostNetwork: boolean;
  /** Of all of them, where something runs on the host network of a node. */
  readonly nodeName: string | undefined;
}

/** By direction, the pods behind a subject and everybody behind a peer class. */
export interface EndIndex {
  readonly bySubject: Readonly<Record<Direction, ReadonlyMap<number, readonly AlikeEnd[]>>>;
  readonly byClass: Readonly<Record<Direction, Readonly<Record<IpFamily, ReadonlyMap<number, readonly AlikeEnd[]>>>>>;
}

export function indexEnds(program: Program): EndIndex {
  const inside = podEnds(program);
  const all = [...inside, ...outsideEnds(program)];
  const classesOf = (direction: Direction, family: IpFamily): ReadonlyMap<number, readonly AlikeEnd[]> =>
    Map.groupBy(all.filter(({ quad }) => quad.families.includes(family)), ({ quad }) => classOf(quad, direction, family));
  return {
    bySubject: ofEach((direction) => Map.groupBy(inside, ({ quad }) => subjectOf(quad, direction))),
    byClass: ofEach((direction) => ({ 4: classesOf(direction, 4), 6: classesOf(direction, 6) })),
  };
}

/** The same question asked of both directions. */
export function ofEach<Value>(valueOf: (direction: Direction) => Value): Readonly<Record<Direction, Value>> {
  return { ingress: valueOf('ingress'), egress: valueOf('egress') };
}

export function subjectOf(quad: Quad, direction: Direction): number {
  return direction === 'ingress' ? quad.ingressSubject : quad.egressSubject;
}

/** As the direction's rules see the end. */
export function classOf(quad: Quad, direction: Direction, family: IpFamily): number {
  return (direction === 'ingress' ? quad.ingressClass : quad.egressClass)[family];
}

function podEnds(program: Program): AlikeEnd[] {
  const { pods } = program.cluster;
  const hosts = new Set(pods.filter(({ hostNetwork }) => hostNetwork).map(({ nodeName }) => nodeName));
  const byKey = Map.groupBy(pods.keys(), alikeKey(program));
  return [...byKey.values()].map((members) => {
    const first = members[0]!;
    const { hostNetwork, nodeName } = pods[first]!;
    const count = members.reduce((sum, pod) => sum + pods[pod]!.replicas, 0);
    return { quad: quadOf(program, { kind: 'pod', pod: first }), pods: count, hostNetwork, nodeName: hosts.has(nodeName) ? nodeName : undefined };
  });
}

function outsideEnds(program: Program): AlikeEnd[] {
  const atoms = program.atoms.flatMap(({ isPodRange }, atom) => (isPodRange ? [] : [quadOfAtom(program, atom)]));
  const names = program.domainNames.map((name) => quadOfDomainName(program, name));
  const alike = new Map([...atoms, ...names].map((quad) => [quadKey(quad), quad]));
  return [...alike.values()].map((quad) => ({ quad, pods: 0, hostNetwork: false, nodeName: undefined }));
}
