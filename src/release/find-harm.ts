// Holds a state between two others against both: what it opens that neither allows, and what it cuts that both allow.
import { formatIpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import { allowedBetween } from '../analyze/decide.ts';
import { FAMILIES, quadNumbers, quadOf, type EndpointRef, type Quad } from '../analyze/endpoint.ts';
import { outsideRanges } from '../analyze/outside-ranges.ts';

/** Three states of one cluster: its pods are the same in all, in the same order. */
export interface ThreeStates {
  readonly before: Program;
  readonly between: Program;
  readonly after: Program;
}

/** Two ends, of which there may be more that all three states treat alike, and what is opened or cut between them. */
export interface Harm {
  readonly kind: 'opened' | 'cut';
  readonly source: EndpointRef;
  readonly target: EndpointRef;
  readonly family: IpFamily;
  readonly ports: PortSet;
}

export interface HarmOptions {
  /** Only connections of which one end is a pod of these namespaces are looked at; undefined: all. */
  readonly namespaces?: ReadonlySet<string> | undefined;
  readonly harmsMax: number;
}

/** Cost follows the kinds of ends that the states tell apart, times those of the namespaces. Never more than `harmsMax`. */
export function findHarm(states: ThreeStates, { namespaces, harmsMax }: HarmOptions): readonly Harm[] {
  const programs = [states.before, states.between, states.after] as const;
  const ends = findEnds(programs, namespaces);
  const translate = [0, 1, 2].map((index) => translation(states.before, programs[index]!));
  const portsIn = (index: 0 | 1 | 2, [source, target]: readonly [End, End], family: IpFamily): number =>
    translate[index]!(allowedBetween(programs[index], { source: source.quads[index]!, target: target.quads[index]!, family }));
  const table = states.before.portSets;
  const harms: Harm[] = [];
  for (const source of ends) {
    if (source.ref.kind === 'domain-name') continue;
    for (const target of ends) {
      if (!areJudged(source, target)) continue;
      for (const family of FAMILIES) {
        const [before, between, after] = [portsIn(0, [source, target], family), portsIn(1, [source, target], family), portsIn(2, [source, target], family)];
        const opened = table.subtract(between, table.union(before, after));
        const cut = table.subtract(table.intersect(before, after), between);
        const pair = { source: source.ref, target: target.ref, family };
        if (opened !== NO_PORTS_ID) harms.push({ kind: 'opened', ...pair, ports: table.portSet(opened) });
        if (cut !== NO_PORTS_ID) harms.push({ kind: 'cut', ...pair, ports: table.portSet(cut) });
        if (harms.length >= harmsMax) return harms.slice(0, harmsMax);
      }
    }
  }
  return harms;
}

/** Ends that all three states treat alike. */
interface End {
  readonly ref: EndpointRef;
  readonly quads: readonly Quad[];
  /** Of pods, replicas included; of what is outside 0. */
  pods: number;
  isTouched: boolean;
}

/** One side is a pod, one side's policies may have changed, and a single pod is not asked about itself. */
function areJudged(source: End, target: End): boolean {
  if (source.pods === 0 && target.pods === 0) return false;
  if (!source.isTouched && !target.isTouched) return false;
  return source !== target || source.pods > 1;
}

function findEnds(programs: readonly [Program, Program, Program], namespaces: ReadonlySet<string> | undefined): readonly End[] {
  const ends = new Map<string, End>();
  const add = (ref: EndpointRef, { key, pods, isTouched }: { readonly key: string; readonly pods: number; readonly isTouched: boolean }): void => {
    const quads = programs.map((program) => quadOf(program, ref));
    const whole = `${key} ${quads.flatMap(quadNumbers).join(' ')}`;
    const known = ends.get(whole);
    if (known === undefined) {
      ends.set(whole, { ref, quads, pods, isTouched });
      return;
    }
    known.pods += pods;
    known.isTouched ||= isTouched;
  };
  for (const [pod, { namespace, replicas }] of programs[0].cluster.pods.entries()) add({ kind: 'pod', pod }, { key: 'pod', pods: replicas, isTouched: namespaces?.has(namespace) ?? true });
  for (const range of cutRanges(programs)) {
    const address = { family: range.family, value: range.first };
    const isPodRange = programs.every((program) => program.atoms[program.findAtom(address)]!.isPodRange);
    if (!isPodRange) add({ kind: 'address', address }, { key: formatIpAddress(address), pods: 0, isTouched: false });
  }
  for (const name of new Set(programs.flatMap(({ domainNames }) => domainNames))) add({ kind: 'domain-name', name }, { key: name, pods: 0, isTouched: false });
  return [...ends.values()];
}

/** The outside, cut wherever one of the three tells addresses apart. */
function cutRanges(programs: readonly Program[]): readonly IpRange[] {
  const all = programs.flatMap(outsideRanges);
  return FAMILIES.flatMap((family) => {
    const own = all.filter((range) => range.family === family);
    const starts = [...new Set(own.flatMap(({ first, last }) => [first, last + 1n]))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return starts.slice(0, -1).map((first, index) => ({ family, first, last: starts[index + 1]! - 1n }));
  });
}

/** Port set ids of a Program as ids of another one. */
function translation(into: Program, program: Program): (id: number) => number {
  const known = [NO_PORTS_ID, ALL_PORTS_ID];
  return (id) => {
    while (known.length <= id) known.push(into === program ? known.length : into.portSets.intern(program.portSets.portSet(known.length)));
    return known[id]!;
  };
}
