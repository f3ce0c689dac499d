// What several nodes tell of the same connections becomes one: each was seen by the node of its source, by that of its target, or on the way between, and counts once.
import { daysOf, joinDays, type SeenDays } from './days-seen.ts';
import { FlowEnds } from './flow-ends.ts';
import { foldEnd } from './fold-end.ts';
import type { FlowReason, FlowRecord } from './flow-record.ts';
import { sumFlows } from './sum-flows.ts';

/** Where the node stands that tells. */
export type Position = 'source' | 'way' | 'target';

/** Of one verdict and Service, as the nodes of one position told it. */
interface View extends JoinedFlow {
  readonly position: Position;
}

export interface JoinedFlow extends FlowRecord {
  /** On which records of it begin or end, as bits, told from `lastSeen`. */
  readonly days: number;
}

/** The same ends and traffic between the same two nodes. */
type Passage = Map<string, View>;

/** Those that are joined; what goes on others is told as often as nodes tell it. */
const PASSAGES_MAX = 1 << 20;

/** A class, for it gathers until it is asked. */
export class FlowJoining {
  readonly #ends = new FlowEnds();
  readonly #passages = new Map<string, Passage>();

  /** Gives back a record of which no other node can tell, or that has no room. */
  add(record: FlowRecord): FlowRecord | undefined {
    const position = readPosition(record);
    if (position === undefined) return record;
    const [source, target] = [foldEnd(record.source), foldEnd(record.target)];
    const numbers = [this.#ends.intern(source), this.#ends.intern(target)];
    if (numbers.includes(undefined)) return record;
    const key = `${numbers.join()} ${record.family} ${record.protocol} ${record.port} ${source.node} ${target.node}`;
    let passage = this.#passages.get(key);
    if (passage === undefined && this.#passages.size === PASSAGES_MAX) return record;
    if (passage === undefined) this.#passages.set(key, (passage = new Map()));
    addView(passage, { ...record, source, target, position, days: daysOf(record.firstSeen, record.lastSeen) });
    return undefined;
  }

  /** What was added, each connection once; nothing of it is kept. */
  *take(): Generator<JoinedFlow> {
    for (const views of this.#passages.values()) yield* settle([...views.values()]);
    this.#passages.clear();
  }
}

/** Of records that are known to be of one passage: folded, and of the same ends and traffic between the same two nodes. */
export function joinPassage(records: readonly FlowRecord[]): readonly FlowRecord[] {
  const passage: Passage = new Map();
  for (const record of records) addView(passage, { ...record, position: positionOf(record)!, days: daysOf(record.firstSeen, record.lastSeen) });
  return settle([...passage.values()]);
}

function addView(passage: Passage, view: View): void {
  const { position, verdict, service = '' } = view;
  const name = `${position} ${verdict} ${service}`;
  const before = passage.get(name);
  passage.set(name, before === undefined ? view : { ...sumFlows(before, view), ...joinDays(before, view), position });
}

export function positionOf({ node, source, target }: Pick<FlowRecord, 'node' | 'source' | 'target'>): Position | undefined {
  if (node === undefined || source.node === target.node) return undefined;
  return node === target.node ? 'target' : node === source.node ? 'source' : 'way';
}

/** As it was written: who may not read an end is not told where its pods run, so nothing else of it says who told it. */
function readPosition(record: FlowRecord): Position | undefined {
  const { corrects, verdict, source, target } = record;
  if (corrects === true) return 'target';
  const isHidden = source.node !== target.node && [source, target].some((end) => end.kind === 'pod' && end.node === undefined);
  return isHidden ? (verdict === 'allowed' ? 'source' : undefined) : positionOf(record);
}

/**
 * What left the source's node and was refused at the target's was not let through. What is left is as many as the one
 * or the other counted, whichever is more, so that it is never less than the truth where one of them lost something or
 * says nothing. Only the node that translated the address knows the Service; where refused and allowed ones came by
 * several, nobody knows which by which.
 */
function settle(views: readonly View[]): readonly JoinedFlow[] {
  const of = (position: Position, verdict: FlowRecord['verdict']): readonly View[] => views.filter((view) => view.position === position && view.verdict === verdict);
  const [near, far] = [of('source', 'allowed'), of('way', 'allowed')];
  const left = countOf(near) >= countOf(far) ? near : far;
  const [refused, arrived] = [of('target', 'denied').find(isUnnamed), of('target', 'allowed').find(isUnnamed)];
  const named = views.filter((view) => (view.position === 'target' ? !isUnnamed(view) : view.verdict === 'denied'));
  const told = [...named, ...passed(left, refused, arrived)].filter(({ count }) => count > 0);
  // Whoever joins again what is joined must not take it for what one of them told.
  const isOne = new Set(views.map(({ position }) => position)).size === 1;
  return told.map((record) => ({ ...record, ...(isOne ? {} : { node: undefined }), days: daysToldOf(record, views) }));
}

/** Those of all views of the verdict, until the record was last seen. */
function daysToldOf({ verdict, firstSeen, lastSeen }: FlowRecord, views: readonly View[]): number {
  const same = views.filter((view) => view.verdict === verdict && view.lastSeen <= lastSeen);
  return same.reduce<SeenDays>(joinDays, { lastSeen, days: daysOf(firstSeen, lastSeen) }).days;
}

function passed(left: readonly View[], refused: View | undefined, arrived: View | undefined): readonly FlowRecord[] {
  const isSure = refused === undefined || left.length <= 1 || refused.count >= countOf(left);
  const parts: readonly FlowRecord[] = isSure ? left : [{ ...left.reduce<FlowRecord>((sum, view) => sumFlows(sum, view), { ...left[0]!, count: 0, openings: 0 }), service: undefined }];
  const told: FlowRecord[] = [];
  let refusals = refused?.count ?? 0;
  for (const part of parts) {
    const here = Math.min(part.count, refusals);
    refusals -= here;
    if (refused !== undefined) told.push({ ...refused, count: here, service: part.service });
    told.push({ ...seenByBoth(part, arrived), count: part.count - here, openings: part.openings === undefined ? undefined : Math.max(0, part.openings - here) });
  }
  if (refused !== undefined) told.push({ ...refused, count: refusals });
  if (arrived !== undefined) told.push(restOf(arrived, told.filter(({ verdict }) => verdict === 'allowed')));
  return told;
}

function seenByBoth(part: FlowRecord, arrived: View | undefined): FlowRecord {
  if (arrived === undefined) return part;
  return { ...part, node: undefined, firstSeen: Math.min(part.firstSeen, arrived.firstSeen), lastSeen: Math.max(part.lastSeen, arrived.lastSeen), reason: ofBothSides(part.reason, arrived.reason) };
}

/** Each kernel stands for its own pod's side. */
function ofBothSides(source: FlowReason | undefined, target: FlowReason | undefined): FlowReason | undefined {
  return source === undefined || target === undefined ? (target ?? source) : { egress: source.egress, ingress: target.ingress };
}

function restOf(arrived: View, told: readonly FlowRecord[]): FlowRecord {
  const openings = told.reduce<number | undefined>((sum, part) => (sum === undefined || part.openings === undefined ? undefined : sum + part.openings), 0);
  return { ...arrived, count: Math.max(0, arrived.count - countOf(told)), openings: arrived.openings === undefined || openings === undefined ? undefined : Math.max(0, arrived.openings - openings) };
}

function isUnnamed({ service }: View): boolean {
  return service === undefined;
}

function countOf(views: readonly FlowRecord[]): number {
  return views.reduce((sum, { count }) => sum + count, 0);
}
