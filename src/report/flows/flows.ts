// Recorded flows as a table and as data, one by one, summed up, or as rules that none of them needed.
import { trafficText } from '../../flow/flow-protocol.ts';
import { endName, policyText, type FlowRecord } from '../../flow/flow-record.ts';
import type { DirectedRule } from '../../flow/flow.ts';
import type { FlowGroup } from '../../flow/group-flows.ts';
import { flowJson } from '../../flow/write-flow.ts';
import { nearestText, reasonText } from '../../flow/reason-text.ts';
import { jsonLine } from '../text/json-line.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';
import { count, countOf } from '../text/truth-table.ts';

export const FLOW_FORMATS = ['table', 'json', 'yaml', 'jsonl'] as const;

const ICMPV6 = 58;
const HEAD = ['last', 'source', '', 'target', 'traffic', 'verdict', 'seen', 'by'];

export interface FlowLayout {
  readonly style: Style;
  /** Lines that are shown; the rest is counted. */
  readonly limit: number;
}

export function flowTable(records: readonly FlowRecord[], { style, limit }: FlowLayout): string {
  if (records.length === 0) return 'no such flow\n';
  const shown = records.slice(0, limit);
  const [head, ...lines] = alignColumns([HEAD, ...shown.map((record) => flowCells(record, style))]) as [string, ...string[]]; // a line for each row
  const rest = records.length - shown.length;
  return [style.bold(head), ...lines, ...(rest > 0 ? [style.dim(`and ${count(rest)} more`)] : []), ''].join('\n');
}

/** Lines as they come, below one head; each column as wide as the widest that came so far. */
export function growingFlowTable(style: Style): (records: readonly FlowRecord[]) => string {
  let widest: readonly string[] | undefined;
  return (records) => {
    const rows = records.map((record) => flowCells(record, style));
    const isFirst = widest === undefined;
    widest = (widest ?? HEAD).map((text, column) => rows.map((row) => cellText(row[column]!)).reduce((longest, other) => (column < HEAD.length - 1 && other.length > longest.length ? other : longest), text));
    const [head, , ...lines] = alignColumns([HEAD, widest, ...rows]) as [string, string, ...string[]]; // a line for each row
    return [...(isFirst ? [style.bold(head)] : []), ...lines, ''].join('\n');
  };
}

type FlowCell = string | { readonly text: string; readonly painted: string };

function cellText(cell: FlowCell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function flowCells({ lastSeen, source, target, family, protocol, port, verdict, count: seen, corrects, service, reason }: FlowRecord, style: Style): readonly FlowCell[] {
  const nearest = reason === undefined || verdict === 'allowed' ? undefined : nearestText(reason);
  const parts = [corrects === true ? 'told as allowed before' : undefined, reason === undefined ? undefined : reasonText(reason), nearest];
  const by = printable(parts.filter((part) => part !== undefined).join('; '));
  return [
    timeText(lastSeen),
    printable(endName(source)),
    '→',
    printable(service === undefined ? endName(target) : `${endName(target)} by svc/${service}`),
    `${trafficText(protocol, port)}${family === 6 && protocol !== ICMPV6 ? ' over IPv6' : ''}`,
    { text: verdict, painted: verdict === 'allowed' ? style.green(verdict) : style.red(verdict) },
    count(seen),
    { text: by, painted: style.dim(by) },
  ];
}

function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.[0-9]+Z$/, 'Z');
}

export function* flowLines(records: readonly FlowRecord[]): Generator<string> {
  for (const record of records) yield `${jsonLine(flowJson(record))}\n`;
}

export function flowsJson(records: readonly FlowRecord[]): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Flows', flows: records.map(flowJson) }, undefined, 2)}\n`;
}

export function groupTable(groups: readonly FlowGroup[], { style, limit }: FlowLayout): string {
  if (groups.length === 0) return 'no such flow\n';
  const shown = groups.slice(0, limit);
  const rows = shown.map(({ name, flows, allowed, denied, lastSeen }) => [printable(name), count(flows), count(allowed), count(denied), timeText(lastSeen)]);
  const [head, ...lines] = alignColumns([['', 'flows', 'allowed', 'denied', 'last'], ...rows]) as [string, ...string[]]; // a line for each row
  const rest = groups.length - shown.length;
  return [style.bold(head), ...lines, ...(rest > 0 ? [style.dim(`and ${count(rest)} more`)] : []), ''].join('\n');
}

export function groupsJson(groups: readonly FlowGroup[]): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'FlowGroups', groups: groups.map(jsonGroup) }, undefined, 2)}\n`;
}

export function* groupLines(groups: readonly FlowGroup[]): Generator<string> {
  for (const group of groups) yield `${jsonLine(jsonGroup(group))}\n`;
}

function jsonGroup(group: FlowGroup): unknown {
  return { ...group, lastSeen: new Date(group.lastSeen).toISOString() };
}

/** Of no flows at all nothing is said of rules: each would be one that nobody needs. */
export function unusedText(rules: readonly DirectedRule[], flows: number): string {
  if (flows === 0) return 'no such flow, so that nothing is known of rules that nobody needs\n';
  if (rules.length === 0) return `every rule is needed by one of ${countOf(flows, 'flow')}\n`;
  const lines = rules.map((rule) => `  ${rule.direction} rule ${rule.index + 1} of ${printable(policyText(rule))}\n`);
  return `${countOf(rules.length, 'rule')} that none of ${countOf(flows, 'flow')} needed\n${lines.join('')}`;
}

export function unusedJson(rules: readonly DirectedRule[], flows: number): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'UnusedRules', flows, rules }, undefined, 2)}\n`;
}

export function* unusedLines(rules: readonly DirectedRule[]): Generator<string> {
  for (const rule of rules) yield `${jsonLine(rule)}\n`;
}
