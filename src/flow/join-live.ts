// What several nodes tell of the same connections, as it comes: shown when the first of them tells it, and once more only where the node of the target refused what had left as allowed.
import { endKey } from './flow-ends.ts';
import type { FlowRecord } from './flow-record.ts';
import { positionOf, type Position } from './join-views.ts';

/** What was told first, and how many of its judgments each position has told. */
interface Span {
  readonly record: FlowRecord;
  readonly isShown: boolean;
  readonly told: Partial<Record<Position, number>>;
}

/** Judgments of one span that another position tells, too. */
interface Match {
  readonly span: Span;
  readonly count: number;
}

/** What nodes tell of one connection may be so far apart: their clocks are. */
const CLOCKS_APART_MS = 5_000;
/** Ends and traffic of which it is known what was told; of what was longest ago it is forgotten, and shown again. */
const PASSAGES_MAX = 1 << 14;
const SPANS_MAX = 16;

/** A class, for it lives in time. */
export class LiveJoining {
  readonly #isWanted: (record: FlowRecord) => boolean;
  readonly #passages = new Map<string, readonly Span[]>();

  constructor(isWanted: (record: FlowRecord) => boolean) {
    this.#isWanted = isWanted;
  }

  /**
   * What of it is to be shown. Read as records, all that is shown without a filter gives the same sums as what the
   * nodes told: only what another part of it is to be taken off has a node.
   */
  take(record: FlowRecord): readonly FlowRecord[] {
    const position = positionOf(record);
    // What its own node refuses no other one sees, and what came by a Service of the target's node came straight to it.
    const isJoined = position !== undefined && (position === 'target' ? record.service === undefined : record.verdict === 'allowed');
    if (!isJoined) return [record].filter(this.#isWanted);
    const key = `${endKey(record.source)} ${record.source.node}\n${endKey(record.target)} ${record.target.node}\n${record.protocol} ${record.port}`;
    const spans = [...(this.#passages.get(key) ?? [])];
    const matches = matchSpans(spans, record, position);
    const rest = partOf(record, record.count - countOf(matches), isFirst(record, position) ? {} : NODELESS);
    const shown = [...rest.filter(this.#isWanted), ...(record.verdict === 'denied' ? this.#refused(record, matches) : this.#named(record, matches))];
    spans.push(...rest.map((part): Span => ({ record: part, isShown: this.#isWanted(part), told: { [position]: part.count } })));
    this.#keep(key, spans);
    return shown;
  }

  #keep(key: string, spans: readonly Span[]): void {
    this.#passages.delete(key);
    this.#passages.set(key, spans.slice(-SPANS_MAX));
    if (this.#passages.size > PASSAGES_MAX) this.#passages.delete(this.#passages.keys().next().value!);
  }

  /** At its end, after it had left: who was shown it as allowed is told otherwise. */
  #refused(record: FlowRecord, matches: readonly Match[]): readonly FlowRecord[] {
    const corrected = matches.filter(({ span }) => span.isShown);
    const others = matches.filter(({ span }) => !span.isShown);
    return [...partOf(record, countOf(corrected), { corrects: true }), ...partOf(record, countOf(others), NODELESS).filter(this.#isWanted)];
  }

  /** Was told as refused before, by a node that does not know the Service: who asked for that has not seen it. */
  #named({ service }: FlowRecord, matches: readonly Match[]): readonly FlowRecord[] {
    const unseen = matches.filter(({ span }) => !span.isShown && span.record.verdict === 'denied');
    return service === undefined ? [] : unseen.flatMap(({ span, count }) => partOf(span.record, count, { service })).filter(this.#isWanted);
  }
}

/** No node before it can tell: on the way from outside none is the source's. */
function isFirst({ source }: FlowRecord, position: Position): boolean {
  return position === 'source' || (position === 'way' && source.kind === 'outside' && source.node === undefined);
}

const NODELESS = { node: undefined } as const;

/** Writes them down as told. */
function matchSpans(spans: Span[], { firstSeen, lastSeen, count }: FlowRecord, position: Position): readonly Match[] {
  let left = count;
  return spans.flatMap((span, index): readonly Match[] => {
    if (span.record.firstSeen - CLOCKS_APART_MS > lastSeen || span.record.lastSeen + CLOCKS_APART_MS < firstSeen) return [];
    const told = span.told[position] ?? 0;
    const more = Math.min(left, span.record.count - told);
    if (more === 0) return [];
    left -= more;
    spans[index] = { ...span, told: { ...span.told, [position]: told + more } };
    return [{ span, count: more }];
  });
}

function partOf(record: FlowRecord, count: number, more: Partial<FlowRecord>): readonly FlowRecord[] {
  if (count === 0) return [];
  const openings = record.openings === undefined ? undefined : Math.max(0, record.openings - (record.count - count));
  return [{ ...record, count, openings, ...more }];
}

function countOf(matches: readonly Match[]): number {
  return matches.reduce((sum, { count }) => sum + count, 0);
}
