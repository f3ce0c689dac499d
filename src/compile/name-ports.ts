// What rules that name domains let a subject do with one address that an answer gave for names of theirs.
import { ALL_PORTS, subtractPorts, unionPorts, type PortSet } from '../base/port-set.ts';
import type { Tier } from '../model/cluster-policy.ts';
import type { DirectionProgram } from './program.ts';
import { portsDecided } from './tier-ports.ts';
import { decideTier, type TierDecision, type TierMatches } from './tier-decision.ts';

/** `peerClass` is that of the address itself; `nameClasses` those of the patterns that cover the names. */
export interface NamedEnds {
  readonly subject: number;
  readonly peerClass: number;
  readonly nameClasses: readonly number[];
}

/**
 * With what the address is allowed as itself, this is all that rules allow to it: rules that name domains only accept, so
 * they take nothing away, and what stands before them keeps its word.
 */
export function portsOfNames(direction: DirectionProgram, { subject, peerClass, nameClasses }: NamedEnds): PortSet {
  const decide = (tier: Tier, ports: PortSet): readonly TierDecision[] =>
    decideTier(joinMatches([peerClass, ...nameClasses].map((one) => direction.tierMatches(tier, subject, one))), ports);
  const admin = decide('Admin', ALL_PORTS);
  const accepted = portsDecided(admin, 'Accept');
  if (direction.isIsolated(subject)) return accepted;
  const rest = subtractPorts(subtractPorts(ALL_PORTS, accepted), portsDecided(admin, 'Deny'));
  return unionPorts(accepted, subtractPorts(rest, portsDecided(decide('Baseline', rest), 'Deny')));
}

/** Of one subject, so that levels and policies stand at the same places in each: a rule matches what it matches in any of them. */
function joinMatches(all: readonly TierMatches[]): TierMatches {
  return all[0]!.map((level, place) => level.map((_, policy) => joinRules(all.map((matches) => matches[place]![policy]!))));
}

function joinRules(lists: readonly (readonly TierDecision[])[]): readonly TierDecision[] {
  const joined = new Map<number, TierDecision>();
  for (const decision of lists.flat()) {
    const { index } = decision.rule;
    const known = joined.get(index);
    joined.set(index, known === undefined ? decision : { ...known, ports: unionPorts(known.ports, decision.ports) });
  }
  return [...joined.values()].sort((a, b) => a.rule.index - b.rule.index);
}
