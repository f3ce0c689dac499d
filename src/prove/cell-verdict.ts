// What a subject lets through towards a peer class when parts of its rules are taken to be gone.
import { ALL_PORTS, intersectPorts, NO_PORTS, subtractPorts, unionPorts, type PortSet } from '../base/port-set.ts';
import type { TierAction } from '../model/cluster-policy.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Program } from '../compile/program.ts';
import { decideTier, type TierDecision, type TierMatches } from '../compile/tier-decision.ts';
import type { AnyPolicy, AnyRule, RuleAtom, SplitCluster } from './policy-elements.ts';

/** One subject and one peer class of a direction. */
export interface Cell {
  readonly direction: Direction;
  readonly subject: number;
  readonly peerClass: number;
}

/** All that speaks about the cell. */
export interface CellRules {
  readonly admin: TierMatches;
  readonly baseline: TierMatches;
  readonly allowing: readonly AtomPorts[];
  /** As written; those that isolate. */
  readonly isolating: readonly AnyPolicy[];
}

export interface AtomPorts {
  readonly atom: RuleAtom;
  readonly ports: PortSet;
}

/** What is taken to be gone. */
export interface Removal {
  readonly atoms: ReadonlySet<number>;
  readonly policies: ReadonlySet<AnyPolicy>;
}

export interface CellVerdict {
  readonly ports: PortSet;
  /** Where NetworkPolicy does not judge, which is between a pod and its own node. */
  readonly ownNodePorts: PortSet;
}

export const NOTHING_GONE: Removal = { atoms: new Set(), policies: new Set() };

export function rulesOfCell(program: Program, { atomOfRule, policyOf }: SplitCluster, { direction, subject, peerClass }: Cell): CellRules {
  const side = program[direction];
  return {
    admin: side.tierMatches('Admin', subject, peerClass),
    baseline: side.tierMatches('Baseline', subject, peerClass),
    allowing: side.allowingRules(subject, peerClass, ALL_PORTS).map(({ rule, ports }) => ({ atom: atomOfRule.get(rule)!, ports })),
    isolating: side.policiesOf(subject).map((policy) => policyOf.get(policy)!),
  };
}

/** As `compile` joins its rows, but of what is left. */
export function decideCell({ admin, baseline, allowing, isolating }: CellRules, { atomOfRule }: SplitCluster, gone: Removal): CellVerdict {
  const tierOf = (matches: TierMatches, ports: PortSet): readonly TierDecision[] => decideTier(withoutAtoms(matches, atomOfRule, gone), ports);
  const decided = tierOf(admin, ALL_PORTS);
  const accepted = portsOf(decided, 'Accept');
  const rest = subtractPorts(subtractPorts(ALL_PORTS, accepted), portsOf(decided, 'Deny'));
  if (isolating.some((policy) => !gone.policies.has(policy))) {
    const allowed = allowing.reduce((ports, one) => (gone.atoms.has(one.atom.id) ? ports : unionPorts(ports, one.ports)), NO_PORTS);
    return { ports: unionPorts(accepted, intersectPorts(rest, allowed)), ownNodePorts: unionPorts(accepted, rest) };
  }
  const open = unionPorts(accepted, subtractPorts(rest, portsOf(tierOf(baseline, rest), 'Deny')));
  return { ports: open, ownNodePorts: open };
}

function withoutAtoms(matches: TierMatches, atomOfRule: ReadonlyMap<AnyRule, RuleAtom>, { atoms }: Removal): TierMatches {
  if (atoms.size === 0 || matches.length === 0) return matches;
  return matches.map((level) => level.map((rules) => rules.filter(({ rule }) => !atoms.has(atomOfRule.get(rule)!.id))));
}

function portsOf(decisions: readonly TierDecision[], action: TierAction): PortSet {
  return decisions.reduce((ports, { rule, ports: decided }) => (rule.action === action ? unionPorts(ports, decided) : ports), NO_PORTS);
}
