// Which policies of one direction may govern a group, and which name a peer set.
import type { Direction } from '../model/network-policy.ts';
import type { CompiledClusterPolicy, CompiledPolicy } from './policy-set.ts';
import type { Vocabulary } from './vocabulary.ts';

export type AnyPolicy = CompiledPolicy | CompiledClusterPolicy;

export class PolicyIndex<Policy extends AnyPolicy> {
  /** By the scoped selector of the pods that a policy governs. */
  private readonly bySelector = new Map<number, Set<Policy>>();
  private readonly byPeerSet = new Map<number, Set<Policy>>();
  /** With port names that are resolved on the peer. */
  readonly naming: Set<Policy> = new Set();
  private readonly direction: Direction;
  private readonly vocabulary: Vocabulary;

  constructor(direction: Direction, vocabulary: Vocabulary) {
    this.direction = direction;
    this.vocabulary = vocabulary;
  }

  add(policy: Policy): void {
    addTo(this.bySelector, this.selectorOf(policy), policy);
    for (const rule of policy[this.direction] ?? []) {
      for (const peerSet of rule.peerSets ?? []) addTo(this.byPeerSet, peerSet, policy);
      if (rule.portNames.length > 0) this.naming.add(policy);
    }
  }

  remove(policy: Policy): void {
    removeFrom(this.bySelector, this.selectorOf(policy), policy);
    for (const rule of policy[this.direction] ?? []) for (const peerSet of rule.peerSets ?? []) removeFrom(this.byPeerSet, peerSet, policy);
    this.naming.delete(policy);
  }

  /** Policies whose pod selector is one of these; those of many namespaces may leave out the group's own. */
  withSelectors(selectors: readonly number[]): Policy[] {
    const result: Policy[] = [];
    for (const selector of selectors) this.bySelector.get(selector)?.forEach((policy) => result.push(policy));
    return result;
  }

  namingPeerSet(peerSet: number): Iterable<Policy> {
    return this.byPeerSet.get(peerSet) ?? [];
  }

  /** Scoped selector and, of a policy for many namespaces, namespace selector of the pods that it governs. */
  scopeOf(policy: Policy): { readonly selector: number; readonly namespaceSelector: number | undefined } {
    const subject = this.vocabulary.peerSets[policy.subject]!;
    if (subject.kind === 'namespaces') return subject;
    if (subject.kind === 'own-namespace') return { selector: subject.selector, namespaceSelector: undefined };
    throw new Error('bug: a policy governs pods, not addresses or names');
  }

  private selectorOf(policy: Policy): number {
    return this.scopeOf(policy).selector;
  }
}

function addTo<Value>(map: Map<number, Set<Value>>, key: number, value: Value): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

function removeFrom<Value>(map: Map<number, Set<Value>>, key: number, value: Value): void {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) map.delete(key);
}
