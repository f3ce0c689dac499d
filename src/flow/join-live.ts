// What several nodes tell of the same connections, as it comes: shown when the first of them tells it, and once more only where the node of the target refused what had left as allowed.
import { endKey } from './flow-ends.ts';
import type { FlowRecord } from './flow-record.ts';
import { positionOf, type Position } from './join-views.ts';
import { sumFlows } from './sum-flows.ts';

/** What was told first, and how many of its judgments each position has told. */
interface Span {
  readonly record: FlowRecord;
  readonly times: Times;
  /** Grows from one to the next. */
  readonly number: number;
  readonly told: Partial<Record<Position, number>>;
}

/** When it was at the earliest and at the latest, by our own clock. */
interface Times {
  readonly first: number;
  readonly last: number;
}

/** Judgments of one span that another position tells, too. */
interface Match {
  readonly span: Span;
  readonly count: number;
}

/** What a node tells, and what of it another one had told before. */
export interface Told {
  readonly record: FlowRecord;
  /** The part that nobody had told: none or one. */
  readonly news: readonly FlowRecord[];
  readonly matches: readonly Match[];
}

export interface Onlooker {
  readonly isWanted: (record: FlowRecord) => boolean;
  /** He was shown nothing of what was told before. */
  readonly since?: number;
}

/** What nodes tell of one connection may be so far apart beyond what is known of their clocks. */
const CLOCKS_APART_MS = 5_000;
/** In all, and of the same ends and traffic; of what was longest ago it is forgotten that it was told, and it is shown again. */
const SPANS_MAX = 1 << 15;
const SPANS_OF_PASSAGE_MAX = 16;

/** Once for all who look on. A class, for it lives in time. */
export class LiveJoining {
  readonly #passages = new Map<string, readonly Span[]>();
  #spans = 0;
  #number = 0;

  /** For who begins to look on now. */
  get next(): number {
    return this.#number;
  }

  /** `aheadMs`: as far as is known, what the clock of the node that tells is ahead of ours. */
  take(record: FlowRecord, aheadMs = 0): Told {
    const position = positionOf(record);
    // What its own node refuses no other one sees, and what came by a Service of the target's node came straight to it.
    const isJoined = position !== undefined && (position === 'target' ? record.service === undefined : record.verdict === 'allowed');
    if (!isJoined) return { record, news: [record], matches: [] };
    const key = `${endKey(record.source)} ${record.source.node}\n${endKey(record.target)} ${record.target.node}\n${record.family} ${record.protocol} ${record.port}`;
    const spans = [...(this.#passages.get(key) ?? [])];
    const times = timesOf(record, aheadMs);
    const matches = matchSpans(spans, { times, position, count: record.count });
    const news = partOf(record, record.count - countOf(matches), isFirst(record, position) ? {} : NODELESS);
    spans.push(...news.map((part): Span => ({ record: part, times, number: this.#number++, told: { [position]: part.count } })));
    this.#forget(key);
    this.#keep(key, foldTold(spans).slice(-SPANS_OF_PASSAGE_MAX));
    return { record, news, matches };
  }

  #keep(key: string, spans: readonly Span[]): void {
    this.#passages.set(key, spans);
    this.#spans += spans.length;
    while (this.#spans > SPANS_MAX) this.#forget(this.#passages.keys().next().value!);
  }

  #forget(key: string): void {
    this.#spans -= this.#passages.get(key)?.length ?? 0;
    this.#passages.delete(key);
  }
}

/**
 * What of it is to be shown. Read as records, all that is shown without a filter gives the same sums as what the
 * nodes told: only what another part of it is to be taken off has a node.
 */
export function shownOf({ record, news, matches }: Told, { isWanted, since = 0 }: Onlooker): readonly FlowRecord[] {
  const isShown = ({ span }: Match): boolean => span.number >= since && isWanted(span.record);
  const unseen = matches.filter((match) => !isShown(match));
  if (record.verdict === 'allowed') return [...news, ...named(record, unseen)].filter(isWanted);
  // At its end, after it had left: who was shown it as allowed is told otherwise.
  const corrections = partOf(record, countOf(matches) - countOf(unseen), { corrects: true });
  return [...corrections, ...[...news, ...partOf(record, countOf(unseen), NODELESS)].filter(isWanted)];
}

/** Was told as refused before, by a node that does not know the Service: who asked for that has not seen it. */
function named({ service }: FlowRecord, unseen: readonly Match[]): readonly FlowRecord[] {
  return service === undefined ? [] : unseen.filter(({ span }) => span.record.verdict === 'denied').flatMap(({ span, count }) => partOf(span.record, count, { service }));
}

/** No node before it can tell: on the way from outside none is the source's. */
function isFirst({ source }: FlowRecord, position: Position): boolean {
  return position === 'source' || (position === 'way' && source.kind === 'outside' && source.node === undefined);
}

const NODELESS = { node: undefined } as const;

/** By its clock, by ours, or in between: what took long to arrive makes a clock seem behind, and that must part nothing. */
function timesOf({ firstSeen, lastSeen }: FlowRecord, aheadMs: number): Times {
  return { first: Math.min(firstSeen, firstSeen - aheadMs), last: Math.max(lastSeen, lastSeen - aheadMs) };
}

interface Part {
  readonly times: Times;
  readonly position: Position;
  readonly count: number;
}

/** Writes them down as told. */
function matchSpans(spans: Span[], { times: { first, last }, position, count }: Part): readonly Match[] {
  let left = count;
  return spans.flatMap((span, index): readonly Match[] => {
    if (span.times.first - CLOCKS_APART_MS > last || span.times.last + CLOCKS_APART_MS < first) return [];
    const told = span.told[position] ?? 0;
    const more = Math.min(left, span.record.count - told);
    if (more === 0) return [];
    left -= more;
    spans[index] = { ...span, told: { ...span.told, [position]: told + more } };
    return [{ span, count: more }];
  });
}

/** Those of which only a node on the way may tell more become one of each verdict. */
function foldTold(spans: readonly Span[]): readonly Span[] {
  const folded = new Map<string, Span>();
  const open: Span[] = [];
  for (const span of spans) {
    const { verdict } = span.record;
    const before = folded.get(verdict);
    if (!isTold(span)) open.push(span);
    else folded.set(verdict, before === undefined ? span : sumSpans(before, span));
  }
  return [...folded.values(), ...open];
}

function isTold({ record: { source, target, count }, told }: Span): boolean {
  return (source.node === undefined || told.source === count) && (target.node === undefined || told.target === count);
}

function sumSpans(before: Span, more: Span): Span {
  const told = (position: Position): number => (before.told[position] ?? 0) + (more.told[position] ?? 0);
  const times = { first: Math.min(before.times.first, more.times.first), last: Math.max(before.times.last, more.times.last) };
  return { ...more, record: sumFlows(before.record, more.record), times, told: { source: told('source'), way: told('way'), target: told('target') } };
}

function partOf(record: FlowRecord, count: number, more: Partial<FlowRecord>): readonly FlowRecord[] {
  if (count === 0) return [];
  const openings = record.openings === undefined ? undefined : Math.max(0, record.openings - (record.count - count));
  return [{ ...record, count, openings, ...more }];
}

function countOf(matches: readonly Match[]): number {
  return matches.reduce((sum, { count }) => sum + count, 0);
}
