// Which scoped selectors match an object: from label to selectors, so that a pod finds its own without trying them all.
import { canonicalSelector, meetsRequirement, type LabelSet, type Requirement, type Selector } from '../model/selector.ts';

/** The scope of selectors that look into every namespace; no namespace can have this name. */
export const EVERY_NAMESPACE = '*';

export interface ScopedSelector {
  readonly id: number;
  /** A namespace, or `*`. */
  readonly scope: string;
  readonly selector: Selector;
}

/** Selectors are added first; then objects are matched. */
export class SelectorIndex {
  readonly selectors: ScopedSelector[] = [];
  private readonly scopes = new Map<string, ScopeIndex>();
  private readonly mentioned = new Map<string, MentionedKey>();
  private tokenCount = 0;

  /** The id of a selector in a scope; equal selectors have one id. */
  add(scope: string, selector: Selector): number {
    const text = canonicalSelector(selector);
    const index = getOrMake(this.scopes, scope, newScopeIndex);
    const known = index.ids.get(text);
    if (known !== undefined) return known;
    const id = this.selectors.length;
    index.ids.set(text, id);
    this.selectors.push({ id, scope, selector });
    for (const requirement of selector.requirements) this.mention(requirement);
    place(index, id, selector);
    return id;
  }

  /** Ids of all selectors that match an object of a namespace, ascending. */
  matched(namespace: string, object: LabelSet): number[] {
    const result: number[] = [];
    for (const scope of [namespace, EVERY_NAMESPACE]) {
      const index = this.scopes.get(scope);
      if (index !== undefined) this.matchInScope(index, object, result);
    }
    return result.sort(ascending);
  }

  /** A list equal for objects that no selector can tell apart: a value that none names is "some other value". */
  signature(object: LabelSet): number[] {
    const tokens: number[] = [];
    for (const [key, value] of object.labels) {
      const known = this.mentioned.get(key);
      if (known !== undefined) tokens.push(known.values.get(value) ?? known.token);
    }
    for (const key of object.unknownKeys) {
      const known = this.mentioned.get(key);
      if (known !== undefined && !object.labels.has(key)) tokens.push(known.token);
    }
    return tokens.sort(ascending);
  }

  private matchInScope(index: ScopeIndex, object: LabelSet, result: number[]): void {
    for (const [key, value] of object.labels) {
      this.keepMatching(index.byValue.get(key)?.get(value), object, result);
      this.keepMatching(index.byKey.get(key), object, result);
    }
    for (const key of object.unknownKeys) {
      if (!object.labels.has(key)) this.keepMatching(index.byKey.get(key), object, result);
    }
    this.keepMatching(index.withoutKey, object, result);
  }

  private keepMatching(candidates: readonly number[] | undefined, object: LabelSet, result: number[]): void {
    if (candidates === undefined) return;
    for (const id of candidates) {
      if (this.selectors[id]!.selector.requirements.every((requirement) => meetsRequirement(requirement, object))) result.push(id);
    }
  }

  private mention(requirement: Requirement): void {
    const known = getOrMake(this.mentioned, requirement.key, () => ({ token: this.tokenCount++, values: new Map<string, number>() }));
    if ('values' in requirement) for (const value of requirement.values) getOrMake(known.values, value, () => this.tokenCount++);
  }
}

/** A label key that some selector names: a token for it with each value that is named, and one for it with any other. */
interface MentionedKey {
  readonly token: number;
  readonly values: Map<string, number>;
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** A selector stands in exactly one of the three, so no object meets it twice. */
interface ScopeIndex {
  /** By canonical text. */
  readonly ids: Map<string, number>;
  readonly byValue: Map<string, Map<string, number[]>>;
  readonly byKey: Map<string, number[]>;
  readonly withoutKey: number[];
}

function newScopeIndex(): ScopeIndex {
  return { ids: new Map(), byValue: new Map(), byKey: new Map(), withoutKey: [] };
}

/** Under the values of the shortest `In`, else under the key of an `Exists`, else with those that every object must try. */
function place(index: ScopeIndex, id: number, selector: Selector): void {
  const ins = selector.requirements.flatMap((requirement) => (requirement.kind === 'In' ? [requirement] : []));
  const shortest = ins.sort((a, b) => a.values.length - b.values.length)[0];
  if (shortest !== undefined) {
    const byValue = getOrMake(index.byValue, shortest.key, () => new Map<string, number[]>());
    for (const value of new Set(shortest.values)) getOrMake(byValue, value, () => []).push(id);
    return;
  }
  const exists = selector.requirements.find((requirement) => requirement.kind === 'Exists');
  if (exists !== undefined) getOrMake(index.byKey, exists.key, () => []).push(id);
  else index.withoutKey.push(id);
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
