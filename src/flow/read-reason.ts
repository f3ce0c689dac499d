// The reason of a recorded flow, as it was written beside it.
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { FlowReason, NearMiss, PolicyName, RuleName, SideReason } from './flow-record.ts';
import { countAt, itemsAt, looseObject, objectAt, textAt, textsAt, type LooseObject } from './loose-json.ts';

/** undefined: none is written, or another tool's, which knows policies and no rules. */
export function readReason(flow: LooseObject): FlowReason | undefined {
  const rule = objectAt(flow, 'rule');
  const sides = DIRECTIONS.map((direction) => readSide(objectAt(rule, direction)));
  const [ingress, egress] = sides;
  return ingress === undefined || egress === undefined ? undefined : { ingress, egress };
}

const VERDICTS: readonly SideReason['verdict'][] = ['allows', 'refuses', 'not-judged'];

function readSide(side: LooseObject | undefined): SideReason | undefined {
  const verdict = VERDICTS.find((word) => word === textAt(side, 'verdict'));
  if (verdict === undefined) return undefined;
  return { verdict, rules: rulesAt(side, 'rules'), isolatedBy: policiesAt(side, 'isolated_by'), nearMiss: readMiss(objectAt(side, 'near_miss')) };
}

function policiesAt(object: LooseObject | undefined, name: string): readonly PolicyName[] {
  return itemsAt(object, name).flatMap((item) => readName(looseObject(item)) ?? []);
}

function rulesAt(object: LooseObject | undefined, name: string): readonly RuleName[] {
  return itemsAt(object, name).flatMap((item): readonly RuleName[] => {
    const named = readName(looseObject(item));
    const index = countAt(looseObject(item), 'index');
    return named === undefined || index === undefined ? [] : [{ ...named, index }];
  });
}

function readName(object: LooseObject | undefined): PolicyName | undefined {
  const [kind, name] = [textAt(object, 'kind'), textAt(object, 'name')];
  return kind === undefined || name === undefined ? undefined : { kind, namespace: textAt(object, 'namespace') ?? '', name };
}

function readMiss(object: LooseObject | undefined): NearMiss | undefined {
  const named = readName(object);
  return named === undefined ? undefined : { ...named, index: countAt(object, 'index'), says: textsAt(object, 'says') };
}

/** Hubble's words for the policies of a side that decided. */
export function hubbleWord(direction: Direction, verdict: SideReason['verdict']): string {
  return `${direction}_${verdict === 'refuses' ? 'denied' : 'allowed'}_by`;
}
