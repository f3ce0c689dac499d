// Parts of policies that change nothing, as text and as JSON, with what covers them.
import { locateOrigin, type Origin } from '../../model/origin.ts';
import type { AnyPolicy, PolicyElement, RuleAtom } from '../../prove/policy-elements.ts';
import type { Redundancies, Redundancy } from '../../prove/redundancy.ts';
import { placeOf } from '../findings/finding-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';

export function* redundanciesText({ found, together }: Redundancies, style: Style): Generator<string> {
  for (const redundancy of found) {
    const { element, coveredBy } = redundancy;
    yield `${style.bold(printable(elementText(element)))}  ${style.dim(placeText(element.origin))}\n  ${reasonText(redundancy)}\n`;
    for (const rule of coveredBy) yield `  ${redundancy.reason === 'shadowed' ? 'behind' : 'covered by'} ${coveringText(element, rule, style)}\n`;
  }
  if (found.length === 0) yield 'every policy, rule, peer and port changes something\n';
  else yield together.length === found.length ? `${allOf(found.length)} changes nothing; proved by comparing the policies without ${found.length === 1 ? 'it' : 'all of them'}\n` : `each changes nothing by itself; ${together.length} of the ${found.length} can go together, proved by comparing the policies without them\n`;
}

export function redundanciesJson(redundancies: Redundancies): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Redundancies', redundancies: jsonRedundancies(redundancies) }, undefined, 2)}\n`;
}

export function jsonRedundancies({ found, together }: Redundancies): readonly object[] {
  return found.map((redundancy) => {
    const { element, reason, coveredBy } = redundancy;
    return { ...jsonElement(element), reason, together: together.includes(redundancy), coveredBy: coveredBy.map(jsonRule) };
  });
}

function allOf(count: number): string {
  return count === 1 ? 'it' : `each of these ${count}, and all of them together,`;
}

export function reasonText({ reason, coveredBy }: Redundancy): string {
  switch (reason) {
    case 'selects-nothing':
      return 'changes nothing: the policy selects no pod';
    case 'matches-nothing':
      return 'changes nothing: nobody in these manifests matches it';
    case 'covered':
      return 'changes nothing';
    case 'shadowed':
      return 'changes nothing: other policies decide before it';
    case 'refused':
      return coveredBy.length === 0 ? 'changes nothing: the other ends refuse all of it' : 'changes nothing: the other ends refuse what others do not decide as well';
    case 'allows-everything':
      return 'changes nothing: all would be decided alike without it';
    case 'isolates-nothing-more':
      return 'changes nothing for the pods that are here: other policies isolate them as well; it guards pods that are still to come';
  }
}

export function elementText({ kind, policy, direction, rule, index }: PolicyElement): string {
  const name = policyText(policy);
  if (kind === 'policy') return name;
  const ofRule = `${direction} rule ${rule!.index + 1} of ${name}`;
  return kind === 'rule' ? ofRule : `${kind} ${index! + 1} of ${ofRule}`;
}

function coveringText(element: PolicyElement, covering: RuleAtom, style: Style): string {
  if (covering.rule === element.rule) return `another ${element.kind} of the same rule`;
  return `${printable(ruleText(covering))}  ${style.dim(placeText(covering.rule.origin))}`;
}

function ruleText({ policy, direction, rule }: RuleAtom): string {
  return `${direction} rule ${rule.index + 1} of ${policyText(policy)}`;
}

function policyText(policy: AnyPolicy): string {
  return policy.kind === 'NetworkPolicy' ? `${policy.kind} ${policy.namespace}/${policy.name}` : `${policy.kind} ${policy.name}`;
}

function jsonElement({ kind, policy, direction, rule, index, origin }: PolicyElement): object {
  return {
    part: kind,
    policy: jsonPolicy(policy),
    ...(direction === undefined ? {} : { direction }),
    ...(rule === undefined ? {} : { rule: rule.index }),
    ...(index === undefined ? {} : { index }),
    ...locateOrigin(origin),
  };
}

function jsonRule({ policy, direction, rule }: RuleAtom): object {
  return { policy: jsonPolicy(policy), direction, rule: rule.index, ...locateOrigin(rule.origin) };
}

function jsonPolicy(policy: AnyPolicy): object {
  return { kind: policy.kind, ...(policy.kind === 'NetworkPolicy' && { namespace: policy.namespace }), name: policy.name };
}

export function placeText(origin: Origin): string {
  const { file, range } = locateOrigin(origin);
  return printable(placeOf(file, range));
}
