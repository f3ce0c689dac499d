// Flows of which several nodes may tell: those of the same ends and traffic between two nodes, as rings of numbers.
import { setImmediate } from 'node:timers/promises';
import { positionOf } from '../../flow/join-views.ts';
import { parsedEnd, type Dictionaries } from '../store/dictionaries.ts';
import { IPV6_FLAG, NONE } from '../store/flow-keys.ts';

/** In plain arrays: there are millions of flows. */
export interface Passages {
  /** The first flow of each. */
  readonly firsts: readonly number[];
  /** By flow: the next one of its passage, after the last the first; NONE where no other node can tell of it. */
  readonly next: Int32Array;
}

/** Flows that are looked at before others have their turn. */
const FLOWS_AT_ONCE = 1 << 14;

export async function findPassages(known: Dictionaries, flows: readonly number[]): Promise<Passages> {
  const { source, target, protocol, port, flags, node } = known.flows.columns;
  const firsts: number[] = [];
  const next = new Int32Array(known.flows.end).fill(NONE);
  const isSame = (a: number, b: number): boolean => source[a] === source[b] && target[a] === target[b] && port[a] === port[b] && protocol[a] === protocol[b] && ((flags[a]! ^ flags[b]!) & IPV6_FLAG) === 0;
  // Open addressing: the latest flow of each passage by the hash of what makes it one.
  const latest = new Int32Array(2 ** Math.ceil(Math.log2(flows.length * 2 + 1))).fill(NONE);
  const mask = latest.length - 1;
  for (const [index, flow] of flows.entries()) {
    if (index % FLOWS_AT_ONCE === FLOWS_AT_ONCE - 1) await setImmediate();
    if (positionOf({ source: parsedEnd(known, source[flow]!)!, target: parsedEnd(known, target[flow]!)!, node: known.names.textOf(node[flow]!) }) === undefined) continue;
    const hash = Math.imul(Math.imul(source[flow]!, 0x9e3779b1) ^ target[flow]!, 0x85ebca6b) ^ Math.imul((port[flow]! << 8) | protocol[flow]!, 0xc2b2ae35);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (latest[slot] !== NONE && !isSame(latest[slot]!, flow)) slot = (slot + 1) & mask;
    const before = latest[slot]!;
    if (before === NONE) firsts.push(flow);
    next[flow] = before === NONE ? flow : next[before]!;
    if (before !== NONE) next[before] = flow;
    latest[slot] = flow;
  }
  return { firsts, next };
}

/** In the order in which they were found. */
export function flowsOfPassage({ next }: Passages, first: number): readonly number[] {
  const flows = [first];
  for (let flow = next[first]!; flow !== first; flow = next[flow]!) flows.push(flow);
  return flows;
}
