// The NetworkPolicy layer of one direction: what the rules of all policies that govern a subject allow together.
import type { Direction, NetworkPolicy } from '../model/network-policy.ts';
import type { Group } from './group-pods.ts';
import type { CompiledPolicy } from './policy-set.ts';
import { eachClassOfRule, VariantTable, type PolicyVariant, type RuleReader, type VariantInput } from './policy-variant.ts';
import { NO_PORTS_ID } from './port-set-table.ts';
import { constantRow, RowDraft, type Row } from './row.ts';
import { stepsTo, TrieBuilder, UNGOVERNED, type SubjectTrie } from './subject-trie.ts';

export type NetworkPolicyVariant = PolicyVariant<CompiledPolicy>;

export interface NetworkPolicyLayer {
  /** Subject 0 is governed by no policy: not isolated. */
  readonly subjectOfGroup: Int32Array;
  /** Ports by peer class of a subject that is isolated. */
  rowOf(subject: number): Row;
  /** The variants that govern a subject, in the order of `cluster.policies`. */
  variantsOf(subject: number): readonly NetworkPolicyVariant[];
}

export interface LayerInput extends VariantInput {
  readonly direction: Direction;
  readonly groups: readonly Group[];
  readonly governed: (subject: number) => readonly Group[];
  readonly reader: RuleReader;
}

export function createNetworkPolicyLayer(input: LayerInput, policies: readonly CompiledPolicy[]): NetworkPolicyLayer {
  const trie = buildTrie(input, policies);
  const rows = new RowTable(trie, input.reader);
  return {
    subjectOfGroup: trie.subjectOfGroup,
    rowOf: (subject) => rows.rowOf(subject),
    variantsOf: (subject) => stepsTo(trie, subject).sort((a, b) => compareByName(a.policy.policy, b.policy.policy)),
  };
}

/** Widest policies first, so that the pods of a namespace share the long beginning of their paths. */
function buildTrie(input: LayerInput, policies: readonly CompiledPolicy[]): SubjectTrie<NetworkPolicyVariant> {
  const governing = policies
    .filter((policy) => policy[input.direction] !== undefined)
    .map((policy) => ({ policy, groups: input.governed(policy.subject) }))
    .sort((a, b) => b.groups.length - a.groups.length);
  const trie = new TrieBuilder<NetworkPolicyVariant>(input.groups.length);
  for (const { policy, groups } of governing) {
    const variants = new VariantTable(policy, input);
    for (const group of groups) trie.extend(group.id, variants.variantFor(group));
  }
  return trie;
}

// The same order as `cluster.policies`, whatever the order in which the trie was built.
function compareByName(a: NetworkPolicy, b: NetworkPolicy): number {
  return a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Keeps the rows of subjects that were asked for and of nodes where paths part; those between are passed through. */
class RowTable {
  private readonly rows = new Map<number, Row>();
  private readonly trie: SubjectTrie<NetworkPolicyVariant>;
  private readonly reader: RuleReader;
  private readonly draft: RowDraft;

  constructor(trie: SubjectTrie<NetworkPolicyVariant>, reader: RuleReader) {
    const classCount = reader.peers.classes.length;
    this.trie = trie;
    this.reader = reader;
    this.draft = new RowDraft(classCount);
    this.rows.set(UNGOVERNED, constantRow(classCount, NO_PORTS_ID));
  }

  rowOf(subject: number): Row {
    return this.rows.get(subject) ?? this.makeRow(subject);
  }

  private makeRow(subject: number): Row {
    const { parents, steps, childCounts } = this.trie;
    const path: number[] = [];
    let node = subject;
    for (; !this.rows.has(node); node = parents[node]!) path.push(node);
    this.draft.load(this.rows.get(node)!);
    for (const step of path.reverse()) {
      this.addPolicy(steps[step]!);
      if (step === subject || childCounts[step]! > 1) this.rows.set(step, this.draft.toRow());
    }
    return this.rows.get(subject)!;
  }

  private addPolicy(variant: NetworkPolicyVariant): void {
    const { portSets } = this.reader;
    for (const rule of variant.rules) {
      eachClassOfRule(this.reader, rule, (peerClass, ports) => this.draft.set(peerClass, portSets.union(this.draft.at(peerClass), ports)));
    }
  }
}
