// Holds what the prose around a manifest says of it against what the manifest does.
import type { Finding } from '../base/finding.ts';
import { lineStarts, positionAt, type Position, type TextRange } from '../base/source-position.ts';
import { nameOfPolicy, type NetworkPolicy, type Peer } from '../model/network-policy.ts';
import { below, locateOrigin } from '../model/origin.ts';
import { describeSelector, type Selector } from '../model/selector.ts';
import type { ManifestBlock } from './extract-manifests.ts';
import { KNOWN_FIELDS } from './field-shape.ts';

/** Only the paragraph before a block and the one behind it are taken to speak of it; of long ones the nearest lines. */
const PARAGRAPH_LINES_MAX = 30;

export interface ClaimsInput {
  readonly blocks: readonly ManifestBlock[];
  readonly policies: readonly NetworkPolicy[];
  /** Where a place that the policies name stands in the text. */
  readonly placeOf: (position: Position) => Position;
}

/** Findings where the text beside a block names labels or a reach that the block's policies do not have. */
export function lintClaims(file: string, text: string, { blocks, policies, placeOf }: ClaimsInput): Finding[] {
  const lines = text.split('\n');
  const starts = lineStarts(text);
  return blocks.flatMap((block) => {
    const own = policies.filter((policy) => isInside(block, placeOf(locateOrigin(policy.origin).range.start)));
    const [first] = own;
    if (first === undefined) return [];
    const context: Claimed = { file, starts, placeOf, policies: own, first, manifest: lines.slice(block.start, block.end) };
    return paragraphsBeside(lines, block).flatMap((paragraph) => sentencesOf(text, starts, paragraph).flatMap((sentence) => lintSentence(context, sentence)));
  });
}

interface Claimed {
  readonly file: string;
  readonly placeOf: ClaimsInput['placeOf'];
  readonly starts: readonly number[];
  readonly policies: readonly NetworkPolicy[];
  readonly first: NetworkPolicy;
  readonly manifest: readonly string[];
}

interface Sentence {
  readonly text: string;
  /** Offset in the file. */
  readonly start: number;
}

function isInside(block: ManifestBlock, { line }: Position): boolean {
  return line > block.start && line <= block.end;
}

/** Lines from 0, end exclusive. */
function paragraphsBeside(lines: readonly string[], block: ManifestBlock): { start: number; end: number }[] {
  const isText = (at: number): boolean => /\S/.test(lines[at] ?? '') && !/^\s*(#|```|~~~|---\s*$)/.test(lines[at]!);
  let end = block.outer.start;
  while (end > 0 && (lines[end - 1] ?? '').trim() === '') end--;
  let start = end;
  while (start > 0 && end - start < PARAGRAPH_LINES_MAX && isText(start - 1)) start--;
  let next = block.outer.end;
  while (next < lines.length && lines[next]!.trim() === '') next++;
  let last = next;
  while (last < lines.length && last - next < PARAGRAPH_LINES_MAX && isText(last)) last++;
  return [
    { start, end },
    { start: next, end: last },
  ];
}

function sentencesOf(text: string, starts: readonly number[], paragraph: { start: number; end: number }): Sentence[] {
  const from = starts[paragraph.start] ?? text.length;
  const to = starts[paragraph.end] ?? text.length;
  const sentences: Sentence[] = [];
  let start = from;
  for (let at = from; at <= to; at++) {
    const isEnd = at === to || ('.!?'.includes(text[at]!) && /\s/.test(text[at + 1] ?? ' '));
    if (!isEnd) continue;
    sentences.push({ text: text.slice(start, at), start });
    start = at + 1;
  }
  return sentences;
}

const OF_POLICY = /\b(polic(y|ies)|manifest|yaml|rules?|this|above|below|following|example)\b/i;
const ACTION = /\b(block|den(y|ies|ied)|allow|isolat|restrict|drop|disallow|permit|prevent|lock|appl(y|ies)|select)/i;
const OPENING = /\b(allow|permit)/i;
const NOT_A_CLAIM = /\b(not|never|only|unlike|instead|default|cannot)\b|n't\b/i;
const CODE = /`([^`\n]{1,1000})`/g;
const LABEL = /^\s*([A-Za-z0-9][A-Za-z0-9./_-]{0,316})\s{0,4}[:=]\s{0,4}["']?([A-Za-z0-9][A-Za-z0-9._-]{0,62})["']?\s*$/;
const WHOLE_CLUSTER = /\b(?:(?:whole|entire|all|every)\b[^`\n]{0,60}?\bcluster|within the cluster|across the cluster|cluster[- ]wide)\b/i;

function lintSentence(context: Claimed, sentence: Sentence): Finding[] {
  if (!ACTION.test(sentence.text)) return [];
  return [...claimedLabels(context, sentence), ...claimedCluster(context, sentence)];
}

function claimedLabels(context: Claimed, sentence: Sentence): Finding[] {
  const findings: Finding[] = [];
  for (const match of sentence.text.matchAll(CODE)) {
    const labels = labelsOf(match[1]!);
    if (labels.every(([key, value]) => (KNOWN_FIELDS.has(key) && key !== 'name') || isMentioned(context, key, value))) continue;
    const range = rangeAt(context, sentence.start + match.index, match[0].length);
    const message = `the text says that the policy concerns pods with ${match[0]}, but no selector of ${nameOf(context.first)} names that label; it selects ${subjectOf(context.first)}`;
    findings.push(finding(context, { range, message, help: 'correct the text, or select these pods by `matchLabels`' }));
  }
  return findings;
}

/** The labels of a code span such as `app=web,env=prod`; none where a part of it is no label. */
function labelsOf(code: string): [key: string, value: string][] {
  const parts = code.split(',').map((part) => LABEL.exec(part));
  return parts.every((part) => part !== null) ? parts.map((part) => [part[1]!, part[2]!]) : [];
}

function claimedCluster(context: Claimed, sentence: Sentence): Finding[] {
  const match = WHOLE_CLUSTER.exec(sentence.text);
  if (match === null || NOT_A_CLAIM.test(sentence.text) || !OF_POLICY.test(sentence.text)) return [];
  const namespaces = new Set(context.policies.map((policy) => policy.namespace));
  const isOpen = OPENING.test(sentence.text) && context.policies.some(namesEveryNamespace);
  if (namespaces.size > 1 || isOpen) return [];
  const claim = match[0].replace(/\s+/g, ' ');
  const range = rangeAt(context, sentence.start + match.index, match[0].length);
  const message = `the text says \`${claim}\`, but ${nameOf(context.first)} concerns pods of namespace \`${context.first.namespace}\` only`;
  return [finding(context, { range, message, help: 'correct the text, or write such a policy for each namespace' })];
}

/** Whether a selector has the label, or a line of the manifest, such as the labels of a workload beside the policy. */
function isMentioned({ policies, manifest }: Claimed, key: string, value: string): boolean {
  const isSelected = policies.some((policy) => selectorsOf(policy).some((selector) => hasLabel(selector, key, value)));
  return isSelected || manifest.some((line) => line.includes(key) && line.includes(value));
}

function selectorsOf(policy: NetworkPolicy): Selector[] {
  const peers = peersOf(policy).filter((peer) => peer.kind === 'pods');
  return [policy.podSelector, ...peers.flatMap((peer) => (peer.namespaces.kind === 'selected' ? [peer.podSelector, peer.namespaces.selector] : [peer.podSelector]))];
}

function peersOf(policy: NetworkPolicy): Peer[] {
  return [...(policy.ingress ?? []), ...(policy.egress ?? [])].flatMap((rule) => (rule.peers.kind === 'listed' ? rule.peers.peers : []));
}

function hasLabel(selector: Selector, key: string, value: string): boolean {
  return selector.requirements.some((requirement) => requirement.key === key && 'values' in requirement && requirement.values.includes(value));
}

function namesEveryNamespace(policy: NetworkPolicy): boolean {
  const isOpenRule = [...(policy.ingress ?? []), ...(policy.egress ?? [])].some((rule) => rule.peers.kind === 'everybody');
  return isOpenRule || peersOf(policy).some((peer) => peer.kind === 'pods' && peer.namespaces.kind === 'selected' && peer.namespaces.selector.requirements.length === 0);
}

function nameOf(policy: NetworkPolicy): string {
  return `\`NetworkPolicy ${policy.namespace}/${policy.name}\``;
}

function subjectOf(policy: NetworkPolicy): string {
  const isEverything = policy.podSelector.requirements.length === 0;
  return isEverything ? `every pod of namespace \`${policy.namespace}\`` : describeSelector(policy.podSelector);
}

function rangeAt({ starts }: Claimed, offset: number, length: number): TextRange {
  return { start: positionAt(starts, offset), end: positionAt(starts, offset + length) };
}

function finding({ file, first, placeOf }: Claimed, { range, message, help }: { range: TextRange; message: string; help: string }): Finding {
  const selected = locateOrigin(below(first.origin, 'spec', 'podSelector')).range;
  const related = [{ message: 'what the manifest selects', file, range: { start: placeOf(selected.start), end: placeOf(selected.end) } }];
  return { code: 'text-claims-otherwise', severity: 'warning', message, file, range, object: nameOfPolicy(first), related, help };
}
