// Whether what the rules say of a flow is what the kernel of one node did with it.
import type { LedgerEntry } from '../kernel/firewall.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { FlowReason } from './flow-record.ts';

/** Only sides that the node judges can disagree. What was refused for want of knowledge no rule explains. */
export function agreesWithKernel(reason: FlowReason, { verdict, refusal }: Pick<LedgerEntry, 'verdict' | 'refusal'>, isJudgedHere: (direction: Direction) => boolean): boolean {
  if (verdict === 'allowed') return DIRECTIONS.every((direction) => !isJudgedHere(direction) || reason[direction].verdict !== 'refuses');
  return (refusal === 'egress' || refusal === 'ingress') && reason[refusal].verdict === 'refuses';
}
