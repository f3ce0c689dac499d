// Subjects of one direction: the set of policies that govern a group, as a node of a trie, so that a row is its parent's row and one policy more.
import type { Direction } from '../model/network-policy.ts';
import type { Group } from './group-pods.ts';
import { rulePorts, type CompiledPolicy, type PolicySet } from './policy-set.ts';
import type { PortSetTable } from './port-set-table.ts';

/** A policy in one direction with its ports resolved for the pods it governs. */
export interface PolicyVariant {
  readonly policy: CompiledPolicy;
  readonly rules: readonly VariantRule[];
}

export interface VariantRule {
  /** Place in the policy's section. */
  readonly index: number;
  /** undefined: everybody. */
  readonly peerSets: readonly number[] | undefined;
  /** Ports that hold for every peer. */
  readonly ports: number;
  /** Egress only: names that lead to other ports on each destination. */
  readonly portNames: readonly string[];
}

/** Node 0 is the root: governed by no policy. */
export interface SubjectTrie {
  readonly subjectOfGroup: Int32Array;
  readonly parents: readonly number[];
  /** The variant that each node adds to its parent's; nothing for node 0. */
  readonly variants: readonly (PolicyVariant | undefined)[];
  readonly childCounts: readonly number[];
}

export interface SubjectInput {
  readonly direction: Direction;
  readonly policySet: PolicySet;
  readonly groups: readonly Group[];
  readonly portSets: PortSetTable;
}

/** Widest policies first, so that the pods of a namespace share the long beginning of their paths. */
export function buildSubjectTrie(input: SubjectInput): SubjectTrie {
  const { direction, policySet, groups } = input;
  const groupsOfSelector = groupsBySelector(groups, policySet.selectors.selectors.length);
  const governing = policySet.policies.filter((policy) => policy[direction] !== undefined);
  governing.sort((a, b) => groupsOfSelector[b.selector]!.length - groupsOfSelector[a.selector]!.length);
  const trie = new TrieBuilder(groups.length);
  for (const policy of governing) {
    const variants = new VariantTable(policy, input);
    for (const group of groupsOfSelector[policy.selector]!) trie.extend(group.id, variants.variantFor(group));
  }
  return trie;
}

function groupsBySelector(groups: readonly Group[], selectorCount: number): readonly (readonly Group[])[] {
  const result: Group[][] = Array.from({ length: selectorCount }, () => []);
  for (const group of groups) for (const selector of group.selectors) result[selector]!.push(group);
  return result;
}

class TrieBuilder implements SubjectTrie {
  readonly subjectOfGroup: Int32Array;
  readonly parents: number[] = [0];
  readonly variants: (PolicyVariant | undefined)[] = [undefined];
  readonly childCounts: number[] = [0];
  private readonly children: (Map<PolicyVariant, number> | undefined)[] = [undefined];

  constructor(groupCount: number) {
    this.subjectOfGroup = new Int32Array(groupCount);
  }

  extend(group: number, variant: PolicyVariant): void {
    const parent = this.subjectOfGroup[group]!;
    const children = (this.children[parent] ??= new Map());
    let child = children.get(variant);
    if (child === undefined) {
      child = this.parents.push(parent) - 1;
      this.variants.push(variant);
      this.childCounts.push(0);
      this.childCounts[parent]!++;
      this.children.push(undefined);
      children.set(variant, child);
    }
    this.subjectOfGroup[group] = child;
  }
}

/** Ingress port names are resolved on the governed pod, so pods that open different ports under a name get different variants. */
class VariantTable {
  private readonly variants = new Map<string, PolicyVariant>();
  private readonly names: readonly string[];
  private readonly policy: CompiledPolicy;
  private readonly input: SubjectInput;

  constructor(policy: CompiledPolicy, input: SubjectInput) {
    this.policy = policy;
    this.input = input;
    const rules = policy[input.direction] ?? [];
    this.names = input.direction === 'ingress' ? [...new Set(rules.flatMap((rule) => rule.portNames))] : [];
  }

  variantFor(group: Group): PolicyVariant {
    const key = this.names.map((name) => group.namedPorts.get(name) ?? '').join(' ');
    let variant = this.variants.get(key);
    if (variant === undefined) this.variants.set(key, (variant = this.resolve(group)));
    return variant;
  }

  private resolve(group: Group): PolicyVariant {
    const { direction, portSets } = this.input;
    const rules = (this.policy[direction] ?? []).map((rule, index) => ({
      index,
      peerSets: rule.peerSets,
      ports: direction === 'ingress' ? rulePorts(rule, group.namedPorts, portSets) : rule.ports,
      portNames: direction === 'ingress' ? [] : rule.portNames,
    }));
    return { policy: this.policy, rules };
  }
}
