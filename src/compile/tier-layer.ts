// A tier of cluster-wide policies in one direction: by priority, then rule by rule, the first that matches decides; Pass leaves the tier.
import { intersectPorts, subtractPorts, type PortSet } from '../base/port-set.ts';
import type { ClusterPolicy, TierAction, TierRule } from '../model/cluster-policy.ts';
import type { CompiledClusterPolicy } from './policy-set.ts';
import { eachClassOfRule, portsTowards, VariantTable, type PolicyVariant, type RuleReader } from './policy-variant.ts';
import { NO_PORTS_ID } from './port-set-table.ts';
import type { LayerInput } from './network-policy-layer.ts';
import { stepsTo, TrieBuilder, UNGOVERNED, type SubjectTrie } from './subject-trie.ts';

export type TierVariant = PolicyVariant<CompiledClusterPolicy>;

/** Policies of one priority that govern the same pods. */
export type TierLevel = readonly TierVariant[];

/** Port set ids by peer class. What is in none of the three, no rule of the tier matches. */
export type TierRow = Readonly<Record<TierAction, Uint32Array>>;

/** A rule and the ports that it decides. */
export interface TierDecision {
  readonly policy: ClusterPolicy;
  readonly rule: TierRule;
  readonly ports: PortSet;
}

export interface TierLayer {
  /** Subject 0 is governed by no policy of the tier. */
  readonly subjectOfGroup: Int32Array;
  rowOf(subject: number): TierRow;
  /** The rules that decide about ports towards a class, in the order of priority; ports in none of them the tier leaves to the next. */
  decisionsOf(subject: number, peerClass: number, ports: PortSet): readonly TierDecision[];
}

export function createTierLayer(input: LayerInput, policies: readonly CompiledClusterPolicy[]): TierLayer {
  const trie = buildTrie(input, policies);
  const rows = new Map<number, TierRow>([[UNGOVERNED, emptyRow(input.reader.peers.classes.length)]]);
  const rowOf = (subject: number): TierRow => {
    let row = rows.get(subject);
    if (row === undefined) {
      // At most 1,002 priorities in a tier, so the recursion is shallow.
      rows.set(subject, (row = addLevel(input.reader, rowOf(trie.parents[subject]!), trie.steps[subject]!)));
    }
    return row;
  };
  return {
    subjectOfGroup: trie.subjectOfGroup,
    rowOf,
    decisionsOf(subject, peerClass, ports) {
      const decisions: TierDecision[] = [];
      let open = ports;
      for (const level of stepsTo(trie, subject)) {
        const ofLevel = decideLevel(input.reader, level, { peerClass, ports: open });
        for (const decision of ofLevel) open = subtractPorts(open, decision.ports);
        decisions.push(...ofLevel);
      }
      return decisions;
    },
  };
}

/** What the rules of one level decide. A port on which policies of the level differ goes to the strictest of them. */
function decideLevel(reader: RuleReader, level: TierLevel, ends: { readonly peerClass: number; readonly ports: PortSet }): TierDecision[] {
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

function buildTrie(input: LayerInput, policies: readonly CompiledClusterPolicy[]): SubjectTrie<TierLevel> {
  const trie = new TrieBuilder<TierLevel>(input.groups.length);
  const governing = policies.filter((policy) => policy[input.direction] !== undefined);
  const priorities = [...new Set(governing.map(({ policy }) => policy.priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    const ofGroup = new Map<number, TierVariant[]>();
    for (const policy of governing.filter((candidate) => candidate.policy.priority === priority)) {
      const variants = new VariantTable(policy, input);
      for (const group of input.governed(policy.subject)) {
        ofGroup.set(group.id, [...(ofGroup.get(group.id) ?? []), variants.variantFor(group)]);
      }
    }
    const levels = new LevelTable();
    for (const [group, variants] of ofGroup) trie.extend(group, levels.intern(variants));
  }
  return trie;
}

class LevelTable {
  private readonly levels = new Map<string, TierLevel>();
  private readonly ids = new Map<TierVariant, number>();

  intern(variants: TierLevel): TierLevel {
    const key = variants.map((variant) => this.idOf(variant)).join(' ');
    let level = this.levels.get(key);
    if (level === undefined) this.levels.set(key, (level = variants));
    return level;
  }

  private idOf(variant: TierVariant): number {
    let id = this.ids.get(variant);
    if (id === undefined) this.ids.set(variant, (id = this.ids.size));
    return id;
  }
}

type DraftRow = Record<TierAction, Uint32Array>;

function emptyRow(size: number): DraftRow {
  return { Accept: new Uint32Array(size), Deny: new Uint32Array(size), Pass: new Uint32Array(size) };
}

/** Among policies of one priority each finds its own first match; where they differ the strictest counts. */
function addLevel(reader: RuleReader, above: TierRow, level: TierLevel): TierRow {
  const { portSets } = reader;
  const size = above.Accept.length;
  const matches = level.map((variant) => firstMatches(reader, above, variant));
  const row = emptyRow(size);
  for (let peerClass = 0; peerClass < size; peerClass++) {
    const all = (action: TierAction): number => matches.reduce((ports, match) => portSets.union(ports, match[action][peerClass]!), NO_PORTS_ID);
    const denied = all('Deny');
    const passed = portSets.subtract(all('Pass'), denied);
    const accepted = portSets.subtract(portSets.subtract(all('Accept'), denied), passed);
    row.Deny[peerClass] = portSets.union(above.Deny[peerClass]!, denied);
    row.Pass[peerClass] = portSets.union(above.Pass[peerClass]!, passed);
    row.Accept[peerClass] = portSets.union(above.Accept[peerClass]!, accepted);
  }
  return row;
}

/** What the rules of one policy match first, of the ports that lower priority numbers have left undecided. */
function firstMatches(reader: RuleReader, above: TierRow, variant: TierVariant): DraftRow {
  const { portSets } = reader;
  const row = emptyRow(above.Accept.length);
  const section = variant.policy[reader.peers.direction] ?? [];
  const decided = (rows: TierRow, peerClass: number): number =>
    portSets.union(portSets.union(rows.Accept[peerClass]!, rows.Deny[peerClass]!), rows.Pass[peerClass]!);
  for (const rule of variant.rules) {
    const { action } = section[rule.index]!.rule;
    eachClassOfRule(reader, rule, (peerClass, ports) => {
      const open = portSets.subtract(portSets.subtract(ports, decided(above, peerClass)), decided(row, peerClass));
      row[action][peerClass] = portSets.union(row[action][peerClass]!, open);
    });
  }
  return row;
}
