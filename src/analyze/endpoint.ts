// The two ends of a connection, as a Program sees them: a subject and a peer class in each direction.
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';

/** `pod` is an index of `cluster.pods`; `address` is an address outside the cluster. */
export type EndpointRef =
  | { readonly kind: 'pod'; readonly pod: number }
  | { readonly kind: 'address'; readonly address: IpAddress };

/** All that decides about an end. Classes are by family; of an end with one family both entries are that family's. */
export interface Quad {
  readonly egressSubject: number;
  readonly ingressSubject: number;
  readonly egressClass: Readonly<Record<IpFamily, number>>;
  readonly ingressClass: Readonly<Record<IpFamily, number>>;
  readonly families: readonly IpFamily[];
}

export function quadOfGroup(program: Program, group: number): Quad {
  const { egress, ingress } = program;
  return {
    egressSubject: egress.subjectOfGroup[group]!,
    ingressSubject: ingress.subjectOfGroup[group]!,
    egressClass: { 4: egress.classOfGroup[4][group]!, 6: egress.classOfGroup[6][group]! },
    ingressClass: { 4: ingress.classOfGroup[4][group]!, 6: ingress.classOfGroup[6][group]! },
    families: program.groups[group]!.families,
  };
}

/** Who is outside the cluster has no policy of its own: subject 0. */
export function quadOfAtom(program: Program, atom: number): Quad {
  const egressClass = program.egress.classOfAtom[atom]!;
  const ingressClass = program.ingress.classOfAtom[atom]!;
  return {
    egressSubject: 0,
    ingressSubject: 0,
    egressClass: { 4: egressClass, 6: egressClass },
    ingressClass: { 4: ingressClass, 6: ingressClass },
    families: [program.atoms[atom]!.family],
  };
}

export function quadOf(program: Program, endpoint: EndpointRef): Quad {
  return endpoint.kind === 'pod'
    ? quadOfGroup(program, program.groupOfPod[endpoint.pod]!)
    : quadOfAtom(program, program.findAtom(endpoint.address));
}

/** Equal texts: ends that every policy treats alike. */
export function quadKey(quad: Quad): string {
  const { egressClass, ingressClass } = quad;
  return `${quad.egressSubject} ${quad.ingressSubject} ${egressClass[4]} ${egressClass[6]} ${ingressClass[4]} ${ingressClass[6]} ${quad.families.join('')}`;
}
