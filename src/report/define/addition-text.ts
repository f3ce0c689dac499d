// What is added to a policy, as edits of the text that it was read from: all else in the file stays as it is.
import { Document } from 'yaml';
import type { TextEdit } from '../../base/finding.ts';
import { appendItems, blockItems } from '../../lint/edits/append-items.ts';
import { insertion, type NewItem } from '../../lint/edits/block-list.ts';
import { isSameRange, isWritten } from '../../lint/edits/policy-place.ts';
import type { Direction, NetworkPolicy, PolicyRule } from '../../model/network-policy.ts';
import { below, locateKey, locateOrigin, type Origin } from '../../model/origin.ts';
import type { Addition } from '../../recommend/edit/additions.ts';
import { peerObject, peersWord, portObject, ruleObject } from './policy-object.ts';

/** The policy as its document was read, which is kept. undefined: some place in it is written in a way that cannot be added to. */
export function additionEdits(policy: NetworkPolicy, additions: readonly Addition[]): readonly TextEdit[] | undefined {
  const inOrder = [...additions].sort((a, b) => depthOf(policy, b) - depthOf(policy, a));
  const edits = [...Map.groupBy(inOrder, placeKey).values()].map((same) => editsAt(policy, same));
  return edits.every((own) => own.length > 0) ? edits.flat() : undefined;
}

/** Several may begin where one line ends: what stands deepest is written first. */
function depthOf(policy: NetworkPolicy, { kind, direction }: Addition): number {
  return kind === 'rule' ? ((policy[direction] ?? []).length > 0 ? 1 : 0) : 2;
}

/** What is added to one list is one edit. */
function placeKey(addition: Addition): string {
  return `${addition.direction} ${addition.kind === 'rule' ? '' : addition.rule} ${addition.kind}`;
}

function editsAt(policy: NetworkPolicy, same: readonly Addition[]): readonly TextEdit[] {
  const { direction } = same[0]!;
  const section = below(policy.origin, 'spec', direction);
  const rules = policy[direction] ?? [];
  const objects = same.flatMap((addition) => objectsOf(addition));
  const isJson = /^\s*[{[]\s*("|$)/.test(policy.origin.document.lineAt(policy.origin.document.firstLine) ?? '');
  const items = objects.map((object) => itemOf(object, isJson));
  const first = same[0]!;
  if (first.kind === 'rule') return rules.length > 0 ? appendItems(section, rules.map(({ origin }) => origin), items) : governedSection(policy, section, items);
  const rule = rules.find(({ index }) => index === first.rule)!;
  const list = below(rule.origin, first.kind === 'peers' ? peersWord(direction) : 'ports');
  return appendItems(list, Array.from({ length: lengthOf(rule, first.kind) }, (_, index) => below(list, index)), items);
}

function lengthOf({ peers, ports }: PolicyRule, kind: 'peers' | 'ports'): number {
  if (kind === 'peers') return peers.kind === 'listed' ? peers.peers.length : 0;
  return ports.kind === 'listed' ? ports.ports.length : 0;
}

function objectsOf(addition: Addition): readonly object[] {
  switch (addition.kind) {
    case 'peers':
      return addition.peers.map(peerObject);
    case 'ports':
      return addition.ports.map(portObject);
    case 'rule':
      return [ruleObject(addition.direction, { peers: { kind: 'listed', peers: addition.peers }, ports: addition.ports })];
  }
}

/** Read by kubectl as YAML 1.1, to which a bare `yes` is no text. */
function itemOf(object: object, isJson: boolean): NewItem {
  const text = (collectionStyle: 'block' | 'flow'): string => new Document(object, { version: '1.1' }).toString({ lineWidth: 0, collectionStyle }).trimEnd();
  return { block: text('block').split('\n'), flow: isJson ? JSON.stringify(object) : text('flow').replace(/\s*\n\s*/g, ' ') };
}

/** None where one of both cannot be written. A missing or empty `policyTypes` follows the sections, and always has `Ingress`. */
function governedSection(policy: NetworkPolicy, section: Origin, items: readonly NewItem[]): readonly TextEdit[] {
  const direction = section.path.at(-1) as Direction; // of a section, its name
  const types = below(policy.origin, 'spec', 'policyTypes');
  const rules = beginSection(policy, section, items);
  if (policy[direction] !== undefined || !isItemWritten(types, 0)) return rules;
  const type = isItemWritten(types, 1) ? [] : typeEdits(types, direction);
  return type.length > 0 && rules.length > 0 ? [...type, ...rules] : [];
}

/** Written as the one that is there, with quotes or without. */
function typeEdits(types: Origin, direction: Direction): readonly TextEdit[] {
  const other = below(types, 0);
  const { start, end } = locateOrigin(other).range;
  const text = types.document.lineAt(start.line)?.slice(start.column - 1, end.column - 1).replace(/Ingress|Egress/, direction === 'ingress' ? 'Ingress' : 'Egress');
  return text === undefined ? [] : appendItems(types, [other], [{ block: [text], flow: text }]);
}

function isItemWritten(list: Origin, index: number): boolean {
  return !isSameRange(locateOrigin(below(list, index)).range, locateOrigin(list).range);
}

/** A section without rules: `[]`, or not written. */
function beginSection(policy: NetworkPolicy, section: Origin, items: readonly NewItem[]): readonly TextEdit[] {
  const spec = below(policy.origin, 'spec');
  const direction = section.path.at(-1) as string; // of a section, its name
  const flow = `[${items.map((item) => item.flow).join(', ')}]`;
  if (!isWritten(spec, direction)) return addKey(spec, direction, { flow, block: blockItems(items, listPlace(spec, locateOrigin(spec).range.start.column)) });
  const { range } = locateOrigin(section);
  const text = range.start.line === range.end.line ? section.document.lineAt(range.start.line)?.slice(range.start.column - 1, range.end.column - 1) : undefined;
  if (text === undefined || !/^\[\s*\]$/.test(text)) return [];
  const key = locateKey(section).start;
  const head = section.document.lineAt(range.start.line)?.slice(0, range.start.column - 1) ?? '';
  if (isFlowMap(spec) || key.line !== range.start.line) return [{ range, text: flow }];
  const start = { line: range.start.line, column: head.trimEnd().length + 1 };
  return [{ range: { start, end: range.end }, text: blockItems(items, listPlace(spec, key.column)) }];
}

/** As `policyTypes` is written, or two columns in. */
function listPlace(spec: Origin, keyColumn: number): { readonly dashColumn: number; readonly itemColumn: number } {
  const types = below(spec, 'policyTypes');
  const { start } = locateOrigin(types).range;
  const isBlock = isWritten(spec, 'policyTypes') && types.document.lineAt(start.line)?.[start.column - 1] === '-';
  const dashColumn = keyColumn + (isBlock ? start.column - locateKey(types).start.column : 2);
  return { dashColumn, itemColumn: dashColumn + 2 };
}

/** A field behind the last one of a map. */
function addKey(map: Origin, key: string, { flow, block }: { readonly flow: string; readonly block: string }): readonly TextEdit[] {
  const { start, end } = locateOrigin(map).range;
  const line = map.document.lineAt(end.line);
  if (line === undefined || !isWritten(map, 'podSelector')) return [];
  if (!isFlowMap(map)) return [insertion({ line: end.line, column: line.length + 1 }, `\n${' '.repeat(start.column - 1)}${key}:${block}`)];
  let [at, before] = [end.line, line.slice(0, end.column - 2).trimEnd()];
  while (before === '' && at > start.line) before = map.document.lineAt(--at)?.trimEnd() ?? '';
  const first = locateKey(below(map, 'podSelector')).start;
  const quote = map.document.lineAt(first.line)?.[first.column - 1] === '"' ? '"' : '';
  const gap = at === end.line ? ' ' : `\n${' '.repeat(first.column - 1)}`;
  return before === '' || before.endsWith(',') ? [] : [insertion({ line: at, column: before.length + 1 }, `,${gap}${quote}${key}${quote}: ${flow}`)];
}

function isFlowMap(map: Origin): boolean {
  const { start } = locateOrigin(map).range;
  return map.document.lineAt(start.line)?.[start.column - 1] === '{';
}
