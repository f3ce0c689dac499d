// Which rules of a tier decide: by priority, then rule by rule, the first that matches; a port on which policies of one priority differ goes to the strictest.
import { intersectPorts, subtractPorts, type PortSet } from '../base/port-set.ts';
import type { ClusterPolicy, TierAction, TierRule } from '../model/cluster-policy.ts';

/** A rule and the ports that it matches, or that it decides. */
export interface TierDecision {
  readonly policy: ClusterPolicy;
  readonly rule: TierRule;
  readonly ports: PortSet;
}

/** For each priority, low numbers first, and each policy of it what its rules match, in order. */
export type TierMatches = readonly (readonly (readonly TierDecision[])[])[];

/** The rules that decide about the ports; ports in none of them the tier leaves to the next. */
export function decideTier(matches: TierMatches, ports: PortSet): readonly TierDecision[] {
  let open = ports;
  return matches.flatMap((level) => {
    const ofLevel = strictestFirst(level.flatMap((rules) => firstMatches(rules, open)), open);
    for (const decision of ofLevel) open = subtractPorts(open, decision.ports);
    return ofLevel;
  });
}

function firstMatches(rules: readonly TierDecision[], ports: PortSet): TierDecision[] {
  let open = ports;
  return rules.flatMap((match) => {
    const decided = { ...match, ports: intersectPorts(match.ports, open) };
    open = subtractPorts(open, decided.ports);
    return decided.ports.length === 0 ? [] : [decided];
  });
}

/** The order among policies of one priority that differ (undefined upstream; see the semantics of equal priorities). */
const STRICTEST_FIRST: readonly TierAction[] = ['Deny', 'Pass', 'Accept'];

function strictestFirst(found: readonly TierDecision[], ports: PortSet): TierDecision[] {
  let open = ports;
  return STRICTEST_FIRST.flatMap((action) => {
    const ofAction = found
      .filter(({ rule }) => rule.action === action)
      .map((decision) => ({ ...decision, ports: intersectPorts(decision.ports, open) }))
      .filter((decision) => decision.ports.length > 0);
    for (const decision of ofAction) open = subtractPorts(open, decision.ports);
    return ofAction;
  });
}
