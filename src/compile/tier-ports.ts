// What a direction lets through where NetworkPolicy does not judge: a pod and its own node, a pod and itself through a Service.
import { ALL_PORTS, subtractPorts, unionPorts, type PortSet } from '../base/port-set.ts';
import type { DirectionProgram } from './program.ts';
import type { TierDecision } from './tier-decision.ts';

export interface TierEnds {
  readonly subject: number;
  readonly peerClass: number;
}

/** The Admin tier first; what it leaves open NetworkPolicy lets through where it isolates, and the Baseline tier judges where not. */
export function portsOfTiers(direction: DirectionProgram, { subject, peerClass }: TierEnds): PortSet {
  if (!direction.isGoverned(subject)) return ALL_PORTS;
  const admin = direction.tierDecisions('Admin', subject, { peerClass, ports: ALL_PORTS });
  const accepted = portsDecided(admin, 'Accept');
  const rest = subtractPorts(subtractPorts(ALL_PORTS, accepted), portsDecided(admin, 'Deny'));
  const denied = direction.isIsolated(subject) ? [] : portsDecided(direction.tierDecisions('Baseline', subject, { peerClass, ports: rest }), 'Deny');
  return unionPorts(accepted, subtractPorts(rest, denied));
}

/** On which one of the decisions takes the action. */
export function portsDecided(decisions: readonly TierDecision[], action: TierDecision['rule']['action']): PortSet {
  return decisions.filter(({ rule }) => rule.action === action).reduce<PortSet>((ports, decision) => unionPorts(ports, decision.ports), []);
}
