// How much larger the tables of a live Program are than what was in use after its last compile.
import { DIRECTIONS } from '../model/network-policy.ts';
import type { ProgramParts } from './compile.ts';
import type { LiveGroups } from './live-groups.ts';

/** So many more than right after the compile are no growth. */
const SLACK = 1000;
/** Port sets come with the rows that are asked for: how many there are is known only after so many changes. */
const SETTLING_CHANGES = 1000;
const PORT_SETS_SLACK = 20_000;

export class ProgramGrowth {
  private readonly parts: ProgramParts;
  private readonly groups: LiveGroups;
  private readonly sizes: readonly number[];
  private changes = 0;
  private settledPortSets = 0;

  /** Right after a compile, when all of the tables is in use. */
  constructor(parts: ProgramParts, groups: LiveGroups) {
    this.parts = parts;
    this.groups = groups;
    this.sizes = this.measure();
  }

  countChange(): void {
    this.changes++;
    if (this.changes === SETTLING_CHANGES) this.settledPortSets = this.parts.portSets.size;
  }

  /** Whether a table has come to more than so many times its size: then it holds mostly what nothing uses. */
  isBeyond(times: number): boolean {
    if (this.changes > SETTLING_CHANGES && this.parts.portSets.size > times * this.settledPortSets + PORT_SETS_SLACK) return true;
    return this.measure().some((size, place) => size > times * this.sizes[place]! + SLACK);
  }

  /** What only ever grows between two compiles. */
  private measure(): number[] {
    const { policySet: { vocabulary }, lists, atomTable, directions } = this.parts;
    const perDirection = DIRECTIONS.flatMap((direction) => {
      const { reader, layers } = directions[direction];
      return [reader.peers.classes.length, layers.admin.levelCount, layers.baseline.levelCount];
    });
    const { selectors, namespaceSelectors, peerSets, blocks, portNames } = vocabulary;
    return [selectors.selectors.length, namespaceSelectors.length, peerSets.length, blocks.length, portNames.length, lists.size, atomTable.atoms.length, this.groups.keyCount, this.groups.reader.size, ...perDirection];
  }
}
