// A row in the making: ports are added rule by rule, and the row is kept in the smallest of its forms.
import type { ClassBits } from './class-table.ts';
import { NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import { constantRow, firstFrom, SparseRow, WindowRow, type Ids, type Row } from './row.ts';

/** Below one class in this many of those between its first and last, a row is kept sparse. */
const SPARSE_BELOW = 3;
/** Unions that are remembered beside the draft: a power of two. */
const UNIONS_NEAR = 4096;
const EMPTY_ROW: Row = constantRow(() => 0, NO_PORTS_ID);

/** One draft serves many rows, one after the other; cost follows the classes that are touched. */
export class RowDraft {
  private ports: Uint32Array;
  /** The classes with any port, in the order in which they came. */
  private touched: Int32Array;
  private touchedCount = 0;
  /** The same classes, a bit for each. */
  private present: Int32Array;
  /** Classes that were given since it was empty or copied, each as often as it was. */
  private given = 0;
  private first = Infinity;
  private last = -1;
  private readonly wide: WideClasses[] = [];
  private wideCount = 0;
  private readonly portSets: PortSetTable;
  private readonly store = new RowStore();
  /** By a hash of two port sets: the two, and their union. */
  private readonly unions: Int32Array = new Int32Array(UNIONS_NEAR * 3);

  constructor(classCount: number, portSets: PortSetTable) {
    this.ports = new Uint32Array(classCount);
    this.touched = new Int32Array(classCount);
    this.present = new Int32Array((classCount >> 5) + 1);
    this.portSets = portSets;
  }

  /** Starts again, for as many classes. */
  clear(classCount: number): void {
    if (this.ports.length < classCount) {
      this.ports = new Uint32Array(classCount + (classCount >> 3));
      this.touched = new Int32Array(this.ports.length);
      this.present = new Int32Array((this.ports.length >> 5) + 1);
    } else if (this.touchedCount > 0) {
      for (let i = 0; i < this.touchedCount; i++) this.ports[this.touched[i]!] = NO_PORTS_ID;
      this.present.fill(0, this.first >> 5, (this.last >> 5) + 1);
    }
    this.touchedCount = 0;
    this.given = 0;
    this.first = Infinity;
    this.last = -1;
  }

  allow(peerClass: number, ports: number): void {
    if (ports === NO_PORTS_ID) return;
    this.given++;
    this.widen(peerClass, peerClass);
    this.put(peerClass, ports);
  }

  /** The same ports for ascending classes, of those from `least` on. */
  allowAll(classes: readonly number[], ports: number, least: number): void {
    const start = least === 0 ? 0 : firstFrom(classes, least);
    if (ports === NO_PORTS_ID || start === classes.length) return;
    for (let i = start; i < classes.length; i++) this.put(classes[i]!, ports);
    this.given += classes.length - start;
    this.widen(classes[start]!, classes[classes.length - 1]!);
  }

  /** The same ports for many classes. What many rules say of them with the same ports is put into the row once. */
  allowBits(bits: ClassBits, ports: number): void {
    if (ports === NO_PORTS_ID) return;
    let place = 0;
    while (place < this.wideCount && this.wide[place]!.ports !== ports) place++;
    if (place === this.wideCount) (this.wide[this.wideCount++] ??= new WideClasses()).ports = ports;
    this.wide[place]!.add(bits, this.ports.length);
    this.given += bits.count;
    this.widen(bits.first, bits.last);
  }

  /** The classes that were touched, ascending. */
  touchedClasses(): Int32Array {
    this.settle();
    return this.touched.slice(0, this.touchedCount).sort();
  }

  at(peerClass: number): number {
    this.settle();
    return this.ports[peerClass]!;
  }

  /** Whether classes were given so often that starting from a copy of this row spares more than the copy costs. */
  get sparesWork(): boolean {
    return this.given > 2 * (this.last - this.first + 1);
  }

  /** The row as it stands now; later changes of the draft do not reach it. */
  toRow(): Row {
    this.settle();
    this.given = this.touchedCount;
    if (this.touchedCount === 0) return EMPTY_ROW;
    const { first, last } = this;
    if (this.touchedCount * SPARSE_BELOW >= last - first + 1) {
      return new WindowRow(first, this.store.keep(this.ports.subarray(first, last + 1), this.portSets.size));
    }
    const content = new Int32Array(this.touchedCount * 2);
    content.set(this.touched.subarray(0, this.touchedCount));
    content.subarray(0, this.touchedCount).sort();
    for (let place = 0; place < this.touchedCount; place++) content[this.touchedCount + place] = this.ports[content[place]!]!;
    return new SparseRow(content);
  }

  private settle(): void {
    for (let place = 0; place < this.wideCount; place++) this.putWide(this.wide[place]!);
    this.wideCount = 0;
  }

  /** Of each word first the classes that had nothing, then the others: so no branch depends on a single class. */
  private putWide(wide: WideClasses): void {
    const { ports: row, touched, present } = this;
    const { ports, words } = wide;
    let { touchedCount } = this;
    for (let word = wide.firstWord; word < wide.endWord; word++) {
      const given = words[word]!;
      if (given === 0) continue;
      words[word] = 0;
      const known = present[word]!;
      present[word] = known | given;
      for (let bits = given & ~known; bits !== 0; bits &= bits - 1) {
        const peerClass = word * 32 + 31 - Math.clz32(bits & -bits);
        touched[touchedCount++] = peerClass;
        row[peerClass] = ports;
      }
      for (let bits = given & known; bits !== 0; bits &= bits - 1) {
        const peerClass = word * 32 + 31 - Math.clz32(bits & -bits);
        row[peerClass] = this.unite(row[peerClass]!, ports);
      }
    }
    this.touchedCount = touchedCount;
    wide.forget();
  }

  private put(peerClass: number, ports: number): void {
    const before = this.ports[peerClass]!;
    if (before === ports) return;
    if (before === NO_PORTS_ID) {
      this.touched[this.touchedCount++] = peerClass;
      this.present[peerClass >> 5]! |= 1 << (peerClass & 31);
    }
    this.ports[peerClass] = before === NO_PORTS_ID ? ports : this.unite(before, ports);
  }

  private widen(first: number, last: number): void {
    if (first < this.first) this.first = first;
    if (last > this.last) this.last = last;
  }

  private unite(before: number, ports: number): number {
    const { unions } = this;
    const place = ((Math.imul(before, 31) + ports) & (UNIONS_NEAR - 1)) * 3;
    if (unions[place] === before && unions[place + 1] === ports) return unions[place + 2]!;
    const union = this.portSets.union(before, ports);
    unions[place] = before;
    unions[place + 1] = ports;
    unions[place + 2] = union;
    return union;
  }
}

/** Classes that are to have the same ports, a bit for each. */
class WideClasses {
  ports = NO_PORTS_ID;
  words: Int32Array = new Int32Array(0);
  firstWord = Infinity;
  endWord = 0;

  add({ first, words }: ClassBits, classCount: number): void {
    const wordCount = (classCount + 31) >>> 5;
    if (this.words.length < wordCount) this.grow(wordCount);
    const { words: own } = this;
    const firstWord = first >>> 5;
    for (let i = 0; i < words.length; i++) own[firstWord + i]! |= words[i]!;
    this.firstWord = Math.min(this.firstWord, firstWord);
    this.endWord = Math.max(this.endWord, firstWord + words.length);
  }

  /** After all of its words have been made zero. */
  forget(): void {
    this.firstWord = Infinity;
    this.endWord = 0;
  }

  private grow(wordCount: number): void {
    const { words } = this;
    this.words = new Int32Array(wordCount + (wordCount >> 3));
    this.words.set(words);
  }
}

/** Entries of one array of the store; longer rows have one of their own. */
const STORE_ENTRIES = 32_768;

/** Many short rows in one array, in as few bits as all ids need: thousands of arrays, and large ones, burden the collector. */
class RowStore {
  private rest: Ids = new Uint8Array(0);

  /** Every id is below `idEnd`. */
  keep(ports: Uint32Array, idEnd: number): Ids {
    const IdArray = idEnd <= 256 ? Uint8Array : idEnd <= 65_536 ? Uint16Array : Uint32Array;
    if (ports.length > STORE_ENTRIES / 4) return new IdArray(ports);
    if (this.rest.length < ports.length || !(this.rest instanceof IdArray)) this.rest = new IdArray(STORE_ENTRIES);
    const kept = this.rest.subarray(0, ports.length);
    for (let i = 0; i < ports.length; i++) kept[i] = ports[i]!;
    this.rest = this.rest.subarray(ports.length);
    return kept;
  }
}
