// What policies may look at on a pod besides its labels, as small numbers: namespace, families, blocks over its addresses, named ports.
import type { IpFamily } from '../base/ip-address.ts';
import { portSetOf } from '../base/port-set.ts';
import type { Pod } from '../model/cluster.ts';
import type { AtomTable } from './atom.ts';
import { ListInterner } from './list-interner.ts';
import type { NumberBuffer } from './number-list.ts';
import { NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import { portNameKey, type Vocabulary } from './vocabulary.ts';

export interface PodFeatures {
  readonly namespace: string;
  readonly hostNetwork: boolean;
  /** Families of its addresses; both where no address is known. */
  readonly families: readonly IpFamily[];
  /** Ids of the lists of blocks over its address of each family. */
  readonly blocks: Readonly<Record<IpFamily, number>>;
  /** Equal ids: the same mentioned names lead to the same ports. */
  readonly namedPorts: number;
}

export interface PodReaderInput {
  readonly vocabulary: Vocabulary;
  readonly atomTable: AtomTable;
  readonly lists: ListInterner;
  readonly portSets: PortSetTable;
}

const NO_LIST = 0;
/** By bits: 1 for family 4, 2 for family 6. */
const FAMILIES: readonly (readonly IpFamily[])[] = [[], [4], [6], [4, 6]];
const BOTH_FAMILIES: readonly IpFamily[] = FAMILIES[3]!;
const NO_BLOCKS: Readonly<Record<IpFamily, number>> = { 4: NO_LIST, 6: NO_LIST };

export class PodReader {
  private readonly input: PodReaderInput;
  private readonly namespaceIds = new Map<string, number>();
  private readonly portLists = new ListInterner();
  private readonly resolved: ReadonlyMap<string, number>[] = [];
  /** Blocks over pods whose address is not known. */
  private unknown: Readonly<Record<IpFamily, number>>;

  constructor(input: PodReaderInput) {
    this.input = input;
    this.unknown = blocksOverUnknown(input);
  }

  /** After atoms have changed; gives whether pods without a known address are under other blocks now. */
  refresh(): boolean {
    const before = this.unknown;
    this.unknown = blocksOverUnknown(this.input);
    return before[4] !== this.unknown[4] || before[6] !== this.unknown[6];
  }

  /** How many different namespaces and lists of ports were ever seen. */
  get size(): number {
    return this.namespaceIds.size + this.portLists.size;
  }

  featuresOf(pod: Pod): PodFeatures {
    const { namespace, hostNetwork, addresses } = pod;
    const namedPorts = hostNetwork ? NO_LIST : this.portLists.intern(this.mentionedPorts(pod));
    if (addresses.length === 0) return { namespace, hostNetwork, families: BOTH_FAMILIES, blocks: hostNetwork ? NO_BLOCKS : this.unknown, namedPorts };
    let bits = 0;
    for (const { family } of addresses) bits |= family === 4 ? 1 : 2;
    const blocks = { 4: bits & 1 ? this.blocksOver(pod, 4) : NO_LIST, 6: bits & 2 ? this.blocksOver(pod, 6) : NO_LIST };
    return { namespace, hostNetwork, families: FAMILIES[bits]!, blocks, namedPorts };
  }

  /** Adds numbers that are equal exactly where the features are. */
  addKey({ namespace, hostNetwork, families, blocks, namedPorts }: PodFeatures, into: NumberBuffer): void {
    let id = this.namespaceIds.get(namespace);
    if (id === undefined) this.namespaceIds.set(namespace, (id = this.namespaceIds.size));
    into.push(id);
    into.push(FAMILIES.indexOf(families) * 2 + (hostNetwork ? 1 : 0));
    into.push(blocks[4]);
    into.push(blocks[6]);
    into.push(namedPorts);
  }

  /** Containers that open different ports under one name: the name means all of them. */
  portsByName({ namedPorts }: PodFeatures): ReadonlyMap<string, number> {
    return (this.resolved[namedPorts] ??= this.resolve(this.portLists.list(namedPorts)));
  }

  /** Of names and ports in turn. */
  private resolve(named: readonly number[]): ReadonlyMap<string, number> {
    const { vocabulary, portSets } = this.input;
    const result = new Map<string, number>();
    for (let i = 0; i < named.length; i += 2) {
      const { protocol, name } = vocabulary.portNames[named[i]!]!;
      const port = named[i + 1]!;
      const key = portNameKey(protocol, name);
      result.set(key, portSets.union(result.get(key) ?? NO_PORTS_ID, portSets.intern(portSetOf(protocol, port, port))));
    }
    return result;
  }

  /** Names and ports in turn, ascending, each pair once. */
  private mentionedPorts(pod: Pod): readonly number[] {
    const { vocabulary } = this.input;
    if (vocabulary.portNames.length === 0) return NO_NUMBERS;
    const marks: number[] = [];
    for (const { name, protocol, port } of pod.ports) {
      const id = name === undefined ? undefined : vocabulary.portNameId(protocol, name);
      if (id !== undefined && !marks.includes(id * PORT_MARKS + port)) marks.push(id * PORT_MARKS + port);
    }
    if (marks.length > 1) marks.sort((a, b) => a - b);
    return marks.flatMap((mark) => [Math.floor(mark / PORT_MARKS), mark % PORT_MARKS]);
  }

  /** The first address of a family speaks for the pod: a pod has at most one of each. */
  private blocksOver(pod: Pod, family: IpFamily): number {
    const { atomTable } = this.input;
    for (const address of pod.addresses) if (address.family === family) return atomTable.blocksOfAtom[atomTable.find(address)]!;
    return NO_LIST;
  }
}

const PORT_MARKS = 65536;
const NO_NUMBERS: readonly number[] = [];

function blocksOverUnknown(input: PodReaderInput): Readonly<Record<IpFamily, number>> {
  return { 4: blocksOverPodRanges(input, 4), 6: blocksOverPodRanges(input, 6) };
}

/** A pod without a known address is surely in a block only when the block covers every pod range of the family; in none where no range is known. */
function blocksOverPodRanges({ atomTable, lists }: PodReaderInput, family: IpFamily): number {
  let common: readonly number[] | undefined;
  for (const [index, atom] of atomTable.atoms.entries()) {
    if (!atom.isPodRange || atom.family !== family) continue;
    const blocks = lists.list(atomTable.blocksOfAtom[index]!);
    common = common === undefined ? blocks : common.filter((block) => blocks.includes(block));
  }
  return lists.intern(common ?? []);
}
