// Peer classes by number: which peer sets hold each, and which classes a peer set holds. Classes are only ever added.
import { ListInterner } from './list-interner.ts';
import { PairTable } from './pair-table.ts';

export interface PeerClass {
  /** Ids of the peer sets that hold it, ascending. */
  readonly peerSets: readonly number[];
  /** Egress only: ports behind the mentioned names, on the destination. */
  readonly namedPorts: ReadonlyMap<string, number>;
}

/** Classes as bits: that of `first` is in the first word. */
export interface ClassBits {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly words: Int32Array;
}

/** Fewer classes than this, or less than one in this many of those between the first and the last, are not worth bits. */
const BITS_MIN = 32;

export const NO_NAMED_PORTS: ReadonlyMap<string, number> = new Map();

export class ClassTable {
  readonly classes: PeerClass[] = [];
  private readonly peerSetLists = new ListInterner();
  private readonly namedPortIds = new Map<string, number>([['', 0]]);
  private readonly ids = new PairTable();
  /** By peer set, ascending; made when first asked, then kept up. */
  private members: number[][] | undefined;
  /** By peer set, good while it holds as many classes. */
  private readonly bits: (ClassBits | undefined)[] = [];

  intern(peerSets: readonly number[], namedPorts: ReadonlyMap<string, number>): number {
    const list = this.peerSetLists.intern(peerSets);
    const named = namedPorts.size === 0 ? 0 : this.namedPortId(namedPorts);
    let id = this.ids.get(list, named);
    if (id < 0) {
      id = this.classes.push({ peerSets: this.peerSetLists.list(list), namedPorts }) - 1;
      this.ids.set(list, named, id);
      if (this.members !== undefined) addMember(this.members, peerSets, id);
    }
    return id;
  }

  /** The classes that a peer set holds, ascending. */
  classesOf(peerSet: number): readonly number[] {
    if (this.members === undefined) {
      this.members = [];
      for (const [id, { peerSets }] of this.classes.entries()) addMember(this.members, peerSets, id);
    }
    return this.members[peerSet] ?? NO_CLASSES;
  }

  /** The same as bits; undefined where they are few. */
  bitsOf(peerSet: number): ClassBits | undefined {
    const classes = this.classesOf(peerSet);
    if (classes.length < BITS_MIN || classes.length * BITS_MIN < classes[classes.length - 1]! - classes[0]!) return undefined;
    while (this.bits.length <= peerSet) this.bits.push(undefined);
    const known = this.bits[peerSet];
    return known?.count === classes.length ? known : (this.bits[peerSet] = toBits(classes));
  }

  private namedPortId(namedPorts: ReadonlyMap<string, number>): number {
    const key = [...namedPorts].map(([name, ports]) => `${name}=${ports}`).sort().join(' ');
    let id = this.namedPortIds.get(key);
    if (id === undefined) this.namedPortIds.set(key, (id = this.namedPortIds.size));
    return id;
  }
}

const NO_CLASSES: readonly number[] = [];

function toBits(classes: readonly number[]): ClassBits {
  const first = classes[0]!;
  const last = classes[classes.length - 1]!;
  const firstWord = first >>> 5;
  const words = new Int32Array((last >>> 5) - firstWord + 1);
  for (const peerClass of classes) words[(peerClass >>> 5) - firstWord]! |= 1 << (peerClass & 31);
  return { first, last, count: classes.length, words };
}

function addMember(members: number[][], peerSets: readonly number[], peerClass: number): void {
  for (const peerSet of peerSets) {
    while (members.length <= peerSet) members.push([]);
    members[peerSet]!.push(peerClass);
  }
}
