// Why a recorded flow is allowed or refused, in one phrase.
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { policyText, type FlowReason, type NearMiss, type RuleName, type SideReason } from './flow-record.ts';

/** `ingress rule 1 of NetworkPolicy data/db`; a refusal names the direction that refuses, the source's first. */
export function reasonText(reason: FlowReason): string {
  const refusing = SENT_FIRST.find((direction) => reason[direction].verdict === 'refuses');
  if (refusing !== undefined) return refusalText(refusing, reason[refusing]);
  const parts = SENT_FIRST.flatMap((direction) => reason[direction].rules.map((rule) => ruleText(direction, rule)));
  return parts.length === 0 ? 'no policy judges it' : parts.join(', ');
}

/** What the rule that came nearest lacks; undefined: it is no refusal by default. */
export function nearestText(reason: FlowReason): string | undefined {
  const refusing = SENT_FIRST.find((direction) => reason[direction].verdict === 'refuses');
  const miss = refusing === undefined ? undefined : reason[refusing].nearMiss;
  return miss === undefined || refusing === undefined ? undefined : `nearest is ${missText(refusing, miss)}: ${miss.says.join('; ')}`;
}

const SENT_FIRST: readonly Direction[] = DIRECTIONS.toReversed();

function refusalText(direction: Direction, { rules, isolatedBy }: SideReason): string {
  if (rules.length > 0) return `denied by ${rules.map((rule) => ruleText(direction, rule)).join(', ')}`;
  return `no ${direction} rule of ${isolatedBy.map(policyText).join(', ')} allows it`;
}

function ruleText(direction: Direction, rule: RuleName): string {
  return `${direction} rule ${rule.index + 1} of ${policyText(rule)}`;
}

function missText(direction: Direction, miss: NearMiss): string {
  return miss.index === undefined ? policyText(miss) : ruleText(direction, { ...miss, index: miss.index });
}
