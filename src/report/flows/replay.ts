// What recorded flows would meet under proposed policies: a table, data, Markdown, workflow commands, JUnit.
import { trafficText } from '../../flow/flow-protocol.ts';
import { endName, type FlowRecord } from '../../flow/flow-record.ts';
import type { Replay, ReplayedRows } from '../../flow/replay.ts';
import { flowJson } from '../../flow/write-flow.ts';
import { workflowCommand } from '../findings/finding-github.ts';
import { nearestText, reasonText } from '../../flow/reason-text.ts';
import { jsonLine } from '../text/json-line.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';
import { count, countOf } from '../text/truth-table.ts';
import { xmlText } from '../text/xml-text.ts';

export const REPLAY_FORMATS = ['table', 'json', 'jsonl', 'yaml', 'md', 'github', 'sarif', 'junit'] as const;

export interface ReplayLayout {
  readonly style: Style;
  /** Flows of each kind that are shown; the rest is counted. */
  readonly limit: number;
}

export function replayTable({ flows, refused, opened }: Replay, { style, limit }: ReplayLayout): string {
  const parts = [...section('would be refused', refused, { style, limit }), ...section('would no longer be refused', opened, { style, limit })];
  const verdict = refused.flows === 0 ? style.green(`none of ${countOf(flows, 'recorded flow')} would be refused`) : style.red(summary(flows, refused));
  const also = opened.flows === 0 ? '' : `; ${count(opened.flows)} that ${opened.flows === 1 ? 'was' : 'were'} refused would be allowed`;
  return `${parts.join('')}${verdict}${also}\n`;
}

function summary(flows: number, refused: ReplayedRows): string {
  return `${count(refused.flows)} of ${countOf(flows, 'recorded flow')} would be refused, seen ${timesText(refused.count)}`;
}

function section(title: string, rows: ReplayedRows, { style, limit }: ReplayLayout): readonly string[] {
  if (rows.flows === 0) return [];
  const shown = rows.mostSeen(limit);
  const [head, ...lines] = alignColumns([['source', '', 'target', 'traffic', 'seen', 'last'], ...shown.map((record) => cellsOf(record).map(printable))]) as [string, ...string[]]; // a line for each row
  const entries = shown.map(({ reason }, index) => {
    const nearest = nearestText(reason!); // of a replay each has one
    return `${lines[index]}\n    ${printable(reasonText(reason!))}\n${nearest === undefined ? '' : `    ${style.dim(printable(nearest))}\n`}`;
  });
  const rest = rows.flows - shown.length;
  return [`${style.bold(title)}\n${style.bold(head)}\n`, ...entries, ...(rest > 0 ? [style.dim(`and ${count(rest)} more\n`)] : []), '\n'];
}

function cellsOf({ source, target, protocol, port, count: seen, lastSeen }: FlowRecord): readonly string[] {
  return [endName(source), '→', endName(target), trafficText(protocol, port), count(seen), timeText(lastSeen)];
}

function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.[0-9]+Z$/, 'Z');
}

/** All of them, however many. */
export function* replayJson({ flows, refused, opened }: Replay): Generator<string> {
  yield `{\n  "apiVersion": "bulkhead/v1",\n  "kind": "Replay",\n  "flows": ${flows},\n`;
  yield* jsonList('refused', refused);
  yield ',\n';
  yield* jsonList('opened', opened);
  yield '\n}\n';
}

function* jsonList(name: string, rows: ReplayedRows): Generator<string> {
  yield `  "${name}": { "flows": ${rows.flows}, "count": ${rows.count}, "records": [`;
  let isFirst = true;
  for (const record of rows.records()) {
    yield `${isFirst ? '' : ','}\n    ${jsonLine(flowJson(record))}`;
    isFirst = false;
  }
  yield isFirst ? '] }' : '\n  ] }';
}

/** A flow a line, `change` first: `refused` or `opened`. The verdict is what was seen, the rule what would decide. */
export function* replayLines({ refused, opened }: Replay): Generator<string> {
  for (const [change, rows] of [['refused', refused], ['opened', opened]] as const) {
    for (const record of rows.records()) yield `${jsonLine({ change, ...flowJson(record) })}\n`;
  }
}

export function replayMarkdown({ flows, refused, opened }: Replay, limit: number): string {
  const verdict = refused.flows === 0 ? `None of ${countOf(flows, 'recorded flow')} would be refused.` : `**${summary(flows, refused)}.**`;
  const also = opened.flows === 0 ? '' : ` ${countOf(opened.flows, 'flow')} that would no longer be refused.`;
  return `${verdict}${also}\n${markdownRows('would be refused', refused, limit)}${markdownRows('would no longer be refused', opened, limit)}`;
}

function markdownRows(title: string, rows: ReplayedRows, limit: number): string {
  if (rows.flows === 0) return '';
  const shown = rows.mostSeen(limit);
  const lines = shown.map((record) => {
    const [source, , target, traffic, seen, last] = cellsOf(record).map(markdown);
    return `| ${source} | ${target} | ${traffic} | ${seen} | ${last} | ${markdown(whyText(record))} |\n`;
  });
  const rest = rows.flows - shown.length;
  return `\n| ${title} | target | traffic | seen | last | why |\n|---|---|---|---|---|---|\n${lines.join('')}${rest > 0 ? `\nand ${count(rest)} more\n` : ''}`;
}

function markdown(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>|]/g, '\\$&');
}

function whyText({ reason }: FlowRecord): string {
  const nearest = nearestText(reason!); // of a replay each has one
  return nearest === undefined ? reasonText(reason!) : `${reasonText(reason!)}; ${nearest}`;
}

function sentenceOf(record: FlowRecord): string {
  const { source, target, protocol, port, count: seen } = record;
  return `${endName(source)} → ${endName(target)} on ${trafficText(protocol, port)}, seen ${timesText(seen)}`;
}

function timesText(times: number): string {
  return times === 1 ? 'once' : `${count(times)} times`;
}

export function replayGithub({ flows, refused }: Replay, limit: number): string {
  if (refused.flows === 0) return workflowCommand('notice', { title: 'replay', message: `none of ${countOf(flows, 'recorded flow')} would be refused` });
  const shown = refused.mostSeen(limit).map((record) => workflowCommand('error', { title: 'would-be-refused', message: printable(`${sentenceOf(record)}: ${whyText(record)}`) }));
  const rest = refused.flows - shown.length;
  return [...shown, ...(rest > 0 ? [workflowCommand('error', { title: 'would-be-refused', message: `${count(rest)} more recorded flows` })] : [])].join('');
}

/** A case for each flow that would be refused, and one for all others together. */
export function* replayJunit({ flows, refused }: Replay): Generator<string> {
  const others = flows - refused.flows;
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bulkhead replay" tests="${refused.flows + 1}" failures="${refused.flows}" errors="0">\n`;
  yield `  <testsuite name="recorded flows" tests="${refused.flows + 1}" failures="${refused.flows}" errors="0" skipped="0">\n`;
  yield `    <testcase classname="recorded flows" name="${count(others)} of ${countOf(flows, 'flow')} are not refused"/>\n`;
  for (const record of refused.records()) {
    const [name, why] = [xmlText(sentenceOf(record)), xmlText(whyText(record))];
    yield `    <testcase classname="recorded flows" name="${name}">\n      <failure message="${why}">${why}</failure>\n    </testcase>\n`;
  }
  yield '  </testsuite>\n</testsuites>\n';
}
