// A firewall asked and changed by whole rulesets.
import { elementsOf, rulesetOf } from '../../src/emit/elements.ts';
import { diffElements } from '../../src/emit/plan-change.ts';
import type { Ruleset } from '../../src/emit/ruleset.ts';
import { takesAway } from '../../src/emit/takes-away.ts';
import type { Firewall } from '../../src/kernel/firewall.ts';

export function readRuleset(firewall: Firewall): Ruleset {
  return rulesetOf(firewall.read());
}

export function takenOver(firewall: Firewall): Ruleset | undefined {
  const elements = firewall.takeOver();
  return elements && rulesetOf(elements);
}

export function changeTo(firewall: Firewall, wanted: Ruleset): void {
  const held = firewall.read();
  // Elements, not what they mean: a change that broke off may have left half a pod.
  firewall.apply({ steps: diffElements(held, elementsOf(wanted)), takesAway: takesAway(rulesetOf(held), wanted) });
}
