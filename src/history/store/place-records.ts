// The records of a batch by the numbers of the store, sorted into days.
import { ADDRESS_BITS, type IpAddress } from '../../base/ip-address.ts';
import type { FlowEnd } from '../../flow/flow-record.ts';
import { readReason } from '../../flow/read-reason.ts';
import { reasonFields } from '../../flow/write-flow.ts';
import { endText } from '../batch/batching.ts';
import { recordsOfBatch, type FlowBatch } from '../batch/flow-batch.ts';
import { internText, objectOf, readEndText, type Dictionaries } from './dictionaries.ts';
import { DENIED_FLAG, IPV6_FLAG, NONE, USED_FLAG } from './flow-keys.ts';
import { DAY_MS, dayOf } from './store-schema.ts';

/** By record. */
export interface DayRows {
  readonly flow: number[];
  /** Milliseconds into the day. */
  readonly last: number[];
  readonly lasted: number[];
  readonly count: number[];
  /** NONE: not known. */
  readonly openings: number[];
}

export interface PlacedBatch {
  /** By day since 1970. */
  readonly days: ReadonlyMap<number, DayRows>;
  /** Judgments that could not be kept: no room, too old, or of an end that nobody can read. */
  readonly lost: number;
  /** Judgments told to be of the future, kept as of now. */
  readonly shifted: number;
}

export interface PlaceOptions {
  readonly nowMs: number;
  /** Records last seen before are not kept. */
  readonly oldestMs: number;
  readonly redactsOutside: boolean;
}

/** A clock may be as much ahead of ours. */
const AHEAD_MS_MAX = 5 * 60_000;

export function placeBatch(known: Dictionaries, batch: FlowBatch, { nowMs, oldestMs, redactsOutside }: PlaceOptions): PlacedBatch {
  const ids = idsOf(known, batch, redactsOutside);
  const { source, target, isDenied, family, protocol, port, service, reason, count, openings, firstSeen, lastSeen } = batch.columns;
  const days = new Map<number, DayRows>();
  let [lost, shifted] = [0, 0];
  for (let row = 0; row < recordsOfBatch(batch); row++) {
    const key = {
      source: ids.ends[source[row]!]!,
      target: ids.ends[target[row]!]!,
      port: port[row]!,
      protocol: protocol[row]!,
      flags: USED_FLAG | (isDenied[row] === 1 ? DENIED_FLAG : 0) | (family[row] === 6 ? IPV6_FLAG : 0),
      node: ids.node,
      service: service[row] === -1 ? NONE : ids.services[service[row]!]!,
      reason: reason[row] === -1 ? NONE : ids.reasons[reason[row]!]!,
    };
    const isAhead = lastSeen[row]! > nowMs + AHEAD_MS_MAX;
    const last = isAhead ? nowMs : lastSeen[row]!;
    const flow = last < oldestMs || key.source === NONE || key.target === NONE || key.node === NONE ? NONE : flowId(known, key);
    if (flow === NONE) {
      lost += count[row]!;
      continue;
    }
    if (isAhead) shifted += count[row]!;
    const day = rowsOf(days, dayOf(last));
    day.flow.push(flow);
    day.last.push(last - dayOf(last) * DAY_MS);
    day.lasted.push(lastSeen[row]! - firstSeen[row]!);
    day.count.push(count[row]!);
    day.openings.push(openings[row]!);
  }
  return { days, lost, shifted };
}

/** A reason or Service for which there is no room is left out; without its ends a flow is nothing. */
function idsOf(known: Dictionaries, { ends, reasons, services, node }: FlowBatch, redactsOutside: boolean): { readonly ends: readonly number[]; readonly reasons: readonly number[]; readonly services: readonly number[]; readonly node: number } {
  return {
    ends: ends.map((text) => endId(known, text, redactsOutside)),
    reasons: reasons.map((text) => reasonId(known, text)),
    services: services.map((text) => internText(known, 'names', text) ?? NONE),
    node: internText(known, 'names', node) ?? NONE,
  };
}

/** What is known by its very text has been looked into before. */
function endId(known: Dictionaries, text: string, redactsOutside: boolean): number {
  const id = redactsOutside ? undefined : known.ends.idOf(text);
  if (id !== undefined) return id;
  const end = readEndText(text);
  if (end === undefined) return NONE;
  return internText(known, 'ends', endText(redactsOutside ? redactEnd(end) : end)) ?? NONE;
}

function reasonId(known: Dictionaries, text: string): number {
  const id = known.reasons.idOf(text);
  if (id !== undefined) return id;
  const object = objectOf(text);
  const reason = object === undefined ? undefined : readReason(object);
  return reason === undefined ? NONE : (internText(known, 'reasons', JSON.stringify(reasonFields(reason))) ?? NONE);
}

function flowId(known: Dictionaries, key: Parameters<Dictionaries['flows']['find']>[0]): number {
  const found = known.flows.find(key);
  if (found !== NONE) return found;
  const id = known.flows.add(key);
  if (id !== NONE) known.fresh.flows.push(id);
  return id;
}

function rowsOf(days: Map<number, DayRows>, day: number): DayRows {
  const found = days.get(day);
  if (found !== undefined) return found;
  const made: DayRows = { flow: [], last: [], lasted: [], count: [], openings: [] };
  days.set(day, made);
  return made;
}

/** Bits of an address outside that are kept: the network of a provider's customer. */
const KEPT_BITS = { 4: 24, 6: 48 } as const;

/** A host outside loses its names and all of its address but the network; pods and nodes are kept. */
export function redactEnd(end: FlowEnd): FlowEnd {
  if (end.kind === 'pod' || end.node !== undefined || end.isOwnNode) return end;
  return { ...end, names: [], address: maskAddress(end.address) };
}

function maskAddress({ family, value }: IpAddress): IpAddress {
  const cut = BigInt(ADDRESS_BITS[family] - KEPT_BITS[family]);
  return { family, value: (value >> cut) << cut };
}
