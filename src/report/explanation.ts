// Why a connection is allowed or not, as text and as JSON: for each direction the policies that isolate and the rules that allow.
import { hasOtherProtocols, PROTOCOLS, protocolRanges, type PortSet } from '../base/port-set.ts';
import { locateOrigin, type Origin } from '../model/origin.ts';
import type { Direction, NetworkPolicy } from '../model/network-policy.ts';
import type { RuleReference } from '../compile/program.ts';
import type { DirectionReason, Explanation } from '../analyze/explain.ts';
import type { RuleMiss } from '../analyze/near-miss.ts';
import { placeOf } from './finding-text.ts';
import { formatPorts } from './port-text.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** An explanation with the words that it answers. */
export interface Answer {
  readonly source: AnswerEnd;
  readonly target: AnswerEnd;
  /** undefined: any port was asked about. */
  readonly asked: PortSet | undefined;
  readonly explanation: Explanation;
}

export interface AnswerEnd {
  readonly name: string;
  readonly isOutside: boolean;
}

export function explanationText({ source, target, asked, explanation }: Answer, style: Style): string {
  const { verdict, ports, egress, ingress } = explanation;
  const question = `${printable(source.name)} → ${printable(target.name)}${asked === undefined ? '' : ` on ${formatPorts(asked)}`}`;
  const which = verdict === 'denied' || (verdict === 'allowed' && asked !== undefined) ? '' : ` on ${formatPorts(ports)}`;
  const paint = verdict === 'denied' ? style.red : verdict === 'allowed' ? style.green : style.yellow;
  return [
    `${style.bold(question)}: ${paint(`${verdict}${which}`)}`,
    ...directionLines('egress', source, egress, style),
    ...directionLines('ingress', target, ingress, style),
    '',
  ].join('\n');
}

export function explanationsJson(answers: readonly Answer[]): string {
  const document = { apiVersion: 'bulkhead/v1', kind: 'Explanations', explanations: answers.map(jsonAnswer) };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function directionLines(direction: Direction, end: AnswerEnd, reason: DirectionReason, style: Style): string[] {
  const head = `  ${style.bold(direction.padEnd(7))}  `;
  const isOpen = reason.ports.length > 0;
  const name = printable(end.name);
  if (end.isOutside) return [`${head}${style.green('allows')}   ${name} is outside the cluster: no policy governs it`];
  if (!reason.isJudged) return [`${head}${style.green('allows')}   nothing judges this: host network, the pod's own node, or the pod itself`];
  if (reason.isolatedBy.length === 0) return [`${head}${style.green('allows')}   no policy governs the ${direction} of ${name}`];
  const lines = [isOpen ? `${head}${style.green('allows')}   ${formatPorts(reason.ports)}` : `${head}${style.red('refuses')}  no rule lets it through`];
  if (isOpen) lines.push(...reason.allowedBy.map((reference) => `           by ${ruleLine(direction, reference, style)}`));
  else lines.push(...reason.isolatedBy.map((policy) => `           isolated by ${policyLine(policy, style)}`));
  if (reason.nearMiss !== undefined) lines.push(...missLines(direction, reason.nearMiss, style));
  return lines;
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

function jsonAnswer({ source, target, asked, explanation }: Answer): unknown {
  const { verdict, ports, egress, ingress } = explanation;
  return {
    source: source.name,
    target: target.name,
    ...(asked === undefined ? {} : { asked: jsonPorts(asked) }),
    verdict,
    allowed: jsonPorts(ports),
    egress: jsonReason(egress),
    ingress: jsonReason(ingress),
  };
}

function jsonReason(reason: DirectionReason): unknown {
  return {
    isJudged: reason.isJudged,
    allowed: jsonPorts(reason.ports),
    isolatedBy: reason.isolatedBy.map((policy) => ({ ...jsonPolicy(policy), ...locateOrigin(policy.origin) })),
    allowedBy: reason.allowedBy.map(({ policy, rule }) => ({ ...jsonPolicy(policy), rule: rule.index, ...locateOrigin(rule.origin) })),
    ...(reason.nearMiss === undefined ? {} : { nearMiss: jsonMiss(reason.nearMiss) }),
  };
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

function jsonPorts(ports: PortSet): unknown {
  const traffic = Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, protocolRanges(ports, protocol)]));
  return { traffic, other: hasOtherProtocols(ports) };
}
