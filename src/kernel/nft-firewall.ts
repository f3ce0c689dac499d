// The real firewall: our table in the nftables of one network namespace, the skeleton loaded as text, everything else written over netlink.
import type { IpAddress } from '../base/ip-address.ts';
import type { Elements } from '../emit/element.ts';
import { NO_ELEMENTS } from '../emit/elements.ts';
import { diffElements, type ChangePlan, type ChangeStep } from '../emit/plan-change.ts';
import { FAMILIES, shapeOf } from '../emit/set-shape.ts';
import { joinRanges } from '../emit/sort-ruleset.ts';
import { DRIFT_PHRASES_MAX, type Drift, type Firewall, type FirewallOptions, type FreshAddress, type HeldName, type LedgerEntry } from './firewall.ts';
import { FirewallError } from './firewall-error.ts';
import { changeBatches } from './internal/change-batches.ts';
import { clearAllMarks, clearMarksOf, readConnections } from './internal/conntrack.ts';
import { describeSteps } from './internal/describe-steps.ts';
import { readNamed, replaceFresh, writeFresh } from './internal/fresh-addresses.ts';
import { readGeneration, writeGeneration } from './internal/generation.ts';
import { GENERATION_MASK, isGenerationMask, markOf } from './generation-number.ts';
import { GenerationSource } from './internal/generation-source.ts';
import { podsLeavingBy, podsLeavingFor } from './internal/leaving-pods.ts';
import { Ledger } from './internal/ledger.ts';
import { adoptTable, createTable, DRAFT_SUFFIX, fillTable, hookTable, retireTable, skeletonImage, type TableOptions } from './internal/load-table.ts';
import { NetfilterSocket } from './internal/netfilter-socket.ts';
import { compareImages, readImage, type SkeletonImage } from './internal/skeleton-image.ts';
import { readAllElements, readTableState, removeTable } from './internal/table.ts';
import { TableMonitor } from './internal/table-monitor.ts';
import { refusal } from './internal/transact.ts';
import type { NamespaceFd } from './network-namespace.ts';

/** Without `namespace` the one that this process is in. */
export interface NftFirewallOptions extends FirewallOptions {
  readonly namespace?: NamespaceFd;
  /** Keeps batches below what the socket takes; a change that is larger is no longer atomic, but never opens. */
  readonly batchBytesMax?: number;
  /** Bounds the send buffer to what a process without rights over the host gets; the kernel doubles it. */
  readonly sendBufferBytes?: number;
  /** Neighboring bits of the conntrack mark for the generation, two at least; `0x7f` when missing. */
  readonly markMask?: number;
  /** Others may not change our table while this process lives (Linux 6.9 and newer; older kernels leave it open). */
  readonly isOwner?: boolean;
}

/** Touches nothing yet. Works with a table that an earlier process left, too. */
export function openFirewall(options: NftFirewallOptions = {}): Firewall {
  return new NftFirewall(options);
}

/** How soon `watch` hears of others: one question to a socket each time. */
const LOOK_INTERVAL_MS = 50;

class NftFirewall implements Firewall {
  private readonly namespace: NamespaceFd | undefined;
  private readonly table: string;
  /** Stands in for our table while that one is replaced. */
  private readonly spare: string;
  private readonly deny: 'drop' | 'reject';
  private readonly onChange: 'cut' | 'keep';
  private readonly mask: number;
  private readonly isOwner: boolean;
  private readonly answerGroup: number | undefined;
  private readonly denialGroup: number | undefined;
  answersProblem: string | undefined;
  private readonly socket: NetfilterSocket;
  private readonly bytesMax: number;
  private readonly generations: GenerationSource;
  private ledger: Ledger;
  private monitor: TableMonitor | undefined;
  private generation: number | undefined;
  /** Elements were changed and the new generation is still owed, here or by the process that left the table. */
  private owesGeneration = false;
  /** Pods that went and whose flows are still to be judged anew. */
  private owedPods: ReadonlySet<string> = new Set();

  constructor(options: NftFirewallOptions) {
    const { namespace, table = 'bulkhead', deny = 'drop', onChange = 'cut', batchBytesMax = Infinity, markMask = GENERATION_MASK } = options;
    if (!isGenerationMask(markMask)) throw new RangeError(`bits 0x${markMask.toString(16)} of the conntrack mark: two neighbors at least are needed`);
    this.namespace = namespace;
    this.table = table;
    this.spare = `${table}_next`;
    this.deny = deny;
    this.onChange = onChange;
    this.mask = markMask;
    this.isOwner = options.isOwner ?? false;
    this.answerGroup = options.answerGroup;
    this.denialGroup = options.denialGroup;
    this.socket = new NetfilterSocket(namespace, options.sendBufferBytes);
    this.bytesMax = Math.min(this.socket.sendBytesMax, batchBytesMax);
    this.generations = new GenerationSource(this.socket, markMask);
    this.ledger = new Ledger(this.socket, table);
  }

  takeOver(): Elements | undefined {
    const { socket, table, spare, mask } = this;
    this.forget();
    const [state, ofSpare] = [table, spare].map((name) => readTableState(socket, name));
    if (state !== 'hooked' || ofSpare === 'hooked') return undefined;
    removeTable(socket, spare);
    const generation = readGeneration(socket, table, mask);
    if (generation === undefined || compareImages(this.image(), readImage(socket, table, markOf(generation, mask))).length > 0) return undefined;
    if (this.isOwner) adoptTable(socket, table);
    this.generation = generation;
    this.owesGeneration = true;
    return readAllElements(socket, table);
  }

  /**
   * A table that is in force is replaced in two turns through a second one, since a name can stand only once and a
   * ruleset may be larger than one transaction. At each turn both judge for a moment: a packet between two hooks would
   * pass neither, were one put in the place of the other.
   */
  load(steps: readonly ChangeStep[]): void {
    const { socket, table, spare } = this;
    const image = this.image();
    this.forget();
    let inForce = this.findInForce();
    for (const name of [table, spare]) if (name !== inForce) retireTable(socket, name);
    if (inForce === table) {
      this.replace({ table: spare, replaced: table, image, steps });
      inForce = spare;
    }
    this.replace({ table, replaced: inForce, image, steps });
    this.ledger = new Ledger(socket, table);
  }

  apply({ steps, takesAway: isLess }: ChangePlan): void {
    this.loadedTable();
    if (this.onChange === 'keep') this.owedPods = new Set([...this.owedPods, ...podsLeavingBy(steps)]);
    this.commit(steps, this.onChange === 'cut' && (isLess || this.owesGeneration));
  }

  private commit(steps: readonly ChangeStep[], isNewGeneration: boolean): void {
    const { table } = this;
    // What may fail stands before the first batch: then nothing has changed.
    const generation = isNewGeneration ? this.generations.take(this.generation) : undefined;
    if (steps.length > 0) {
      this.owesGeneration = isNewGeneration;
      this.write(table, steps);
    }
    this.endOwedPods();
    if (generation === undefined) return;
    this.owesGeneration = true;
    writeGeneration(this.socket, table, { generation, mask: this.mask });
    this.owesGeneration = false;
    this.generation = generation;
    this.generations.use(generation);
  }

  read(): Elements {
    return readAllElements(this.socket, this.loadedTable());
  }

  readLedger(options: { readonly drain: boolean } = { drain: false }): readonly LedgerEntry[] {
    this.loadedTable();
    return this.ledger.read(options.drain);
  }

  readUnrecorded(): number {
    this.loadedTable();
    return this.ledger.unrecorded();
  }

  freshen(places: readonly FreshAddress[], { isAll }: { readonly isAll: boolean }): void {
    const table = this.loadedTable();
    if (isAll) replaceFresh(this.socket, table, places);
    else writeFresh(this.socket, table, places);
  }

  readNamed(): readonly HeldName[] {
    const table = this.findInForce();
    return table === undefined ? [] : readNamed(this.socket, table);
  }

  readConnections(): (source: IpAddress, target: IpAddress) => boolean {
    return readConnections(this.socket, this.mask);
  }

  remove(): void {
    for (const name of [this.table, this.spare, `${this.table}${DRAFT_SUFFIX}`]) removeTable(this.socket, name);
    clearAllMarks(this.socket, this.mask);
    this.forget();
  }

  watch(onTouched: () => void): () => void {
    const { namespace, socket } = this;
    const monitor = new TableMonitor({ namespace, tables: new Set([this.table, this.spare]), ownPort: socket.port });
    this.monitor = monitor;
    const timer = setInterval(() => monitor.isTouched && onTouched(), LOOK_INTERVAL_MS);
    timer.unref();
    return () => {
      clearInterval(timer);
      monitor.close();
      this.monitor = undefined;
    };
  }

  repair(wanted: () => Elements): Drift | undefined {
    if (this.generation === undefined || this.monitor?.isTouched === false) return undefined;
    const by = this.monitor?.settle();
    const foreign = this.findForeignRules();
    if (foreign !== undefined) {
      this.reload(wanted());
      return { ...foreign, by };
    }
    const steps = diffElements(readAllElements(this.socket, this.table), wanted());
    if (steps.length === 0) return undefined;
    this.commit(steps, true);
    return { kind: 'elements', found: describeSteps(steps), by };
  }

  close(): void {
    this.socket.close();
  }

  private findForeignRules(): Pick<Drift, 'kind' | 'found'> | undefined {
    const { socket, table, mask } = this;
    if (readTableState(socket, table) !== 'hooked') return { kind: 'gone', found: [] };
    const generation = readGeneration(socket, table, mask);
    if (generation === undefined || generation !== this.generation) return { kind: 'rules', found: ['rules of chain gate changed'] };
    const found = compareImages(this.image(), readImage(socket, table, markOf(generation, mask)));
    return found.length === 0 ? undefined : { kind: 'rules', found: found.slice(0, DRIFT_PHRASES_MAX) };
  }

  /** Closed in a few milliseconds, whatever the size: until all elements are there, local pods count as not yet known. */
  private reload(wanted: Elements): void {
    const { socket, table, spare } = this;
    const image = this.image();
    retireTable(socket, spare);
    this.replace({ table: spare, replaced: undefined, image, steps: closingSteps(wanted) });
    retireTable(socket, table);
    this.replace({ table, replaced: spare, image, steps: diffElements(NO_ELEMENTS, wanted) });
    this.ledger = new Ledger(socket, table);
  }

  /** Policy comes first: where a kernel has no log groups the chains do without. */
  private image(): SkeletonImage {
    const { namespace, table, deny, mask } = this;
    const groups = { answerGroup: this.answerGroup, denialGroup: this.denialGroup };
    const none = { answerGroup: undefined, denialGroup: undefined };
    const imageFor = (given: typeof groups): SkeletonImage => skeletonImage(this.socket, { namespace, table, deny, mask, ...given });
    if ((groups.answerGroup === undefined && groups.denialGroup === undefined) || this.answersProblem !== undefined) return imageFor(none);
    try {
      return imageFor(groups);
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      const image = imageFor(none);
      this.answersProblem = error.message;
      return image;
    }
  }

  /** Everything that is known of the table. */
  private forget(): void {
    this.generation = undefined;
    this.owesGeneration = false;
    this.owedPods = new Set();
    this.generations.forget();
  }

  /** Our table's name, once it is sure that it is in force, by us or by an earlier process. */
  private loadedTable(): string {
    if (this.generation !== undefined) return this.table;
    const doing = `use table \`${this.table}\``;
    if (readTableState(this.socket, this.table) !== 'hooked') throw new FirewallError({ code: 'table-missing', doing, said: 'it is not loaded' });
    this.generation = readGeneration(this.socket, this.table, this.mask);
    if (this.generation === undefined) throw new FirewallError({ code: 'table-missing', doing, said: 'its gate is not ours, or another version wrote it: load anew' });
    this.generations.forget();
    this.owesGeneration = true;
    return this.table;
  }

  /** The table that judges packets now; the second one when an earlier load broke off between its turns. */
  private findInForce(): string | undefined {
    return [this.table, this.spare].find((table) => readTableState(this.socket, table) === 'hooked');
  }

  /** Fills a table that is not there yet and puts it in force, in place of another where there is one. */
  private replace({ table, replaced, image, steps }: { table: string; replaced: string | undefined; image: SkeletonImage; steps: readonly ChangeStep[] }): void {
    const { socket, mask, bytesMax, isOwner } = this;
    const before = replaced === undefined ? this.generation : readGeneration(socket, replaced, mask);
    const isKept = this.onChange === 'keep' && replaced !== undefined && before !== undefined;
    if (isKept) this.owedPods = podsLeavingFor(steps, readAllElements(socket, replaced));
    const generation = isKept ? before : this.generations.take(before);
    const options: TableOptions = { table, image, generation, mask, bytesMax, isOwned: isOwner };
    createTable(socket, options);
    fillTable(socket, options);
    this.write(table, steps);
    hookTable(socket, options);
    this.generation = generation;
    this.generations.use(generation);
    this.endOwedPods();
    if (replaced !== undefined) retireTable(socket, replaced);
  }

  private endOwedPods(): void {
    if (this.owedPods.size > 0) clearMarksOf(this.socket, this.mask, this.owedPods);
    this.owedPods = new Set();
  }

  private write(table: string, steps: readonly ChangeStep[]): void {
    const { socket } = this;
    const doing = `change elements of table \`${table}\``;
    const changes = steps.map(({ set, removed, added }) => ({ shape: shapeOf(set), removed, added }));
    for (const batch of changeBatches(changes, { table, bytesMax: this.bytesMax, nextSequence: () => socket.nextSequence() })) {
      const [refused] = socket.send(batch.bytes, batch.size, doing);
      if (refused !== undefined) throw refusal(refused, doing, batch.describe(refused.sequence, refused.offset));
    }
  }
}

/** What makes every address of a local pod one that is not yet known. */
function closingSteps(wanted: Elements): ChangeStep[] {
  return FAMILIES.map((family) => {
    const singles = ([`le${family}`, `li${family}`] as const).flatMap((set) => wanted.get(set)!.map(({ key }) => ({ family, first: key[0] as bigint, last: key[0] as bigint }))); // fields of kind address are bigints
    const ranges = wanted.get(`podrange${family}`)!.map(({ key, last }) => ({ family, first: key[0] as bigint, last: last![0] as bigint }));
    return { set: `podrange${family}`, removed: [], added: joinRanges([...ranges, ...singles]).map(({ first, last }) => ({ key: [first], last: [last] })) };
  });
}
