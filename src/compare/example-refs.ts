// Two ends that show a change: of ends with many pods, two of them between which it really is.
import { NO_PORTS, subtractPorts, type PortSet } from '../base/port-set.ts';
import { allowedPorts } from '../analyze/decide.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import type { JointEndpoint } from './joint-endpoint.ts';
import type { JointRefs, ProgramPair } from './program-pair.ts';

/** Refs of one set. */
export interface ExampleRefs {
  readonly source: EndpointRef;
  readonly target: EndpointRef;
  /** What these two may do in this set and not in the other. */
  readonly ports: PortSet;
}

export interface ChangedEnds {
  readonly source: JointEndpoint;
  readonly target: JointEndpoint;
  /** The set that allows what the other does not. */
  readonly side: keyof ProgramPair;
}

/** Of the set of `side`. Where it matters which pods share a node, pods are tried until two show the change. */
export function findExampleRefs(pair: ProgramPair, { source, target, side }: ChangedEnds): ExampleRefs {
  const other = side === 'before' ? 'after' : 'before';
  for (const [from, into] of pairsOf(candidatesOf(source), candidatesOf(target))) {
    const elsewhere = from[other] === undefined || into[other] === undefined ? NO_PORTS : allowedPorts(pair[other], from[other], into[other]);
    const ports = subtractPorts(allowedPorts(pair[side], from[side]!, into[side]!), elsewhere);
    if (ports.length > 0) return { source: from[side]!, target: into[side]!, ports };
  }
  throw new Error('bug: a change that no two of its ends show');
}

type JointRef = Readonly<Partial<Record<keyof ProgramPair, EndpointRef>>>;

function candidatesOf({ residences, refs }: JointEndpoint): JointRef[] {
  return (residences.length === 0 ? [refs] : residences.map((residence) => residence.refs)).flatMap(jointRefs);
}

/** A set has all of the pods, or none. */
function jointRefs({ before, after }: JointRefs): JointRef[] {
  return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => ({ ...(before[index] && { before: before[index] }), ...(after[index] && { after: after[index] }) }));
}

/** Two different ones first. */
function* pairsOf(sources: readonly JointRef[], targets: readonly JointRef[]): Generator<readonly [JointRef, JointRef]> {
  const alike: [JointRef, JointRef][] = [];
  for (const source of sources) {
    for (const target of targets) {
      if (isSamePod(source, target)) alike.push([source, target]);
      else yield [source, target];
    }
  }
  yield* alike;
}

function isSamePod(a: JointRef, b: JointRef): boolean {
  return (['before', 'after'] as const).some((side) => a[side]?.kind === 'pod' && b[side]?.kind === 'pod' && a[side].pod === b[side].pod);
}
