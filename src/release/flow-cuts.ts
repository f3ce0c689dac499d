// Recorded flows that went through, and that the new policies would refuse while the old ones do not.
import { trafficText } from '../flow/flow-protocol.ts';
import { endName, type FlowRecord } from '../flow/flow-record.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { replayFlows } from '../flow/replay.ts';
import type { ProgramPair } from '../compare/program-pair.ts';
import type { GuardWitness } from './guards.ts';

/** Flows that are told singly; the rest is counted with the last. */
const WITNESSES_MAX = 5;

/** Those seen most often first. */
export function flowCuts({ before, after }: ProgramPair, table: FlowTable): readonly GuardWitness[] {
  const known = new Set([...replayFlows(before.cluster, table).refused.records()].map(keyOf));
  const fresh = [...replayFlows(after.cluster, table).refused.records()].filter((record) => !known.has(keyOf(record))).sort((a, b) => b.count - a.count);
  return fresh.slice(0, WITNESSES_MAX).map((record, index, shown) => ({
    guard: 'flows',
    message: `${endName(record.source)} → ${endName(record.target)} was seen ${record.count} times, last at ${new Date(record.lastSeen).toISOString().slice(0, 19)}Z`,
    traffic: trafficText(record.protocol, record.port),
    policy: 'the new policies',
    related: [],
    more: index === shown.length - 1 ? fresh.length - shown.length : 0,
  }));
}

function keyOf({ source, target, family, protocol, port }: FlowRecord): string {
  return JSON.stringify([endName(source), endName(target), family, protocol, port]);
}
