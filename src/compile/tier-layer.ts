// A tier of cluster-wide policies in one direction: by priority, then rule by rule, the first that matches decides; Pass leaves the tier.
import { intersectPorts, subtractPorts, type PortSet } from '../base/port-set.ts';
import type { ClusterPolicy, TierAction, TierRule } from '../model/cluster-policy.ts';
import type { CompiledClusterPolicy } from './policy-set.ts';
import { portsTowards, VariantTable, type PolicyVariant, type RuleReader } from './policy-variant.ts';
import type { LayerInput } from './network-policy-layer.ts';
import { SubjectTrie, UNGOVERNED, type TrieStep } from './subject-trie.ts';
import { createTierRow, growTierRow, type TierRow } from './tier-row.ts';

export type TierVariant = PolicyVariant<CompiledClusterPolicy>;

/** Policies of one priority that govern the same pods. */
export interface TierLevel extends TrieStep {
  readonly priority: number;
  readonly variants: readonly TierVariant[];
}

/** A rule and the ports that it decides. */
export interface TierDecision {
  readonly policy: ClusterPolicy;
  readonly rule: TierRule;
  readonly ports: PortSet;
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

  /** The rules that decide about ports towards a class, in the order of priority; ports in none of them the tier leaves to the next. */
  decisionsOf(subject: number, peerClass: number, ports: PortSet): readonly TierDecision[] {
    const decisions: TierDecision[] = [];
    let open = ports;
    for (const level of this.trie.stepsTo(subject)) {
      const ofLevel = decideLevel(this.reader, level.variants, { peerClass, ports: open });
      for (const decision of ofLevel) open = subtractPorts(open, decision.ports);
      decisions.push(...ofLevel);
    }
    return decisions;
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

/** What the rules of one level decide. A port on which policies of the level differ goes to the strictest of them. */
function decideLevel(reader: RuleReader, level: readonly TierVariant[], ends: { readonly peerClass: number; readonly ports: PortSet }): TierDecision[] {
  const found = level.flatMap((variant) => {
    const section = variant.policy[reader.peers.direction] ?? [];
    let open = ends.ports;
    return variant.rules.flatMap((rule): TierDecision[] => {
      const ports = portsTowards(reader, rule, { peerClass: ends.peerClass, ports: open });
      if (ports.length === 0) return [];
      open = subtractPorts(open, ports);
      return [{ policy: variant.policy.policy, rule: section[rule.index]!.rule, ports }];
    });
  });
  let open = ends.ports;
  return STRICTEST_FIRST.flatMap((action) => {
    const ofAction = found
      .filter(({ rule }) => rule.action === action)
      .map((decision) => ({ ...decision, ports: intersectPorts(decision.ports, open) }))
      .filter(({ ports }) => ports.length > 0);
    for (const { ports } of ofAction) open = subtractPorts(open, ports);
    return ofAction;
  });
}

/** The order among policies of one priority that differ (undefined upstream; see the semantics of equal priorities). */
const STRICTEST_FIRST: readonly TierAction[] = ['Deny', 'Pass', 'Accept'];
