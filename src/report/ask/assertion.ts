// What became of assertions: counterexamples as text, as one sentence each, and as JSON.
import { PROTOCOLS, PROTOCOL_BASE } from '../../base/port-set.ts';
import { locateOrigin } from '../../model/origin.ts';
import type { DirectionReason } from '../../analyze/explain.ts';
import type { AssertionResult, ConnectionExample, Counterexample, IsolationExample, PathExample } from '../../prove/check-assertion.ts';
import { explanationText, jsonExplanation, type Answer } from './explanation.ts';
import { placeOf } from '../findings/finding-text.ts';
import { jsonPorts } from '../text/port-json.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';

/** An assertion as it was written, and its result. */
export interface CheckedAssertion {
  readonly sentence: string;
  readonly result: AssertionResult;
}

/** Counterexamples shown in full; the rest is counted. */
const EXAMPLES_SHOWN_MAX = 3;

export function assertionText({ sentence, result }: CheckedAssertion, style: Style): string {
  const verdict = result.holds ? style.green('holds') : style.red(style.bold('fails'));
  return `${verdict}  ${printable(sentence)}\n${examplesText(result, style)}`;
}

/** Indented, the first ones in full. */
export function examplesText({ counterexamples, hasMore }: AssertionResult, style: Style): string {
  const shown = counterexamples.slice(0, EXAMPLES_SHOWN_MAX).map((example) => exampleText(example, style));
  const rest = counterexamples.length - shown.length;
  const more = rest > 0 ? [`and ${hasMore ? 'at least ' : ''}${rest} ${rest === 1 ? 'other' : 'others'}\n`] : [];
  return [...shown, ...more].join('').replace(/^(?=.)/gm, '  ');
}

export function assertionsJson(checked: readonly CheckedAssertion[]): string {
  const assertions = checked.map(({ sentence, result }) => ({ assertion: sentence, ...jsonResult(result) }));
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Proof', assertions }, undefined, 2)}\n`;
}

export function jsonResult({ holds, counterexamples, hasMore }: AssertionResult): object {
  return { holds, counterexamples: counterexamples.map(jsonExample), ...(hasMore ? { hasMore } : {}) };
}

/** One line: what is wrong, and which rule decided. */
export function exampleSentence(example: Counterexample): string {
  switch (example.kind) {
    case 'connection':
      return `${connectionText(example)} is ${example.explanation.verdict}${reasonText(example)}`;
    case 'not-isolated':
      return isolationText(example);
    case 'path':
      return `${pathText(example)}: ${example.hops.map((hop) => `${hop.source.label} → ${hop.target.label}${reasonText(hop)}`).join('; ')}`;
  }
}

function exampleText(example: Counterexample, style: Style): string {
  switch (example.kind) {
    case 'connection':
      return explanationText(answerOf(example), style);
    case 'not-isolated':
      return `${printable(isolationText(example))}\n`;
    case 'path':
      return `${style.bold(printable(pathText(example)))}\n${example.hops.map((hop) => explanationText(answerOf(hop), style)).join('').replace(/^(?=.)/gm, '  ')}`;
  }
}

function jsonExample(example: Counterexample): object {
  switch (example.kind) {
    case 'connection':
      return { kind: example.kind, ...jsonPoint(example.point), ports: jsonPorts(example.ports), explanation: jsonExplanation(answerOf(example)) };
    case 'not-isolated': {
      const { kind, pod, direction, hostNetwork, origin } = example;
      return { kind, pod, direction, hostNetwork, ...locateOrigin(origin) };
    }
    case 'path':
      return { kind: example.kind, hops: example.hops.map(jsonExample) };
  }
}

/** `port` is missing for protocols beyond the three. */
function jsonPoint(point: number): { readonly protocol: string; readonly port?: number } {
  const protocol = PROTOCOLS.find((candidate) => point > PROTOCOL_BASE[candidate] && point <= PROTOCOL_BASE[candidate] + 65535);
  return protocol === undefined ? { protocol: 'other' } : { protocol, port: point - PROTOCOL_BASE[protocol] };
}

function answerOf({ source, target, point, explanation }: ConnectionExample): Answer {
  const end = ({ label, ref }: ConnectionExample['source']): Answer['source'] => ({ name: label, isOutside: ref.kind !== 'pod' });
  return { source: end(source), target: end(target), asked: [point, point], explanation };
}

function connectionText({ source, target, point }: ConnectionExample): string {
  return `${source.label} → ${target.label} on ${formatPorts([point, point])}`;
}

function isolationText({ pod, direction, hostNetwork, origin }: IsolationExample): string {
  const { file, range } = locateOrigin(origin);
  const why = hostNetwork ? 'it uses the network of its node, which no policy governs' : 'no NetworkPolicy governs it';
  return `${pod} is not isolated for ${direction}: ${why} (${placeOf(file, range)})`;
}

function pathText({ hops }: PathExample): string {
  return hops.map(({ target, point }) => ` → ${target.label} (${formatPorts([point, point])})`).reduce((text, hop) => text + hop, hops[0]!.source.label);
}

/** Of what is allowed, what lets it through; of what is denied, what stops it. */
function reasonText({ explanation: { verdict, egress, ingress } }: ConnectionExample): string {
  const names = verdict === 'denied' ? [...stoppingRules(egress), ...stoppingRules(ingress)] : [...passingRules('egress', egress), ...passingRules('ingress', ingress)];
  if (names.length === 0) return verdict === 'denied' ? '' : ': no policy governs it';
  return ` by ${names.join(' and ')}`;
}

function passingRules(direction: string, { isJudged, admin, allowedBy }: DirectionReason): string[] {
  if (!isJudged) return [];
  const accepting = admin.find(({ rule }) => rule.action === 'Accept');
  if (accepting !== undefined) return [ruleName(direction, accepting)];
  return allowedBy.slice(0, 1).map((reference) => ruleName(direction, reference));
}

function stoppingRules({ isJudged, ports, admin, isolatedBy, baseline }: DirectionReason): string[] {
  if (!isJudged || ports.length > 0) return [];
  const denying = [...admin, ...baseline].find(({ rule }) => rule.action === 'Deny');
  if (denying !== undefined) return [ruleName('', denying)];
  return isolatedBy.slice(0, 1).map((policy) => `NetworkPolicy ${policy.namespace}/${policy.name} (${placeText(policy.origin)})`);
}

interface NamedRule {
  readonly policy: { readonly kind: string; readonly namespace?: string; readonly name: string };
  readonly rule: { readonly index: number; readonly origin: Parameters<typeof locateOrigin>[0] };
}

function ruleName(direction: string, { policy, rule }: NamedRule): string {
  const name = policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
  return `${direction} rule ${rule.index + 1} of ${policy.kind} ${name} (${placeText(rule.origin)})`.trimStart();
}

function placeText(origin: Parameters<typeof locateOrigin>[0]): string {
  const { file, range } = locateOrigin(origin);
  return placeOf(file, range);
}
