// Atoms: all ipBlocks, less their excepts, cut the address space of both families once into ranges that every policy treats alike.
import { LAST_ADDRESS, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import type { IpBlockPeer } from '../model/network-policy.ts';
import type { ListInterner } from './list-interner.ts';

/** A range of addresses; whole atoms lie inside or outside the pod ranges. */
export interface Atom extends IpRange {
  readonly isPodRange: boolean;
}

/** A block's id is its place in `blocks`. */
export function cutAtoms(blocks: readonly IpBlockPeer[], podRanges: readonly IpRange[], lists: ListInterner): AtomTable {
  const atoms: Atom[] = [];
  const blocksOfAtom: number[] = [];
  for (const family of [4, 6] as const) {
    sweep({ family, blocks, podRanges }, (atom, open) => {
      atoms.push(atom);
      blocksOfAtom.push(lists.intern(open));
    });
  }
  return new AtomTable(atoms, blocksOfAtom);
}

/** Grows by blocks that come later: their ends cut atoms, and nothing joins them again. */
export class AtomTable {
  /** Ascending, family 4 before 6, together the whole space of both. */
  readonly atoms: Atom[];
  /** For each atom, the interned list of the blocks over it. */
  readonly blocksOfAtom: number[];
  /** First addresses of family 4: numbers of 32 bits compare several times faster than the same as bigints. */
  private readonly firsts4: number[];

  constructor(atoms: Atom[], blocksOfAtom: number[]) {
    this.atoms = atoms;
    this.blocksOfAtom = blocksOfAtom;
    this.firsts4 = atoms.filter(({ family }) => family === 4).map(({ first }) => Number(first));
  }

  /** Index of the atom that holds an address. */
  find({ family, value }: IpAddress): number {
    const { atoms, firsts4 } = this;
    return family === 4 ? findLast(0, firsts4.length, Number(value), (atom) => firsts4[atom]!) : findLast(firsts4.length, atoms.length, value, (atom) => atoms[atom]!.first);
  }

  /** Lays a block over the atoms, and gives those that it covers; `onCut` hears of each atom that was cut in two, in order. */
  addBlock(id: number, block: IpBlockPeer, { lists, onCut }: { readonly lists: ListInterner; readonly onCut: (atom: number) => void }): number[] {
    const covered: number[] = [];
    for (const { family, first, last } of blockRanges(block)) {
      this.cutAt({ family, value: first }, onCut);
      this.cutAt({ family, value: last + 1n }, onCut);
      for (let atom = this.find({ family, value: first }); atom < this.atoms.length; atom++) {
        if (this.atoms[atom]!.family !== family || this.atoms[atom]!.first > last) break;
        this.blocksOfAtom[atom] = lists.intern([...lists.list(this.blocksOfAtom[atom]!), id]);
        covered.push(atom);
      }
    }
    return covered;
  }

  /** Cuts at the ends of the ranges, and says of each atom anew whether it lies in one. */
  setPodRanges(ranges: readonly IpRange[], onCut: (atom: number) => void): void {
    for (const { family, first, last } of ranges) {
      this.cutAt({ family, value: first }, onCut);
      this.cutAt({ family, value: last + 1n }, onCut);
    }
    for (const [place, atom] of this.atoms.entries()) {
      const isPodRange = ranges.some(({ family, first, last }) => family === atom.family && first <= atom.first && atom.last <= last);
      if (isPodRange !== atom.isPodRange) this.atoms[place] = { ...atom, isPodRange };
    }
  }

  private cutAt(address: IpAddress, onCut: (atom: number) => void): void {
    if (address.value > LAST_ADDRESS[address.family]) return;
    const place = this.find(address);
    const atom = this.atoms[place]!;
    if (atom.first === address.value) return;
    this.atoms.splice(place, 1, { ...atom, last: address.value - 1n }, { ...atom, first: address.value });
    this.blocksOfAtom.splice(place, 0, this.blocksOfAtom[place]!);
    if (address.family === 4) this.firsts4.splice(place + 1, 0, Number(address.value));
    onCut(place);
  }
}

/** The last place from `start` to `end` whose number is not above `value`; the first of them never is. */
function findLast<Value extends number | bigint>(start: number, end: number, value: Value, at: (place: number) => Value): number {
  let low = start;
  let high = end - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at(middle) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The family of which a block holds every address; undefined: it holds a part. */
export function wholeFamilyOf({ cidr, except }: IpBlockPeer): IpFamily | undefined {
  return cidr.first === 0n && cidr.last === LAST_ADDRESS[cidr.family] && except.length === 0 ? cidr.family : undefined;
}

/** What is left of a block when its excepts are taken away: ascending, disjoint. */
export function blockRanges(block: IpBlockPeer): readonly IpRange[] {
  const { family, last } = block.cidr;
  const holes = [...block.except].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const ranges: IpRange[] = [];
  let next = block.cidr.first;
  for (const hole of holes) {
    if (hole.first > next) ranges.push({ family, first: next, last: hole.first - 1n });
    if (hole.last >= next) next = hole.last + 1n;
  }
  if (next <= last) ranges.push({ family, first: next, last });
  return ranges;
}

/** A place where blocks or pod ranges open (+) or close (−). */
interface Boundary {
  readonly at: bigint;
  /** A block's id; −1 for a pod range. */
  readonly block: number;
  readonly opens: boolean;
}

interface SweepInput {
  readonly family: IpFamily;
  readonly blocks: readonly IpBlockPeer[];
  readonly podRanges: readonly IpRange[];
}

const POD_RANGE = -1;

function sweep(input: SweepInput, give: (atom: Atom, open: readonly number[]) => void): void {
  const { family } = input;
  const boundaries = collectBoundaries(input);
  let open: readonly number[] = [];
  let podRangesOpen = 0;
  let first = 0n;
  let at = 0;
  while (first <= LAST_ADDRESS[family]) {
    const changes: Boundary[] = [];
    for (; at < boundaries.length && boundaries[at]!.at === first; at++) changes.push(boundaries[at]!);
    for (const change of changes) if (change.block === POD_RANGE) podRangesOpen += change.opens ? 1 : -1;
    open = applyChanges(open, changes);
    const next = boundaries[at]?.at ?? LAST_ADDRESS[family] + 1n;
    give({ family, first, last: next - 1n, isPodRange: podRangesOpen > 0 }, open);
    first = next;
  }
}

function collectBoundaries({ family, blocks, podRanges }: SweepInput): Boundary[] {
  const boundaries: Boundary[] = [];
  const add = (range: IpRange, block: number): void => {
    boundaries.push({ at: range.first, block, opens: true }, { at: range.last + 1n, block, opens: false });
  };
  for (const [id, block] of blocks.entries()) {
    if (block.cidr.family === family) for (const range of blockRanges(block)) add(range, id);
  }
  for (const range of podRanges) if (range.family === family) add(range, POD_RANGE);
  return boundaries.filter((boundary) => boundary.at <= LAST_ADDRESS[family]).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function applyChanges(open: readonly number[], changes: readonly Boundary[]): readonly number[] {
  const blockChanges = changes.filter((change) => change.block !== POD_RANGE);
  if (blockChanges.length === 0) return open;
  const result = new Set(open);
  for (const { block, opens } of blockChanges) {
    if (opens) result.add(block);
    else result.delete(block);
  }
  return [...result].sort((a, b) => a - b);
}
