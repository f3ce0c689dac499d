// The NetworkPolicy layer of one direction: what the rules of all policies that govern a subject allow together.
import type { Direction, NetworkPolicy } from '../model/network-policy.ts';
import type { Group } from './group-pods.ts';
import type { CompiledPolicy } from './policy-set.ts';
import { allowByRule, VariantTable, type PolicyVariant, type RuleReader } from './policy-variant.ts';
import { NO_PORTS_ID } from './port-set-table.ts';
import { constantRow, GrownRow, type Row } from './row.ts';
import { RowDraft } from './row-draft.ts';
import { SubjectTrie, UNGOVERNED } from './subject-trie.ts';

export type NetworkPolicyVariant = PolicyVariant<CompiledPolicy>;

export interface LayerInput {
  readonly direction: Direction;
  readonly groups: readonly Group[];
  readonly governed: (subject: number) => readonly Group[];
  readonly reader: RuleReader;
}

/** Subject 0 is governed by no policy: not isolated. */
export class NetworkPolicyLayer {
  readonly trie: SubjectTrie<NetworkPolicyVariant>;
  readonly variants: VariantTable<CompiledPolicy>;
  private readonly reader: RuleReader;
  private readonly draft: RowDraft;
  /** Of subjects that were asked for and of nodes where paths part; those between are passed through. */
  private readonly rows: (Row | undefined)[];
  /** Where each policy's step stands in a path: paths of the same policies are the same. */
  private places: Map<CompiledPolicy, number> | undefined;
  private nextPlace = 0;
  private readonly firstPolicies: readonly CompiledPolicy[];
  /** How many classes each row knows. */
  private readonly lengths: number[] = [0];
  private keptCount = 0;

  /** `firstPolicies`: in the order of paths. */
  constructor({ direction, reader, groups }: LayerInput, firstPolicies: readonly CompiledPolicy[]) {
    this.firstPolicies = firstPolicies;
    const { portSets, peers } = reader;
    this.reader = reader;
    this.trie = new SubjectTrie(groups.length);
    this.variants = new VariantTable({ direction, portSets });
    this.draft = new RowDraft(peers.classes.length, portSets);
    this.rows = [constantRow(() => peers.classes.length, NO_PORTS_ID)];
  }

  /** Ports by peer class of a subject that is isolated. */
  rowOf(subject: number): Row {
    const row = this.rows[subject];
    if (row === undefined) return this.makeRow(subject);
    return subject === UNGOVERNED || this.lengths[subject] === this.reader.peers.classes.length ? row : this.growRow(subject, row);
  }

  /** A policy's place in paths; one that has none yet comes last. */
  placeOf(policy: CompiledPolicy): number {
    if (this.places === undefined) {
      // Asked by changes alone.
      this.places = new Map(this.firstPolicies.map((first, index) => [first, index]));
      this.nextPlace = this.places.size;
    }
    let place = this.places.get(policy);
    if (place === undefined) this.places.set(policy, (place = this.nextPlace++));
    return place;
  }

  forgetPolicy(policy: CompiledPolicy): void {
    this.places?.delete(policy);
    this.variants.forget(policy);
  }

  /** Rows that are kept, of live and inner nodes. */
  get keptRows(): number {
    return this.keptCount;
  }

  forgetRow(subject: number): void {
    if (subject === UNGOVERNED || this.rows[subject] === undefined) return;
    this.rows[subject] = undefined;
    this.keptCount--;
  }

  /** Drops rows of nodes that are no group's subject. */
  forgetInnerRows(isSubject: (node: number) => boolean): void {
    for (let node = 1; node < this.rows.length; node++) if (!isSubject(node)) this.forgetRow(node);
  }

  /** The variants that govern a subject, in the order of `cluster.policies`. */
  variantsOf(subject: number): readonly NetworkPolicyVariant[] {
    return this.trie.stepsTo(subject).sort((a, b) => compareByName(a.policy.policy, b.policy.policy));
  }

  private makeRow(subject: number): Row {
    const { parents, steps, childCounts } = this.trie;
    const path: number[] = [];
    let node = subject;
    for (; this.rows[node] === undefined; node = parents[node]!) path.push(node);
    const start = this.rowOf(node);
    // A policy without rules allows nothing more than the others. A row that grows has one owner.
    if (path.length === 1 && steps[subject]!.rules.length === 0 && !(start instanceof GrownRow)) return this.keepRow(subject, start);
    this.startDraft();
    start.forEach((peerClass, ports) => this.draft.allow(peerClass, ports));
    for (const step of path.reverse()) {
      this.addVariant(steps[step]!, 0);
      if (step === subject || (childCounts[step]! > 1 && this.draft.sparesWork)) this.keepRow(step, this.draft.toRow());
    }
    return this.rows[subject]!;
  }

  /** What is new to a row are the classes behind its last: only the rules' peers among them are looked at. */
  private growRow(subject: number, row: Row): Row {
    const length = this.lengths[subject]!;
    this.startDraft();
    for (const variant of this.trie.stepsTo(subject)) this.addVariant(variant, length);
    const classes = this.draft.touchedClasses();
    const grown = classes.length === 0 || row instanceof GrownRow ? row : new GrownRow(row, length);
    if (grown instanceof GrownRow) for (const peerClass of classes) grown.append(peerClass, this.draft.at(peerClass));
    return this.keepRow(subject, grown);
  }

  private startDraft(): void {
    this.draft.clear(this.reader.peers.classes.length);
  }

  private addVariant(variant: NetworkPolicyVariant, first: number): void {
    for (const rule of variant.rules) allowByRule(this.reader, rule, { draft: this.draft, first });
  }

  private keepRow(subject: number, row: Row): Row {
    // No gaps: an array with gaps becomes a slow table.
    while (this.rows.length <= subject) this.lengths[this.rows.push(undefined) - 1] = 0;
    if (this.rows[subject] === undefined) this.keptCount++;
    this.rows[subject] = row;
    this.lengths[subject] = this.reader.peers.classes.length;
    return row;
  }
}

/** Widest policies first, so that the pods of a namespace share the long beginning of their paths. */
export function createNetworkPolicyLayer(input: LayerInput, policies: readonly CompiledPolicy[]): NetworkPolicyLayer {
  const governing = policies
    .filter((policy) => policy[input.direction] !== undefined)
    .map((policy) => ({ policy, groups: input.governed(policy.subject) }))
    .sort((a, b) => b.groups.length - a.groups.length);
  const layer = new NetworkPolicyLayer(input, governing.map(({ policy }) => policy));
  for (const { policy, groups } of governing) {
    for (const group of groups) layer.trie.extend(group.id, layer.variants.variantFor(policy, group));
  }
  return layer;
}

// The same order as `cluster.policies`, whatever the order in which the trie was built.
function compareByName(a: NetworkPolicy, b: NetworkPolicy): number {
  return a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
