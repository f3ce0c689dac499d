// Which direction refuses a connection, and the policies that do.
import type { RelatedPlace } from '../../base/finding.ts';
import { portSetOf, type Protocol } from '../../base/port-set.ts';
import type { Program } from '../../compile/program.ts';
import { locateOrigin } from '../../model/origin.ts';
import { explain, type DirectionReason } from '../../analyze/explain.ts';
import type { EndpointRef } from '../../analyze/endpoint.ts';

/** Policies named beside a finding. */
export const RELATED_MAX = 3;

export interface Refused {
  readonly source: EndpointRef;
  readonly target: EndpointRef;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface Refusal {
  /** Else the ingress policies of the target refuse. */
  readonly isByEgress: boolean;
  /** The policy that comes first: `` NetworkPolicy `shop/web` ``. */
  readonly policy: string;
  readonly related: readonly RelatedPlace[];
}

export function explainRefusal(program: Program, { source, target, protocol, port }: Refused): Refusal {
  const { egress, ingress } = explain(program, { source, target, ports: portSetOf(protocol, port, port) });
  const isByEgress = ingress.ports.length > 0;
  return { isByEgress, ...refusingPolicies(isByEgress ? egress : ingress) };
}

function refusingPolicies({ isolatedBy, admin, baseline }: DirectionReason): Pick<Refusal, 'policy' | 'related'> {
  const tiers = [...admin, ...baseline].filter(({ rule }) => rule.action === 'Deny').map(({ policy, rule }) => ({ name: `${policy.kind} \`${policy.name}\``, verb: 'denied', origin: rule.origin }));
  const isolating = isolatedBy.map((policy) => ({ name: `NetworkPolicy \`${policy.namespace}/${policy.name}\``, verb: 'isolated', origin: policy.origin }));
  const all = [...tiers, ...isolating];
  return { policy: all[0]?.name ?? 'a policy', related: all.slice(0, RELATED_MAX).map(({ name, verb, origin }) => ({ message: `${verb} by ${name}`, ...locateOrigin(origin) })) };
}
