// What others changed in our sets, in the words of nft: what is put back undoes it.
import { formatElement } from '../../emit/format-ruleset.ts';
import type { ChangeStep } from '../../emit/plan-change.ts';
import { shapeOf } from '../../emit/set-shape.ts';
import { DRIFT_PHRASES_MAX } from '../firewall.ts';

export function describeSteps(steps: readonly ChangeStep[]): string[] {
  const phrases = steps.flatMap(({ set, removed, added }) => [
    ...removed.map((element) => `${set} { ${formatElement(shapeOf(set), element)} } added`),
    ...added.map((element) => `${set} { ${formatElement(shapeOf(set), element)} } removed`),
  ]);
  const more = phrases.length - DRIFT_PHRASES_MAX;
  return more > 0 ? [...phrases.slice(0, DRIFT_PHRASES_MAX), `and ${more} more`] : phrases;
}
