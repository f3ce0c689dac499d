// A tier of cluster-wide policies in one direction: by priority, then rule by rule, the first that matches decides; Pass leaves the tier.
import { ALL_PORTS } from '../base/port-set.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import type { CompiledClusterPolicy } from './policy-set.ts';
import { portsTowards, VariantTable, type PolicyVariant, type RuleReader } from './policy-variant.ts';
import type { LayerInput } from './network-policy-layer.ts';
import { SubjectTrie, UNGOVERNED, type TrieStep } from './subject-trie.ts';
import type { TierDecision, TierMatches } from './tier-decision.ts';
import { createTierRow, growTierRow, type TierRow } from './tier-row.ts';

export type TierVariant = PolicyVariant<CompiledClusterPolicy>;

/** Policies of one priority that govern the same pods. */
export interface TierLevel extends TrieStep {
  readonly priority: number;
  readonly variants: readonly TierVariant[];
}

/** Subject 0 is governed by no policy of the tier. */
export class TierLayer {
  readonly trie: SubjectTrie<TierLevel>;
  readonly variants: VariantTable<CompiledClusterPolicy>;
  private readonly levels = new Map<string, TierLevel>();
  private readonly reader: RuleReader;
  private readonly rows: TierRow[] = [createTierRow()];

  constructor({ direction, reader, groups }: LayerInput) {
    this.reader = reader;
    this.trie = new SubjectTrie(groups.length);
    this.variants = new VariantTable({ direction, portSets: reader.portSets });
  }

  /** Knows every class there is now; the same row grows later. */
  rowOf(subject: number): TierRow {
    while (this.rows.length <= subject) this.rows.push(createTierRow());
    const row = this.rows[subject]!;
    const classCount = this.reader.peers.classes.length;
    if (row.length === classCount) return row;
    // At most 1,002 priorities in a tier, so the recursion is shallow.
    const above = subject === UNGOVERNED ? undefined : this.rowOf(this.trie.parents[subject]!);
    growTierRow(this.reader, row, { above, level: this.trie.steps[subject]?.variants ?? [], classCount });
    return row;
  }

  /** Of a subject whose number may be given to another. */
  forgetRow(subject: number): void {
    if (subject < this.rows.length) this.rows[subject] = createTierRow();
  }

  /** What the tier's rules match of a class. */
  matchesOf(subject: number, peerClass: number): TierMatches {
    return this.trie.stepsTo(subject).map(({ variants }) => variants.map((variant) => matchesOfPolicy(this.reader, variant, peerClass)));
  }

  /** The policies that govern the subject, in the order of priority. */
  policiesOf(subject: number): readonly ClusterPolicy[] {
    return this.trie.stepsTo(subject).flatMap(({ variants }) => variants.map(({ policy }) => policy.policy));
  }

  /** Levels that were ever made. */
  get levelCount(): number {
    return this.levels.size;
  }

  /** Variants of policies of one priority, in the order of the policies. */
  levelOf(priority: number, variants: readonly TierVariant[]): TierLevel {
    const key = variants.length === 1 ? String(variants[0]!.id) : variants.map(({ id }) => id).join(' ');
    let level = this.levels.get(key);
    if (level === undefined) this.levels.set(key, (level = { id: this.levels.size, priority, variants }));
    return level;
  }
}

export function createTierLayer(input: LayerInput, policies: readonly CompiledClusterPolicy[]): TierLayer {
  const layer = new TierLayer(input);
  const governing = policies.filter((policy) => policy[input.direction] !== undefined);
  const priorities = [...new Set(governing.map(({ policy }) => policy.priority))].sort((a, b) => a - b);
  for (const priority of priorities) addPriority(input, layer, governing.filter(({ policy }) => policy.priority === priority));
  return layer;
}

/** Policies of one priority; mostly it is a single one. */
function addPriority({ governed }: LayerInput, layer: TierLayer, policies: readonly CompiledClusterPolicy[]): void {
  const { priority } = policies[0]!.policy;
  const ofGroup = new Map<number, TierVariant[]>();
  for (const policy of policies) {
    for (const group of governed(policy.subject)) {
      const variant = layer.variants.variantFor(policy, group);
      const known = ofGroup.get(group.id);
      if (policies.length === 1) layer.trie.extend(group.id, layer.levelOf(priority, [variant]));
      else if (known === undefined) ofGroup.set(group.id, [variant]);
      else known.push(variant);
    }
  }
  for (const [group, variants] of ofGroup) layer.trie.extend(group, layer.levelOf(priority, variants));
}

function matchesOfPolicy(reader: RuleReader, { policy, rules }: TierVariant, peerClass: number): readonly TierDecision[] {
  const section = policy[reader.peers.direction] ?? [];
  return rules
    .map((rule) => ({ policy: policy.policy, rule: section[rule.index]!.rule, ports: portsTowards(reader, rule, { peerClass, ports: ALL_PORTS }) }))
    .filter(({ ports }) => ports.length > 0);
}
