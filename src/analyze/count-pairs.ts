// How many ordered pairs of pods may talk on any port, counted by subject and class and never pair by pair.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program, Row } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { quadKey, quadOfGroup, type Quad } from './endpoint.ts';

export interface PairCount {
  /** Ordered pairs of different pods, n × (n − 1). */
  readonly pairs: number;
  /** Those that may talk on at least one port of any protocol. */
  readonly allowed: number;
}

export function countPairs(program: Program): PairCount {
  const pods = program.groups.reduce((sum, group) => sum + group.size, 0);
  const quads = countQuads(program);
  let allowed = 0;
  for (const [subject, sources] of groupBy(quads, ({ quad }) => quad.egressSubject)) {
    allowed += countFrom(program, program.egress.rowOf(subject), { sources, targets: quads });
  }
  for (const { quad, pods: size } of quads) {
    if (allowedBetween(program, { source: quad, target: quad }) !== NO_PORTS_ID) allowed -= size;
  }
  return { pairs: pods * (pods - 1), allowed };
}

interface CountedQuad {
  readonly quad: Quad;
  pods: number;
}

function countQuads(program: Program): readonly CountedQuad[] {
  const counted = new Map<string, CountedQuad>();
  for (const group of program.groups) {
    const quad = quadOfGroup(program, group.id);
    const key = quadKey(quad);
    const known = counted.get(key);
    if (known === undefined) counted.set(key, { quad, pods: group.size });
    else known.pods += group.size;
  }
  return [...counted.values()];
}

interface Ends {
  readonly sources: readonly CountedQuad[];
  readonly targets: readonly CountedQuad[];
}

/** Sources of one egress subject to all targets: targets that the row refuses are passed over, the rest are asked by class of source. */
function countFrom(program: Program, row: Row, { sources, targets }: Ends): number {
  const byClass = [...groupBy(sources, ({ quad }) => `${quad.ingressClass[4]} ${quad.ingressClass[6]} ${quad.families.join('')}`).values()];
  const classes = byClass.map((members) => ({ quad: members[0]!.quad, pods: members.reduce((sum, { pods }) => sum + pods, 0) }));
  const reached = targets.filter(({ quad }) => row[quad.egressClass[4]] !== NO_PORTS_ID || row[quad.egressClass[6]] !== NO_PORTS_ID);
  let allowed = 0;
  const targetClasses = groupBy(reached, ({ quad }) => `${quad.ingressSubject} ${quad.egressClass[4]} ${quad.egressClass[6]} ${quad.families.join('')}`);
  for (const members of targetClasses.values()) {
    const target = members[0]!.quad;
    const targetPods = members.reduce((sum, { pods }) => sum + pods, 0);
    for (const source of classes) {
      if (allowedBetween(program, { source: source.quad, target }) !== NO_PORTS_ID) allowed += source.pods * targetPods;
    }
  }
  return allowed;
}

function groupBy<Value, Key>(values: readonly Value[], keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
