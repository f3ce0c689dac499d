// The outside in the fewest ranges that policies tell apart: neighboring atoms that no subject treats differently are one.
import type { IpRange } from '../base/ip-address.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';

/** Disjoint, ascending, IPv4 first; the cluster's own pod ranges, where they are known, are not outside. */
export function outsideRanges(program: Program): readonly IpRange[] {
  const isSame = columnComparer(program);
  const ranges: { family: IpRange['family']; first: bigint; last: bigint; atom: number }[] = [];
  for (const [index, atom] of program.atoms.entries()) {
    if (atom.isPodRange) continue;
    const previous = ranges.at(-1);
    const isJoined = previous?.family === atom.family && previous.last + 1n === atom.first && isSame(previous.atom, index);
    if (isJoined) previous.last = atom.last;
    else ranges.push({ family: atom.family, first: atom.first, last: atom.last, atom: index });
  }
  return ranges.map(({ family, first, last }) => ({ family, first, last }));
}

/** Whether two atoms are alike for every group of the cluster, in both directions. */
function columnComparer(program: Program): (a: number, b: number) => boolean {
  const directions = [program.egress, program.ingress].map((direction) => ({
    classOfAtom: direction.classOfAtom,
    rows: liveRows(direction),
    known: new Map<string, boolean>(),
  }));
  return (a, b) =>
    directions.every(({ classOfAtom, rows, known }) => {
      const [one, other] = [classOfAtom[a]!, classOfAtom[b]!];
      if (one === other) return true;
      const key = `${one} ${other}`;
      let isSame = known.get(key);
      if (isSame === undefined) known.set(key, (isSame = rows.every((row) => row.at(one) === row.at(other))));
      return isSame;
    });
}

function liveRows(direction: DirectionProgram): Row[] {
  return [...new Set(direction.subjectOfGroup)].map((subject) => direction.rowOf(subject));
}
