// Which flows of a store a question means, by their numbers: looked up once per end and port, whatever the number of flows.
import { endFilter, flowFilter, serviceOfWord } from '../../flow/filter-flows.ts';
import type { FlowReason, FlowRecord, FlowVerdict } from '../../flow/flow-record.ts';
import { readReason } from '../../flow/read-reason.ts';
import { objectOf, parsedEnd, type Dictionaries } from '../store/dictionaries.ts';
import { DENIED_FLAG, IPV6_FLAG, NONE, USED_FLAG } from '../store/flow-keys.ts';
import { concealEnd, isReadable, type Readable } from '../store/readable-flows.ts';

/** Each is some hundred bytes to some thousand. */
const REASONS_KEPT_MAX = 1 << 14;

/** Words as a person types them. */
export interface FlowWords {
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  readonly port?: string | undefined;
  readonly verdict?: FlowVerdict | undefined;
}

export type IsWantedFlow = (flow: number) => boolean;

/** Good until the store is opened anew. Throws WordError for a word that cannot be read. */
export function wantedFlows(known: Dictionaries, { source, target, port, verdict }: FlowWords, readable: Readable): IsWantedFlow {
  const service = target === undefined ? undefined : serviceOfWord(target);
  const [isSource, isTarget] = [source, service === undefined ? target : undefined].map((word) => endTest(known, word, readable)) as [(id: number) => boolean, (id: number) => boolean]; // two go in
  const mayRead = remembered((id) => readable === 'all' || isReadable(readable, parsedEnd(known, id)!));
  const isPort = portTest(port);
  const columns = known.flows.columns;
  const isOfService = service === undefined ? undefined : passagesOf(known, service);
  return (flow) => {
    const flags = columns.flags[flow]!;
    if ((flags & USED_FLAG) === 0 || (verdict !== undefined && (verdict === 'denied') !== ((flags & DENIED_FLAG) !== 0))) return false;
    const [from, into] = [columns.source[flow]!, columns.target[flow]!];
    if (isOfService?.(flow) === false || (isOfService !== undefined && !mayRead(into))) return false;
    return isPort(columns.protocol[flow]!, columns.port[flow]!) && isSource(from) && isTarget(into) && (mayRead(from) || mayRead(into));
  };
}

/** Also what others tell of the same ends and port: the Service is known to one of the nodes alone. */
function passagesOf({ flows: { columns, end }, names }: Dictionaries, service: string): IsWantedFlow {
  const passage = (flow: number): string => `${columns.source[flow]} ${columns.target[flow]} ${columns.protocol[flow]} ${columns.port[flow]}`;
  const found = new Set<string>();
  for (let flow = 0; flow < end; flow++) {
    if ((columns.flags[flow]! & USED_FLAG) !== 0 && columns.service[flow] !== NONE && names.textOf(columns.service[flow]!) === service) found.add(passage(flow));
  }
  return (flow) => found.has(passage(flow));
}

/** What he may not know of an end does not find it either. */
function endTest(known: Dictionaries, word: string | undefined, readable: Readable): (id: number) => boolean {
  if (word === undefined) return () => true;
  const isMeant = endFilter(word);
  return remembered((id) => isMeant(concealEnd(readable, parsedEnd(known, id)!)));
}

function portTest(word: string | undefined): (protocol: number, port: number) => boolean {
  if (word === undefined) return () => true;
  const isMeant = flowFilter({ port: word });
  const test = remembered((point) => isMeant({ ...ANY_FLOW, protocol: point >>> 16, port: point & 0xffff }));
  return (protocol, port) => test((protocol << 16) | port);
}

const NOWHERE = { kind: 'outside', address: { family: 4, value: 0n }, names: [], node: undefined, isOwnNode: false } as const;
const ANY_FLOW: FlowRecord = { verdict: 'allowed', source: NOWHERE, target: NOWHERE, family: 4, protocol: 6, port: 1, count: 1, openings: undefined, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: undefined };

/** Of numbers that are small: an array is several times faster than a `Map`. */
function remembered(find: (value: number) => boolean): (value: number) => boolean {
  const answers: (boolean | undefined)[] = [];
  return (value) => (answers[value] ??= find(value));
}

export interface Seen {
  readonly count: number;
  readonly openings: number | undefined;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** Whole, whoever may know it: what several nodes told is joined before anything is concealed. Reasons, which many have in common, are read once. */
export function recordMaker(known: Dictionaries): (flow: number, seen: Seen) => FlowRecord {
  const reasons = new Map<number, FlowReason | undefined>();
  const reasonOf = (id: number): FlowReason | undefined => {
    if (id === NONE) return undefined;
    if (!reasons.has(id)) {
      if (reasons.size === REASONS_KEPT_MAX) reasons.clear();
      const why = objectOf(known.reasons.textOf(id)!);
      reasons.set(id, why === undefined ? undefined : readReason(why));
    }
    return reasons.get(id);
  };
  return (flow, seen) => {
    const { source, target, port, protocol, flags, node, service, reason } = known.flows.keyAt(flow);
    return {
      verdict: (flags & DENIED_FLAG) === 0 ? 'allowed' : 'denied',
      source: parsedEnd(known, source)!,
      target: parsedEnd(known, target)!,
      family: (flags & IPV6_FLAG) === 0 ? 4 : 6,
      protocol,
      port,
      ...seen,
      node: known.names.textOf(node),
      service: service === NONE ? undefined : known.names.textOf(service),
      reason: reasonOf(reason),
    };
  };
}
