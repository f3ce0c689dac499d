// Why a connection is allowed or not, as text and as JSON: for each direction the policies that isolate and the rules that allow.
import type { Finding } from '../../base/finding.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { PortSet } from '../../base/port-set.ts';
import { locateOrigin, type Origin } from '../../model/origin.ts';
import type { Direction, NetworkPolicy } from '../../model/network-policy.ts';
import type { TierAction } from '../../model/cluster-policy.ts';
import type { RuleReference } from '../../compile/program.ts';
import type { TierDecision } from '../../compile/tier-decision.ts';
import type { DirectionReason, Explanation } from '../../analyze/explain.ts';
import type { RuleMiss } from '../../analyze/near-miss.ts';
import { jsonFinding } from '../findings/finding-json.ts';
import { placeOf } from '../findings/finding-text.ts';
import { jsonPorts } from '../text/port-json.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';

/** An explanation with the words that it answers. */
export interface Answer {
  readonly source: AnswerEnd;
  readonly target: AnswerEnd;
  /** undefined: any port was asked about. */
  readonly asked: PortSet | undefined;
  /** Missing: no family was asked about. */
  readonly family?: IpFamily;
  readonly explanation: Explanation;
  /** Where the engine that enforces the policies departs from it; missing where no engine was named. */
  readonly notes?: readonly Finding[];
}

export interface AnswerEnd {
  readonly name: string;
  readonly isOutside: boolean;
}

export function explanationText({ source, target, asked, family, explanation, notes = [] }: Answer, style: Style): string {
  const { verdict, ports, hasCommonFamily, egress, ingress } = explanation;
  const question = `${printable(source.name)} → ${printable(target.name)}${asked === undefined ? '' : ` on ${formatPorts(asked)}`}${family === undefined ? '' : ` over IPv${family}`}`;
  const which = verdict === 'denied' || (verdict === 'allowed' && asked !== undefined) ? '' : ` on ${formatPorts(ports)}`;
  const paint = verdict === 'denied' ? style.red : verdict === 'allowed' ? style.green : style.yellow;
  return [
    `${style.bold(question)}: ${paint(`${verdict}${which}`)}`,
    ...(hasCommonFamily ? [] : ['  the two have no addresses of one family']),
    ...directionLines('egress', source, egress, style),
    ...directionLines('ingress', target, ingress, style),
    ...notes.map((note) => noteLine(note, style)),
    '',
  ].join('\n');
}

export function explanationsJson(answers: readonly Answer[]): string {
  const document = { apiVersion: 'bulkhead/v1', kind: 'Explanations', explanations: answers.map(jsonExplanation) };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function noteLine({ message, file, range, severity }: Finding, style: Style): string {
  const place = file === undefined ? '' : `  ${style.dim(printable(placeOf(file, range)))}`;
  return `  ${(severity === 'warning' ? style.yellow : style.dim)('engine')}   ${printable(message)}${place}`;
}

function directionLines(direction: Direction, end: AnswerEnd, reason: DirectionReason, style: Style): string[] {
  const head = `  ${style.bold(direction.padEnd(7))}  `;
  const name = printable(end.name);
  if (end.isOutside) return [`${head}${style.green('allows')}   ${name} is outside the cluster: no policy governs it`];
  if (!reason.isJudged) return [`${head}${style.green('allows')}   nothing judges this: host network, the pod's own node, or the pod itself`];
  const isOpen = reason.ports.length > 0;
  if (isUngoverned(reason)) return [`${head}${style.green('allows')}   no policy governs the ${direction} of ${name}`];
  const what = isOpen ? `${style.green('allows')}   ${formatPorts(reason.ports)}` : `${style.red('refuses')}  ${refusalText(reason)}`;
  return [
    `${head}${what}`,
    ...reason.admin.map((decision) => tierLine(direction, decision, style)),
    ...(isOpen ? reason.allowedBy.map((reference) => `           by ${ruleLine(direction, reference, style)}`) : isolationLines(reason, style)),
    ...reason.baseline.map((decision) => tierLine(direction, decision, style)),
    ...(reason.nearMiss === undefined ? [] : missLines(direction, reason.nearMiss, style)),
  ];
}

function isUngoverned({ admin, isolatedBy, baseline }: DirectionReason): boolean {
  return admin.length + isolatedBy.length + baseline.length === 0;
}

/** What settles a refusal is the first that has the last word. */
function refusalText({ admin, isolatedBy, baseline }: DirectionReason): string {
  if (isolatedBy.length > 0 && !admin.some(({ rule }) => rule.action === 'Deny')) return 'no rule lets it through';
  const tier = [...admin, ...baseline].find(({ rule }) => rule.action === 'Deny')?.policy.tier;
  return tier === undefined ? 'no rule lets it through' : `the ${tier} tier denies it`;
}

function isolationLines({ isolatedBy, admin, nearMiss }: DirectionReason, style: Style): string[] {
  // Where the Admin tier denies all of it, NetworkPolicies were never asked.
  if (nearMiss === undefined && admin.length > 0) return [];
  return isolatedBy.map((policy) => `           isolated by ${policyLine(policy, style)}`);
}

const ACTION_WORDS: Readonly<Record<TierAction, string>> = { Accept: 'accepts', Deny: 'denies', Pass: 'passes on' };

function tierLine(direction: Direction, { policy, rule, ports }: TierDecision, style: Style): string {
  const name = rule.name === undefined ? '' : ` (${printable(rule.name)})`;
  const which = `${direction} rule ${rule.index + 1}${name} of ${policy.kind} ${printable(policy.name)}`;
  return `           ${policy.tier} tier ${ACTION_WORDS[rule.action]} ${formatPorts(ports)} by ${which}, priority ${policy.priority}  ${style.dim(printable(placeText(rule.origin)))}`;
}

/** What would have to change; a policy without any rule in the direction came nearest only because there is no other. */
function missLines(direction: Direction, miss: RuleMiss, style: Style): string[] {
  const { policy, rule, mismatches } = miss;
  const which = rule === undefined ? policyLine(policy, style) : ruleLine(direction, { policy, rule }, style);
  return [
    `           nearest ${which}`,
    ...mismatches.flatMap(({ message, edit, origin }) => [
      `             ${printable(message)}  ${style.dim(printable(placeText(origin)))}`,
      `               ${style.cyan('help:')} ${printable(edit)}`,
    ]),
  ];
}

function ruleLine(direction: Direction, { policy, rule }: RuleReference, style: Style): string {
  return `${direction} rule ${rule.index + 1} of ${policyName(policy)}  ${style.dim(printable(placeText(rule.origin)))}`;
}

function policyLine(policy: NetworkPolicy, style: Style): string {
  return `${policyName(policy)}  ${style.dim(printable(placeText(policy.origin)))}`;
}

function policyName(policy: NetworkPolicy): string {
  return printable(`${policy.kind} ${policy.namespace}/${policy.name}`);
}

function placeText(origin: Origin): string {
  const { file, range } = locateOrigin(origin);
  return placeOf(file, range);
}

/** One answer as `explain -o json` lists it. */
export function jsonExplanation({ source, target, asked, family, explanation, notes }: Answer): unknown {
  const { verdict, ports, egress, ingress } = explanation;
  return {
    source: source.name,
    target: target.name,
    ...(asked === undefined ? {} : { asked: jsonPorts(asked) }),
    ...(family === undefined ? {} : { family }),
    verdict,
    allowed: jsonPorts(ports),
    egress: jsonReason(egress),
    ingress: jsonReason(ingress),
    ...(notes === undefined ? {} : { notes: notes.map(jsonFinding) }),
  };
}

function jsonReason(reason: DirectionReason): unknown {
  return {
    isJudged: reason.isJudged,
    allowed: jsonPorts(reason.ports),
    ...(reason.admin.length === 0 ? {} : { admin: reason.admin.map(jsonDecision) }),
    isolatedBy: reason.isolatedBy.map((policy) => ({ ...jsonPolicy(policy), ...locateOrigin(policy.origin) })),
    allowedBy: reason.allowedBy.map(({ policy, rule }) => ({ ...jsonPolicy(policy), rule: rule.index, ...locateOrigin(rule.origin) })),
    ...(reason.baseline.length === 0 ? {} : { baseline: reason.baseline.map(jsonDecision) }),
    ...(reason.nearMiss === undefined ? {} : { nearMiss: jsonMiss(reason.nearMiss) }),
  };
}

function jsonDecision({ policy, rule, ports }: TierDecision): unknown {
  const { kind, name, tier, priority } = policy;
  return { kind, name, tier, priority, rule: rule.index, action: rule.action, ...jsonPorts(ports), ...locateOrigin(rule.origin) };
}

function jsonMiss({ policy, rule, mismatches }: RuleMiss): unknown {
  return {
    ...jsonPolicy(policy),
    ...(rule === undefined ? {} : { rule: rule.index }),
    mismatches: mismatches.map(({ part, message, edit, origin }) => ({ part, message, edit, ...locateOrigin(origin) })),
  };
}

function jsonPolicy({ kind, namespace, name }: NetworkPolicy): { kind: string; namespace: string; name: string } {
  return { kind, namespace, name };
}
