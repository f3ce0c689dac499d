// Why a part of a policy changes nothing, gathered from the cells in which it was looked for.
import { ALL_PORTS, intersectPorts, subtractPorts, type PortSet } from '../base/port-set.ts';
import { decideTier, type TierDecision, type TierMatches } from '../compile/tier-decision.ts';
import type { AtomPorts, CellRules } from './cell-verdict.ts';
import type { AnyRule, RuleAtom, SplitCluster } from './policy-elements.ts';
import type { TouchedCell } from './removal-search.ts';

/**
 * `matches-nothing`: it meets nobody, or on no port. `shadowed`: other policies decide before it. `covered`: others decide
 * the same. `refused`: the other ends refuse all of it that others do not decide as well. `allows-everything`: nothing
 * else would be decided without it. `isolates-nothing-more`: a policy without rules, whose pods others isolate.
 */
export type RemovalReason = 'matches-nothing' | 'shadowed' | 'covered' | 'refused' | 'allows-everything' | 'isolates-nothing-more';

/** Rules named for one element. */
const COVERING_MAX = 3;

/** A layer of rules that speak of a cell, and the ports left to it. */
interface LayerRules {
  readonly rules: readonly AtomPorts[];
  /** Those of `rules` that decide, with what they decide. */
  readonly deciding: readonly AtomPorts[];
  /** What was decided before. */
  readonly above: readonly AtomPorts[];
}

export class RemovalWitness {
  private readonly split: SplitCluster;
  private readonly own: ReadonlySet<number>;
  /** One for each rule as written. */
  private readonly covering = new Map<AnyRule, RuleAtom>();
  private readonly shadowing = new Map<AnyRule, RuleAtom>();
  private isMatching = false;
  private isDeciding = false;
  private isRefused = false;

  /** `own`: ids of the element's atoms. */
  constructor(split: SplitCluster, own: ReadonlySet<number>) {
    this.split = split;
    this.own = own;
  }

  see({ rules, outcome }: TouchedCell): void {
    if (outcome === 'refused') this.isRefused = true;
    if (outcome === 'nobody-there') return;
    for (const layer of this.layersOf(rules)) this.seeLayer(layer, outcome === 'alike');
  }

  explain(): { readonly reason: RemovalReason; readonly coveredBy: readonly RuleAtom[] } {
    if (this.own.size === 0) return { reason: 'isolates-nothing-more', coveredBy: [] };
    if (!this.isMatching) return { reason: 'matches-nothing', coveredBy: [] };
    if (!this.isDeciding) return { reason: 'shadowed', coveredBy: [...this.shadowing.values()] };
    const coveredBy = [...this.covering.values()];
    if (this.isRefused) return { reason: 'refused', coveredBy };
    return { reason: coveredBy.length > 0 ? 'covered' : 'allows-everything', coveredBy };
  }

  private *layersOf({ admin, allowing, isolating, baseline }: CellRules): Generator<LayerRules> {
    const ofAdmin = this.tierLayer(admin, ALL_PORTS, []);
    yield ofAdmin;
    const above = ofAdmin.deciding.filter(({ atom }) => 'action' in atom.rule && atom.rule.action !== 'Pass');
    const rest = above.reduce((ports, one) => subtractPorts(ports, one.ports), ALL_PORTS);
    yield { rules: allowing, deciding: withinPorts(allowing, rest), above };
    yield this.tierLayer(baseline, isolating.length > 0 ? [] : rest, isolating.length > 0 ? allowing : above);
  }

  private tierLayer(matches: TierMatches, ports: PortSet, above: readonly AtomPorts[]): LayerRules {
    return { rules: this.placed(matches.flat(2)), deciding: this.placed(decideTier(matches, ports)), above };
  }

  private placed(decisions: readonly TierDecision[]): AtomPorts[] {
    return decisions.map(({ rule, ports }) => ({ atom: this.split.atomOfRule.get(rule)!, ports }));
  }

  private seeLayer({ rules, deciding, above }: LayerRules, isAlike: boolean): void {
    const isOwn = ({ atom }: AtomPorts): boolean => this.own.has(atom.id);
    for (const own of rules.filter(isOwn)) {
      this.isMatching = true;
      note(this.shadowing, own, [...above, ...deciding.filter((one) => !isOwn(one))]);
    }
    for (const own of deciding.filter(isOwn)) {
      this.isDeciding = true;
      if (isAlike) note(this.covering, own, rules.filter((one) => !isOwn(one) && hasSameAction(one.atom, own.atom)));
    }
  }
}

function withinPorts(rules: readonly AtomPorts[], ports: PortSet): AtomPorts[] {
  return rules.map((one) => ({ ...one, ports: intersectPorts(one.ports, ports) })).filter((one) => one.ports.length > 0);
}

function hasSameAction(a: RuleAtom, b: RuleAtom): boolean {
  return ('action' in a.rule ? a.rule.action : undefined) === ('action' in b.rule ? b.rule.action : undefined);
}

function note(known: Map<AnyRule, RuleAtom>, own: AtomPorts, others: readonly AtomPorts[]): void {
  for (const { atom, ports } of others) {
    if (known.size >= COVERING_MAX) return;
    if (!known.has(atom.rule) && intersectPorts(ports, own.ports).length > 0) known.set(atom.rule, atom);
  }
}
