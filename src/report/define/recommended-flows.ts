// What recorded flows say of a recommendation: the proof in sentences, what is open beyond what was seen, and how far each workload is learned.
import { flowJson } from '../../flow/write-flow.ts';
import { DENIED_BIT } from '../../flow/flow-table.ts';
import { beyondOf, type Beyond, type SeenOf } from '../../recommend/proof/beyond.ts';
import { endName, standingOf, type Connection } from '../../recommend/ends/connection.ts';
import type { Unwritten } from '../../recommend/flows/flow-connections.ts';
import { learningText } from '../../recommend/flows/learning.ts';
import type { Openness } from '../../recommend/proof/openness.ts';
import type { FlowsAnswer, Recommendation } from '../../recommend/recommend.ts';
import { seenText, type Seen } from '../../recommend/ends/seen.ts';
import { jsonPorts } from '../text/port-json.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';
import { count, countOf } from '../text/truth-table.ts';

export const CLOSED: Readonly<Partial<Record<Unwritten, string>>> = {
  'late-answer': 'late answers, to the port of who asked',
  'unlabeled': 'flows of pods without a label that stays',
  'unknown-pod': 'flows of pods that nobody named',
};

/** Replayed, needed, closed, and granted beyond. */
export function flowSentences({ connections, undecided }: Recommendation, answer: FlowsAnswer): readonly string[] {
  const { proof, unwritten, table } = answer;
  const went = wentThrough(answer, [...Array(table.size).keys()]);
  const sentences = [`Replayed: ${proof.allowed === went ? '' : `${count(proof.allowed)} of `}${countOf(went, 'recorded flow')} that went through still ${went === 1 ? 'does' : 'do'}.`];
  const closed = Object.entries(CLOSED).flatMap(([why, text]) => {
    const rows = wentThrough(answer, unwritten.get(why as Unwritten) ?? []); // the keys are written above
    return rows === 0 ? [] : [`${text} (${count(rows)})`];
  });
  const left = undecided.reduce((sum, { seen }) => sum + wentThrough(answer, seen?.rows ?? []), 0);
  if (left > 0) closed.push(`flows that wait for a decision (${count(left)})`);
  if (closed.length > 0) sentences.push(`Closed all the same: ${closed.join(', ')}.`);
  if (proof.refusedByOthers > 0) sentences.push(`${countOf(proof.refusedByOthers, 'flow')} would be refused by a cluster-wide policy of the input.`);
  const denied = (unwritten.get('denied') ?? []).length;
  if (denied > 0) sentences.push(`${countOf(denied, 'flow')} ${denied === 1 ? 'was' : 'were'} refused, and ${denied === 1 ? 'is' : 'are'} not granted.`);
  if (proof.rules > 0) sentences.push(`Without any one of ${countOf(proof.rules - proof.spare, 'rule')} a flow that it was written for would be refused${proof.spare === 0 ? '' : `; ${proof.spare} more ${proof.spare === 1 ? 'overlaps' : 'overlap'} another`}.`);
  sentences.push(beyondSentence(connections.map((connection) => beyondOf(answer, connection))));
  return sentences;
}

function wentThrough({ table }: FlowsAnswer, rows: readonly number[]): number {
  return rows.filter((row) => (table.columns.flags[row]! & DENIED_BIT) === 0).length;
}

export function beyondSentence(all: readonly Beyond[]): string {
  const openings = all.reduce((sum, beyond) => sum + beyond.openings, 0n);
  const rules = all.filter((beyond) => beyond.openings > 0n).length;
  return openings === 0n ? 'Nothing is allowed beyond what was seen.' : `Beyond what was seen ${rules === 1 ? 'one connection allows' : `${rules} connections allow`} ${bigCount(openings)} more ${openings === 1n ? 'pair' : 'pairs'} of ends and ports.`;
}

/** Addresses of IPv6 are more than anybody reads. */
const BIG = 10n ** 15n;

function bigCount(number: bigint): string {
  return number > BIG ? 'over 10^15' : count(Number(number));
}

/** What stands behind a connection in a table. */
export function seenCell(connection: Connection): string {
  const { seen, scrape, isDeclared } = connection;
  return seen === undefined ? 'not seen' : `${seenText(seen)}${scrape === undefined || isDeclared !== false ? '' : `; ${scrape}`}`;
}

/** What is open beyond what was seen, and how far each workload is learned. */
export function flowTables({ connections }: Recommendation, answer: FlowsAnswer, style: Style): string {
  const beyond = connections.flatMap((connection) => {
    const own = beyondOf(answer, connection);
    return own.openings === 0n ? [] : [[endName(connection.source), '→', endName(connection.target), beyondText(own)].map(printable)];
  });
  const states = answer.learning.map((state) => [`${state.subject.namespace}/${state.subject.name}`, learningText(state)].map(printable));
  return [section(style.bold('allowed beyond what was seen'), beyond), section(style.bold('learned'), states)].join('');
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${title}\n${alignColumns(rows.map((row) => [`  ${row[0]}`, ...row.slice(1)])).join('\n')}\n`;
}

/** `TCP 53`, `252 addresses`. */
function beyondText({ ports, addresses, openings }: Beyond): string {
  const parts = [...(ports.length === 0 ? [] : [formatPorts(ports)]), ...(addresses === 0n ? [] : [`${bigCount(addresses)} ${addresses === 1n ? 'address' : 'addresses'}`])];
  return parts.length === 0 ? `${bigCount(openings)} pairs of ends and ports` : parts.join(', ');
}

/** `pairs of workloads that may talk: 20 before, 4 after; …` */
export function opennessText(before: Openness, after: Openness): string {
  const row = (words: string, key: keyof Openness): string => `${words} ${count(before[key])} → ${count(after[key])}`;
  return `${row('pairs of workloads that may talk:', 'pairs')}; ${row('ports between them:', 'ports')}; ${row('workloads that the outside may come to:', 'fromOutside')}; ${row('that may go outside:', 'toOutside')}`;
}

export function jsonSeen(answer: SeenOf, connection: Connection): object {
  const { ports, addresses, openings } = beyondOf(answer, connection);
  const beyond = { ...jsonPorts(ports), addresses: `${addresses}`, openings: `${openings}` };
  return { standing: standingOf(connection), ...(connection.scrape === undefined ? {} : { scrape: connection.scrape }), ...(connection.seen === undefined ? {} : { seen: seenObject(connection.seen) }), beyond };
}

function seenObject({ rows, count: times, firstSeen, lastSeen, days, witnesses }: Seen): object {
  return { flows: rows.length, count: times, days, firstSeen: timeText(firstSeen), lastSeen: timeText(lastSeen), witnesses: witnesses.map(flowJson) };
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}

export function jsonFlows({ proof, unwritten, learning }: FlowsAnswer): object {
  return {
    ...proof,
    unwritten: Object.fromEntries([...unwritten].sort(([a], [b]) => (a < b ? -1 : 1)).map(([why, rows]) => [why, rows.length])),
    learning: learning.map(({ subject, firstSeen, lastNew, ...state }) => ({ namespace: subject.namespace, name: subject.name, ...state, firstSeen: timeText(firstSeen), lastNew: timeText(lastNew) })),
  };
}
