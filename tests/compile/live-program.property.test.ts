// A Program that follows changes is the Program of the cluster as it is then, and tells exactly what each change did.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reach } from '../../src/analyze/reach.ts';
import type { IpAddress, IpFamily } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { LiveProgram } from '../../src/compile/live-program.ts';
import type { DirectionDifference, ProgramDifference } from '../../src/compile/program-difference.ts';
import type { Program } from '../../src/compile/program.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { DIRECTIONS, type Direction } from '../../src/model/network-policy.ts';
import { reachJson } from '../../src/report/reach/reach-json.ts';
import { checkWith } from '../clusters/check-property.ts';
import { holdToReference } from '../clusters/hold-to-reference.ts';
import { outsideAddresses } from '../clusters/points.ts';
import { changedCluster, changeOf, randomChanges, type RandomChanges } from '../clusters/random-changes.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { podKey, settleCluster } from '../clusters/settle.ts';
import { verdictsOf } from '../clusters/verdicts.ts';

test('after each change the verdicts are those of a fresh compile', () => {
  checkWith(randomChanges, (raw, { pool, picks }) => {
    let cluster = settleCluster(raw);
    const live = new LiveProgram(cluster);
    for (const pick of picks) {
      const change = changeOf(cluster, pool, pick);
      if (change === undefined) continue;
      cluster = changedCluster(cluster, change);
      live.apply(change);
      const outside = outsideAddresses(cluster);
      assert.deepEqual(sorted(verdictsOf(live.program, outside)), sorted(verdictsOf(compileCluster(cluster), outside)), change.kind);
    }
  }, { share: 0.4 });
});

test('after random changes a live Program decides as the reference does', () => {
  checkWith(randomChanges, (raw, changes) => {
    const { live, cluster } = followAll(raw, changes);
    holdToReference(live.program, cluster);
  }, { share: 0.3 });
});

test('after random changes the rows of reach are those of a fresh compile', () => {
  checkWith(randomChanges, (raw, changes) => {
    const { program } = followAll(raw, changes).live;
    assert.equal(reachText(program), reachText(compileCluster(program.cluster)));
  }, { share: 0.3 });
});

test('the difference of a change names exactly the entries that differ', () => {
  checkWith(randomChanges, (raw, { pool, picks }) => {
    let cluster = settleCluster(raw);
    const live = new LiveProgram(cluster);
    for (const pick of picks) {
      const change = changeOf(cluster, pool, pick);
      if (change === undefined) continue;
      const next = changedCluster(cluster, change);
      const difference = live.apply(change);
      const outside = outsideAddresses(next);
      const [before, after] = [entriesOf(compileCluster(cluster), outside), entriesOf(compileCluster(next), outside)];
      const expected = [...after].filter(([key, ports]) => before.has(key) && before.get(key) !== ports).map(([key]) => key);
      // A pattern that nobody named before was any other name, and that has an entry of its own.
      const told = toldEntries(live.program, difference, outside).filter((key) => before.has(key));
      // A pod that is told as added is new as a whole.
      const added = difference.addedPod === undefined ? undefined : podKey(live.program.cluster.pods[difference.addedPod]!);
      const isNew = (key: string): boolean => added !== undefined && key.split(' | ').includes(added);
      assert.deepEqual(told.sort(), expected.filter((key) => !isNew(key)).sort(), change.kind);
      cluster = next;
    }
  }, { share: 0.4 });
});

/** A live Program after all of the changes, and what its cluster is then by a way of its own. */
function followAll(raw: RawCluster, { pool, picks }: RandomChanges): { readonly live: LiveProgram; readonly cluster: Cluster } {
  let cluster = settleCluster(raw);
  const live = new LiveProgram(cluster);
  for (const pick of picks) {
    const change = changeOf(cluster, pool, pick);
    const next = change && changedCluster(cluster, change);
    if (change === undefined || next === undefined || hasOrphans(next)) continue;
    cluster = next;
    live.apply(change);
  }
  return { live, cluster };
}

/** The reference knows no pod whose namespace is not there, and neither does the API server. */
function hasOrphans({ namespaces, pods, policies }: Cluster): boolean {
  const names = new Set(namespaces.map(({ name }) => name));
  return [...pods, ...policies].some(({ namespace }) => !names.has(namespace));
}

function reachText(program: Program): string {
  return [...reachJson(reach(program, { by: 'pod' }), [])].join('');
}

function sorted(verdicts: ReadonlyMap<string, unknown>): unknown[] {
  return [...verdicts].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface End {
  readonly name: string;
  readonly families: readonly IpFamily[];
  /** Index of a pod, an atom or a domain name. */
  readonly pod: number | undefined;
  readonly atom: number | undefined;
  readonly domainName: number | undefined;
}

function endsOf(program: Program, outside: readonly IpAddress[]): End[] {
  const none = { pod: undefined, atom: undefined, domainName: undefined };
  return [
    ...program.cluster.pods.map((pod, index) => ({ ...none, name: podKey(pod), families: program.groups[program.groupOfPod[index]!]!.families, pod: index })),
    ...outside.map((address) => ({ ...none, name: `${address.family} ${address.value}`, families: [address.family], atom: program.findAtom(address) })),
    ...[...program.domainNames, ''].map((name, index) => ({ ...none, name: `domain ${name}`, families: [4, 6] as const, domainName: index })),
  ];
}

function classOf(program: Program, direction: Direction, end: End, family: IpFamily): number {
  const side = program[direction];
  if (end.pod !== undefined) return side.classOfGroup[family][program.groupOfPod[end.pod]!]!;
  return end.atom === undefined ? side.classOfDomainName[family][end.domainName!]! : side.classOfAtom[end.atom]!;
}

/** Ports of each pod with each end, as text, by direction and names. */
function entriesOf(program: Program, outside: readonly IpAddress[]): Map<string, string> {
  const entries = new Map<string, string>();
  const ends = endsOf(program, outside);
  for (const direction of DIRECTIONS) {
    for (const [index, pod] of program.cluster.pods.entries()) {
      const subject = program[direction].subjectOfGroup[program.groupOfPod[index]!]!;
      for (const end of ends) {
        const ports = end.families.map((family) => program.portSets.portSet(program[direction].portsOf(subject, classOf(program, direction, end, family))).join());
        entries.set(`${direction} | ${podKey(pod)} | ${end.name}`, ports.join(' / '));
      }
    }
  }
  return entries;
}

function toldEntries(program: Program, difference: ProgramDifference, outside: readonly IpAddress[]): string[] {
  const ends = endsOf(program, outside);
  return DIRECTIONS.flatMap((direction) => {
    const told = difference[direction];
    return program.cluster.pods.flatMap((pod, index) =>
      index === difference.addedPod ? [] : ends
        .filter((end) => end.pod === undefined || end.pod !== difference.addedPod)
        .filter((end) => isTold(program, told, { index, end }))
        .map((end) => `${direction} | ${podKey(pod)} | ${end.name}`),
    );
  });
}

function isTold(program: Program, { direction, subjects, classes }: DirectionDifference, { index, end }: { readonly index: number; readonly end: End }): boolean {
  const subjectMove = subjects.find(({ pods }) => pods.includes(index));
  const classMove = classes.findIndex(({ pods, atoms, domainNames }) => {
    if (end.pod !== undefined) return pods.includes(end.pod);
    return end.atom === undefined ? domainNames.includes(end.name.slice('domain '.length)) : atoms.includes(end.atom);
  });
  if (subjectMove !== undefined) {
    if (classMove >= 0) return subjectMove.moves.includes(classMove);
    return end.families.some((family) => subjectMove.classes.includes(classOf(program, direction, end, family)));
  }
  return classMove >= 0 && classes[classMove]!.subjects.includes(program[direction].subjectOfGroup[program.groupOfPod[index]!]!);
}

