// A line of JSON becomes a flow: one that we wrote, or one of Hubble's export (`hubble observe -o json`, `-o jsonpb`, its file export).
import type { FlowEnd, FlowRecord } from './flow-record.ts';
import type { UnknownEnd } from './filter-flows.ts';
import { protocolNumber } from './flow-protocol.ts';
import { booleanAt, countAt, looseObject, objectAt, textAt, type LooseObject } from './loose-json.ts';
import { endFault, readFlowEnd } from './read-flow-end.ts';
import { readReason } from './read-reason.ts';

/**
 * `reply` and `unsure`: nobody knows from it who opened the connection. `no-verdict`: it tells of no policy's doing.
 * `lost`: as many were not recorded.
 */
export type ReadFlow =
  | { readonly kind: 'flow'; readonly record: FlowRecord }
  | { readonly kind: 'left-out'; readonly why: LeftOut }
  | { readonly kind: 'lost'; readonly flows: number }
  /** A word of the question names nobody. */
  | { readonly kind: 'unknown-end'; readonly end: UnknownEnd }
  | { readonly kind: 'broken'; readonly message: string };

export type LeftOut = 'reply' | 'unsure' | 'no-verdict' | 'no-ends' | 'other-event';

/** Never throws, whatever the line holds. */
export function readFlow(line: string): ReadFlow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'broken', message: 'this is no line of JSON' };
  }
  const outer = looseObject(value);
  if (outer === undefined) return { kind: 'broken', message: 'a flow is a map, and this is none' };
  const lost = objectAt(outer, 'lost_events');
  if (lost !== undefined) return { kind: 'lost', flows: countAt(lost, 'num_events_lost') ?? 1 };
  const unknown = objectAt(outer, 'unknown_end');
  if (unknown !== undefined) return { kind: 'unknown-end', end: { word: textAt(unknown, 'word') ?? '', near: textAt(unknown, 'near') } };
  const flow = objectAt(outer, 'flow') ?? outer;
  if (flow === outer && textAt(flow, 'verdict') === undefined) return { kind: 'left-out', why: 'other-event' };
  return readFields(flow, outer);
}

/** An export may be told to leave fields of the flow out; node and time stand around it, too. */
function readFields(flow: LooseObject, outer: LooseObject): ReadFlow {
  const verdict = verdictOf(flow);
  if (verdict === undefined || textAt(flow, 'Type') === 'L7' || isNeighborDiscovery(flow)) return { kind: 'left-out', why: 'no-verdict' };
  const count = countAt(flow, 'count');
  const why = count === undefined ? directionFault(flow, verdict) : undefined;
  if (why !== undefined) return { kind: 'left-out', why };
  const [source, target] = [readFlowEnd(flow, 'source'), readFlowEnd(flow, 'destination')];
  const traffic = trafficOf(flow);
  if (source === undefined || target === undefined || traffic === undefined) return { kind: 'left-out', why: 'no-ends' };
  const fault = endFault(source) ?? endFault(target);
  if (fault !== undefined) return { kind: 'broken', message: fault };
  const time = timeOf(flow['time'] === undefined ? outer : flow, 'time');
  const [firstSeen, lastSeen] = [timeOf(flow, 'firstSeen') ?? time, timeOf(flow, 'lastSeen') ?? time];
  if (firstSeen === undefined || lastSeen === undefined) return { kind: 'broken', message: 'the flow has no `time` that can be read' };
  const service = objectAt(flow, 'destination_service');
  const [serviceNamespace, serviceName] = [textAt(service, 'namespace'), textAt(service, 'name')];
  const record: FlowRecord = {
    verdict,
    source,
    target,
    family: familyOf(flow, source, target),
    ...traffic,
    count: Math.max(1, count ?? aggregatedOf(flow)),
    ...(booleanAt(flow, 'corrects') === true ? { corrects: true as const } : {}),
    openings: countAt(flow, 'openings'),
    firstSeen,
    lastSeen: Math.max(firstSeen, lastSeen),
    node: textAt(flow, 'node_name') ?? textAt(outer, 'node_name'),
    service: serviceNamespace === undefined || serviceName === undefined ? undefined : `${serviceNamespace}/${serviceName}`,
    reason: readReason(flow),
  };
  return { kind: 'flow', record };
}

/** flow.proto, `Verdict` and `DropReason`: an audited flow went through, and of those dropped only these are a policy's doing. */
function verdictOf(flow: LooseObject): FlowRecord['verdict'] | undefined {
  switch (textAt(flow, 'verdict')) {
    case 'FORWARDED':
    case 'REDIRECTED':
    case 'AUDIT':
      return 'allowed';
    case 'DROPPED': {
      const reason = reasonOf(flow);
      return reason === undefined || POLICY_DROPS.includes(reason) ? 'denied' : undefined;
    }
    default:
      return undefined;
  }
}

const POLICY_DROPS: readonly (string | number)[] = ['POLICY_DENIED', 'POLICY_DENY', 133, 181];

/** A word, or a number where whoever printed it is older than the reason, or knew no words yet. */
function reasonOf(flow: LooseObject): string | number | undefined {
  return textAt(flow, 'drop_reason_desc') ?? countAt(flow, 'drop_reason_desc') ?? countAt(flow, 'drop_reason');
}

/**
 * The opener is the source of what is no reply. Of a drop Hubble knows no connection: an answer is dropped where the
 * connection was forgotten, and only of TCP it can be told from what opens one.
 */
function directionFault(flow: LooseObject, verdict: FlowRecord['verdict']): LeftOut | undefined {
  const isReply = booleanAt(flow, 'is_reply') ?? (booleanAt(flow, 'reply') === true ? true : undefined);
  if (isReply === true) return 'reply';
  if (isReply === false) return undefined;
  const flags = objectAt(objectAt(objectAt(flow, 'l4'), 'TCP'), 'flags');
  if (verdict === 'denied' && flags === undefined) return undefined;
  return booleanAt(flags, 'SYN') === true && booleanAt(flags, 'ACK') !== true ? undefined : 'unsure';
}

/** RFC 4861, section 4: no policy speaks of it. */
function isNeighborDiscovery(flow: LooseObject): boolean {
  const type = countAt(objectAt(objectAt(flow, 'l4'), 'ICMPv6'), 'type');
  return type !== undefined && type >= 133 && type <= 137;
}

/** flow.proto, `Aggregate`: what an exporter summed up over a time (Cilium 1.19). */
function aggregatedOf(flow: LooseObject): number {
  const aggregate = objectAt(flow, 'aggregate');
  return ['ingress', 'egress', 'unknown_direction'].reduce((sum, direction) => sum + (countAt(aggregate, `${direction}_flow_count`) ?? 0), 0);
}

function trafficOf(flow: LooseObject): { readonly protocol: number; readonly port: number } | undefined {
  const l4 = objectAt(flow, 'l4');
  for (const word of Object.keys(l4 ?? {})) {
    const protocol = protocolNumber(word);
    if (protocol === undefined) continue;
    const port = countAt(objectAt(l4, word), 'destination_port') ?? 0;
    const hasPorts = protocol === 6 || protocol === 17 || protocol === 132;
    return port > 65535 || (hasPorts && port === 0) ? undefined : { protocol, port: hasPorts ? port : 0 };
  }
  return undefined;
}

function familyOf(flow: LooseObject, source: FlowEnd, target: FlowEnd): 4 | 6 {
  const version = textAt(objectAt(flow, 'IP'), 'ipVersion');
  if (version === 'IPv4' || version === 'IPv6') return version === 'IPv6' ? 6 : 4;
  return (source.address ?? target.address)?.family ?? 4;
}

/** Of `2026-11-20T10:00:00.000Z`: what is finer is longer. */
const MILLISECONDS_LENGTH = 24;

/** RFC 3339, as protojson writes it: from the year 1 to 9999, to the nanosecond. */
function timeOf(flow: LooseObject, name: string): number | undefined {
  const text = textAt(flow, name);
  if (text === undefined || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}T/.test(text)) return undefined;
  const time = Date.parse(text.length <= MILLISECONDS_LENGTH ? text : text.replace(/(\.[0-9]{3})[0-9]+/, '$1'));
  return Number.isNaN(time) ? undefined : time;
}
