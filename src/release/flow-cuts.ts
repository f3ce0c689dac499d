// Recorded flows that went through, and that the new policies would refuse while the old ones do not.
import { DIRECTIONS } from '../model/network-policy.ts';
import { trafficText } from '../flow/flow-protocol.ts';
import { endName, policyText, type FlowReason, type FlowRecord } from '../flow/flow-record.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { nearestText } from '../flow/reason-text.ts';
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
    policy: refuserText(record.reason!), // of a replay each has one
    related: [],
    more: index === shown.length - 1 ? fresh.length - shown.length : 0,
  }));
}

/** The rules that deny; else the policies that isolate, with what the rule that came nearest lacks. */
function refuserText(reason: FlowReason): string {
  const direction = DIRECTIONS.toReversed().find((one) => reason[one].verdict === 'refuses')!; // it is refused
  const { rules, isolatedBy } = reason[direction];
  if (rules.length > 0) return rules.map((rule) => `${direction} rule ${rule.index + 1} of ${policyText(rule)}`).join(' and ');
  const nearest = nearestText(reason);
  return `${isolatedBy.map(policyText).join(' and ')}${nearest === undefined ? '' : ` (${nearest})`}`;
}

function keyOf({ source, target, family, protocol, port }: FlowRecord): string {
  return JSON.stringify([endName(source), endName(target), family, protocol, port]);
}
