// The two ends of a connection, as a Program sees them: a subject and a peer class in each direction.
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';

export const FAMILIES: readonly IpFamily[] = [4, 6];

/** `pod` is an index of `cluster.pods`; `address` is an address outside the cluster. */
export type AddressedRef =
  | { readonly kind: 'pod'; readonly pod: number }
  | { readonly kind: 'address'; readonly address: IpAddress };

/** `name`: something outside whose addresses nobody knows, `*.x` for all names below x; lower case, without a last dot. Never a source. */
export type EndpointRef = AddressedRef | { readonly kind: 'domain-name'; readonly name: string };

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

/** What a name leads to is outside; over which families nobody knows. */
export function quadOfDomainName(program: Program, name: string): Quad {
  const index = placeOfDomainName(program, name);
  const classOf = ({ classOfDomainName }: DirectionProgram): Quad['egressClass'] => ({ 4: classOfDomainName[4][index]!, 6: classOfDomainName[6][index]! });
  return { egressSubject: 0, ingressSubject: 0, egressClass: classOf(program.egress), ingressClass: classOf(program.ingress), families: FAMILIES };
}

/** A name that no policy names is as the longest pattern that covers it, for the same patterns cover both. */
function placeOfDomainName({ domainNames }: Program, name: string): number {
  const own = domainNames.indexOf(name);
  if (own >= 0) return own;
  const covering = domainNames.filter((pattern) => pattern.startsWith('*.') && name.endsWith(pattern.slice(1)));
  if (covering.length === 0) return domainNames.length;
  return domainNames.indexOf(covering.reduce((a, b) => (b.length > a.length ? b : a)));
}

export function quadOf(program: Program, endpoint: EndpointRef): Quad {
  switch (endpoint.kind) {
    case 'pod':
      return quadOfGroup(program, program.groupOfPod[endpoint.pod]!);
    case 'address':
      return quadOfAtom(program, program.findAtom(endpoint.address));
    case 'domain-name':
      return quadOfDomainName(program, endpoint.name);
  }
}

/** Equal numbers: ends that every policy treats alike. */
export function quadNumbers({ egressSubject, ingressSubject, egressClass, ingressClass, families }: Quad): readonly number[] {
  return [egressSubject, ingressSubject, egressClass[4], egressClass[6], ingressClass[4], ingressClass[6], familyBits(families)];
}

/** 1 for IPv4, 2 for IPv6. */
export function familyBits(families: readonly IpFamily[]): number {
  return (families.includes(4) ? 1 : 0) + (families.includes(6) ? 2 : 0);
}

/** Equal texts: ends that every policy treats alike. */
export function quadKey(quad: Quad): string {
  const { egressClass, ingressClass } = quad;
  return `${quad.egressSubject} ${quad.ingressSubject} ${egressClass[4]} ${egressClass[6]} ${ingressClass[4]} ${ingressClass[6]} ${quad.families.join('')}`;
}
