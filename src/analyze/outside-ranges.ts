// The outside in the fewest ranges that policies tell apart: neighboring atoms that no subject treats differently are one.
import type { IpRange } from '../base/ip-address.ts';
import { PairTable } from '../compile/pair-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';

/** Disjoint, ascending, IPv4 first; the cluster's own pod ranges, where they are known, are not outside. */
export function outsideRanges(program: Program): readonly IpRange[] {
  const isSame = atomComparer(program);
  const ranges: { family: IpRange['family']; first: bigint; last: bigint; atom: number }[] = [];
  for (const [index, atom] of program.atoms.entries()) {
    if (atom.isPodRange) continue;
    const previous = ranges.at(-1);
    const isJoined = previous?.family === atom.family && previous.last + 1n === atom.first && isSame(index - 1, index);
    if (isJoined) previous.last = atom.last;
    else ranges.push({ family: atom.family, first: atom.first, last: atom.last, atom: index });
  }
  return ranges.map(({ family, first, last }) => ({ family, first, last }));
}

/** Whether two neighboring atoms are alike for every group of the cluster, in both directions. */
function atomComparer({ egress, ingress }: Program): (a: number, b: number) => boolean {
  const directions = [egress, ingress].map((direction) => ({ classOfAtom: direction.classOfAtom, apart: neighborsApart(direction) }));
  return (a, b) => directions.every(({ classOfAtom, apart }) => apart.get(classOfAtom[a]!, classOfAtom[b]!) < 0);
}

interface ClassPair {
  readonly one: number;
  readonly other: number;
}

/** Classes of neighboring atoms that some subject treats differently. Row by row: a row is read as a whole, and most pairs differ in one of the first. */
function neighborsApart(direction: DirectionProgram): PairTable {
  const { classOfAtom, subjectOfGroup } = direction;
  const seen = new PairTable();
  const apart = new PairTable();
  let alike: ClassPair[] = [];
  for (let atom = 1; atom < classOfAtom.length; atom++) {
    const [one, other] = [classOfAtom[atom - 1]!, classOfAtom[atom]!];
    if (one === other || seen.get(one, other) >= 0) continue;
    seen.set(one, other, atom);
    alike.push({ one, other });
  }
  for (const subject of new Set(subjectOfGroup)) {
    if (alike.length === 0) break;
    const row = direction.rowOf(subject);
    alike = alike.filter(({ one, other }) => {
      if (row.at(one) === row.at(other)) return true;
      apart.set(one, other, 1);
      return false;
    });
  }
  return apart;
}
