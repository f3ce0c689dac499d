// Parts of policies that change nothing, as text and as JSON, with what covers them.
import { locateOrigin, type Origin } from '../model/origin.ts';
import type { PolicyElement } from '../prove/policy-elements.ts';
import type { CoveringRule, Redundancies, Redundancy } from '../prove/redundancy.ts';
import { placeOf } from './finding-text.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';
import { countOf } from './truth-table.ts';

export function* redundanciesText({ found, together, clusterPolicies, notExamined }: Redundancies, style: Style): Generator<string> {
  for (const redundancy of found) {
    const { element, coveredBy } = redundancy;
    yield `${style.bold(printable(elementText(element)))}  ${style.dim(placeText(element.origin))}\n  ${reasonText(redundancy)}\n`;
    for (const rule of coveredBy) yield `  covered by ${coveringText(element, rule, style)}\n`;
  }
  for (const policy of clusterPolicies) yield `${style.bold(printable(`${policy.kind} ${policy.name}`))}  ${style.dim(placeText(policy.origin))}\n  changes nothing\n`;
  if (notExamined > 0) yield `${countOf(notExamined, 'cluster-wide policy')} of more were not examined\n`;
  if (found.length === 0) yield clusterPolicies.length === 0 ? 'every policy, rule, peer and port changes something\n' : '';
  else yield together.length === found.length ? `${allOf(found.length)} changes nothing; proved by comparing the policies without ${found.length === 1 ? 'it' : 'all of them'}\n` : `each changes nothing by itself; ${together.length} of the ${found.length} can go together, proved by comparing the policies without them\n`;
}

export function redundanciesJson({ found, together, clusterPolicies, notExamined }: Redundancies): string {
  const redundancies = found.map((redundancy) => {
    const { element, reason, coveredBy } = redundancy;
    return { ...jsonElement(element), reason, together: together.includes(redundancy), coveredBy: coveredBy.map(jsonRule) };
  });
  const cluster = clusterPolicies.map(({ kind, name, origin }) => ({ kind, name, ...locateOrigin(origin) }));
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Redundancies', redundancies, clusterPolicies: cluster, notExamined }, undefined, 2)}\n`;
}

function allOf(count: number): string {
  return count === 1 ? 'it' : `each of these ${count}, and all of them together,`;
}

function reasonText({ reason }: Redundancy): string {
  switch (reason) {
    case 'selects-nothing':
      return 'changes nothing: the policy selects no pod';
    case 'matches-nothing':
      return 'changes nothing: nobody in these manifests matches it';
    case 'covered':
      return 'changes nothing';
    case 'refused':
      return 'changes nothing: the other ends refuse all that it allows';
    case 'allows-everything':
      return 'changes nothing: it allows whatever would be allowed without it';
    case 'isolates-nothing-more':
      return 'changes nothing for the pods that are here: other policies isolate them as well; it guards pods that are still to come';
  }
}

function elementText({ kind, policy, direction, rule, index }: PolicyElement): string {
  const name = `${policy.kind} ${policy.namespace}/${policy.name}`;
  if (kind === 'policy') return name;
  const ofRule = `${direction} rule ${rule!.index + 1} of ${name}`;
  return kind === 'rule' ? ofRule : `${kind} ${index! + 1} of ${ofRule}`;
}

function coveringText(element: PolicyElement, covering: CoveringRule, style: Style): string {
  if (covering.rule === element.rule) return `another ${element.kind} of the same rule`;
  return `${printable(ruleText(covering))}  ${style.dim(placeText(covering.rule.origin))}`;
}

function ruleText({ policy, direction, rule }: CoveringRule): string {
  return `${direction} rule ${rule.index + 1} of ${policy.kind} ${policy.namespace}/${policy.name}`;
}

function jsonElement({ kind, policy, direction, rule, index, origin }: PolicyElement): object {
  return {
    part: kind,
    policy: { kind: policy.kind, namespace: policy.namespace, name: policy.name },
    ...(direction === undefined ? {} : { direction }),
    ...(rule === undefined ? {} : { rule: rule.index }),
    ...(index === undefined ? {} : { index }),
    ...locateOrigin(origin),
  };
}

function jsonRule({ policy, direction, rule }: CoveringRule): object {
  return { policy: { kind: policy.kind, namespace: policy.namespace, name: policy.name }, direction, rule: rule.index, ...locateOrigin(rule.origin) };
}

function placeText(origin: Origin): string {
  const { file, range } = locateOrigin(origin);
  return printable(placeOf(file, range));
}
