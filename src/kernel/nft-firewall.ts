// The real firewall: our table in the nftables of one network namespace, the skeleton loaded as text, everything else written over netlink.
import type { Elements } from '../emit/element.ts';
import { elementsOf, rulesetOf } from '../emit/elements.ts';
import { diffElements, planChange, type ChangePlan, type ChangeStep } from '../emit/plan-change.ts';
import { EMPTY_RULESET, type Ruleset } from '../emit/ruleset.ts';
import { shapeOf } from '../emit/set-shape.ts';
import type { Firewall, FirewallOptions, LedgerEntry } from './firewall.ts';
import { FirewallError } from './firewall-error.ts';
import { changeBatches } from './internal/change-batches.ts';
import { clearStaleMarks } from './internal/conntrack.ts';
import { readGeneration, writeGeneration } from './internal/generation.ts';
import { GENERATION_MAX, nextGeneration } from './internal/generation-number.ts';
import { Ledger } from './internal/ledger.ts';
import { NetfilterSocket } from './internal/netfilter-socket.ts';
import { loadNft } from './internal/run-nft.ts';
import { hookText, skeletonText } from './internal/skeleton.ts';
import { readAllElements, readTableState, removeTable } from './internal/table.ts';
import { refusal } from './internal/transact.ts';
import type { NamespaceFd } from './network-namespace.ts';

/** Without `namespace` the one that this process is in. */
export interface NftFirewallOptions extends FirewallOptions {
  readonly namespace?: NamespaceFd;
  /** Keeps batches below what the socket takes; a change that is larger is no longer atomic, but never opens. */
  readonly batchBytesMax?: number;
}

/** Touches nothing yet. Works with a table that an earlier process left, too. */
export function openFirewall(options: NftFirewallOptions = {}): Firewall {
  return new NftFirewall(options);
}

const EMPTY_ELEMENTS: Elements = elementsOf(EMPTY_RULESET);

class NftFirewall implements Firewall {
  private readonly namespace: NamespaceFd | undefined;
  private readonly table: string;
  private readonly deny: 'drop' | 'reject';
  private readonly socket: NetfilterSocket;
  private readonly bytesMax: number;
  private ledger: Ledger;
  private generation: number | undefined;
  /** Values that no flow carries, since this process took them off or never set them. */
  private cleanGenerations = new Set<number>();
  /** Elements were changed and the new generation is still owed, here or by the process that left the table. */
  private owesGeneration = false;

  constructor({ namespace, table = 'bulkhead', deny = 'drop', batchBytesMax = Infinity }: NftFirewallOptions) {
    this.namespace = namespace;
    this.table = table;
    this.deny = deny;
    this.socket = new NetfilterSocket(namespace);
    this.bytesMax = Math.min(this.socket.sendBytesMax, batchBytesMax);
    this.ledger = new Ledger(this.socket, table);
  }

  /**
   * A table that is in force is replaced in two turns through a second one, since a name can stand only once and a
   * ruleset may be larger than one transaction: at each turn the new hook comes with the removal of the old table.
   */
  load(ruleset: Ruleset): void {
    const { socket, table } = this;
    const spare = `${table}_next`;
    this.generation = undefined;
    let inForce = this.findInForce(spare);
    if (inForce === table) {
      removeTable(socket, spare);
      this.fill(spare, ruleset, this.takeGeneration(readGeneration(socket, table)));
      this.hook(spare, table);
      inForce = spare;
    } else {
      removeTable(socket, table);
    }
    this.fill(table, ruleset, this.takeGeneration(inForce === undefined ? undefined : readGeneration(socket, inForce)));
    this.hook(table, inForce);
    if (inForce === undefined) removeTable(socket, spare);
    this.owesGeneration = false;
    this.ledger = new Ledger(socket, table);
  }

  change(wanted: Ruleset): void {
    this.apply(planChange(this.read(), wanted));
  }

  apply(plan: ChangePlan): void {
    const table = this.loadedTable();
    const isNewGeneration = plan.takesAway || this.owesGeneration;
    // What may fail stands before the first batch: then nothing has changed.
    const generation = isNewGeneration ? this.takeGeneration(this.generation) : undefined;
    if (plan.steps.length > 0) {
      this.owesGeneration = isNewGeneration;
      this.write(table, plan.steps);
    }
    if (generation === undefined) return;
    this.owesGeneration = true;
    writeGeneration(this.socket, table, generation);
    this.owesGeneration = false;
    this.generation = generation;
    this.cleanGenerations.delete(generation);
  }

  read(): Ruleset {
    return rulesetOf(readAllElements(this.socket, this.loadedTable()));
  }

  readLedger(options: { readonly drain: boolean } = { drain: false }): readonly LedgerEntry[] {
    this.loadedTable();
    return this.ledger.read(options.drain);
  }

  remove(): void {
    removeTable(this.socket, this.table);
    removeTable(this.socket, `${this.table}_next`);
    this.generation = undefined;
    this.owesGeneration = false;
  }

  close(): void {
    this.socket.close();
  }

  /** Our table's name, once it is sure that it is in force, by us or by an earlier process. */
  private loadedTable(): string {
    if (this.generation !== undefined) return this.table;
    if (readTableState(this.socket, this.table) !== 'hooked') {
      throw new FirewallError({ code: 'table-missing', doing: `use table \`${this.table}\``, said: 'it is not loaded' });
    }
    this.generation = readGeneration(this.socket, this.table);
    this.cleanGenerations.clear();
    this.owesGeneration = true;
    return this.table;
  }

  /** The table that judges packets now; the second one when an earlier load broke off between its turns. */
  private findInForce(spare: string): string | undefined {
    return [this.table, spare].find((table) => readTableState(this.socket, table) === 'hooked');
  }

  private fill(table: string, ruleset: Ruleset, generation: number): void {
    const text = skeletonText({ table, deny: this.deny, generation });
    loadNft(text, { namespace: this.namespace, doing: `load the chains of table \`${table}\`` });
    this.write(table, diffElements(EMPTY_ELEMENTS, elementsOf(ruleset)));
    this.generation = generation;
    this.cleanGenerations.delete(generation);
  }

  private hook(table: string, replaced: string | undefined): void {
    const removal = replaced === undefined ? '' : `delete table inet ${replaced}\n`;
    loadNft(removal + hookText(table), { namespace: this.namespace, doing: `put table \`${table}\` in force` });
  }

  /** A value that no flow carries. When the next one in turn is not clean, all but the current one are made so. */
  private takeGeneration(current: number | undefined): number {
    const next = nextGeneration(current ?? 0);
    if (!this.cleanGenerations.has(next)) {
      clearStaleMarks(this.socket, current ?? 0);
      this.cleanGenerations = new Set(Array.from({ length: GENERATION_MAX }, (_, index) => index + 1));
      if (current !== undefined) this.cleanGenerations.delete(current);
    }
    return next;
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
