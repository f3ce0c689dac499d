// Which scoped selectors match an object: from label to selectors, so that a pod finds its own without trying them all.
import { canonicalSelector, type LabelSet, type Requirement, type Selector } from '../model/selector.ts';
import { NumberBuffer } from './number-list.ts';
import { PairTable } from './pair-table.ts';

/** The scope of selectors that look into every namespace; no namespace can have this name. */
export const EVERY_NAMESPACE = '*';

export interface ScopedSelector {
  readonly id: number;
  /** A namespace, or `*`. */
  readonly scope: string;
  readonly selector: Selector;
}

/**
 * Keys and values that some selector names are tokens: one for a key with each value that is named, and one for it with
 * any other. Selectors are added, and objects are read; what is asked then is about the object read last.
 */
export class SelectorIndex {
  readonly selectors: ScopedSelector[] = [];
  private readonly scopes = new Map<string, number>();
  /** By canonical text, what is asked of an object in any scope. */
  private readonly questions = new Map<string, Question>();
  private readonly questionOf: Question[] = [];
  /** By scope and text. */
  private readonly ids = new PairTable();
  /** By scope and token, the place of a list of selectors that only objects with the token can match. */
  private readonly places = new PairTable();
  private readonly candidates: number[][] = [];
  private readonly keys = new Map<string, NamedKey>();
  private tokenCount = WITHOUT_KEY + 1;
  /** Of the object: by key, its token, or `ABSENT`. */
  private readonly tokens: number[] = [];
  private readonly present: NamedKey[] = [];
  private readonly matching = new NumberBuffer();

  /** The id of a selector in a scope; equal selectors have one id. */
  add(scope: string, selector: Selector): number {
    const question = this.questionFor(selector);
    const scopeId = getOrMake(this.scopes, scope, () => this.scopes.size);
    const known = this.ids.get(scopeId, question.id);
    if (known >= 0) return known;
    const id = this.selectors.length;
    this.ids.set(scopeId, question.id, id);
    this.selectors.push({ id, scope, selector });
    this.questionOf.push(question);
    for (const token of question.places) this.placeAt(scopeId, token, id);
    return id;
  }

  /** Adds a list that is equal for objects that no selector can tell apart: a value that none names is "some other value". */
  signature(object: LabelSet, into: NumberBuffer): void {
    this.read(object);
    const start = into.length;
    for (const { index } of this.present) into.push(this.tokens[index]!);
    into.sortFrom(start);
  }

  /** Ids of all selectors that match an object of a namespace, ascending; good until the next question. */
  matched(namespace: string, object: LabelSet): NumberBuffer {
    this.read(object);
    this.matching.clear();
    for (const scope of [namespace, EVERY_NAMESPACE]) {
      const id = this.scopes.get(scope);
      if (id !== undefined) this.matchInScope(id);
    }
    this.matching.sortFrom(0);
    return this.matching;
  }

  private matchInScope(scope: number): void {
    for (const { index, token } of this.present) {
      const own = this.tokens[index]!;
      this.keepMatching(this.places.get(scope, own));
      if (own !== token) this.keepMatching(this.places.get(scope, token));
    }
    this.keepMatching(this.places.get(scope, WITHOUT_KEY));
  }

  private keepMatching(place: number): void {
    if (place < 0) return;
    for (const id of this.candidates[place]!) if (this.isMet(this.questionOf[id]!)) this.matching.push(id);
  }

  private isMet({ parts }: Question): boolean {
    for (const { kind, key, values } of parts) {
      const token = this.tokens[key]!;
      const holds = kind === 'Exists' ? token !== ABSENT : kind === 'DoesNotExist' ? token === ABSENT : values.has(token) === (kind === 'In');
      if (!holds) return false;
    }
    return true;
  }

  private read({ labels, unknownKeys }: LabelSet): void {
    for (const { index } of this.present) this.tokens[index] = ABSENT;
    this.present.length = 0;
    for (const [name, value] of labels) {
      const key = this.keys.get(name);
      if (key !== undefined) this.see(key, key.values.get(value) ?? key.token);
    }
    for (const name of unknownKeys) {
      const key = this.keys.get(name);
      if (key !== undefined && !labels.has(name)) this.see(key, key.token);
    }
  }

  private see(key: NamedKey, token: number): void {
    this.present.push(key);
    this.tokens[key.index] = token;
  }

  private placeAt(scope: number, token: number, id: number): void {
    const place = this.places.get(scope, token);
    if (place >= 0) this.candidates[place]!.push(id);
    else this.places.set(scope, token, this.candidates.push([id]) - 1);
  }

  private questionFor(selector: Selector): Question {
    return getOrMake(this.questions, canonicalSelector(selector), () => {
      const parts = selector.requirements.map((requirement) => this.nameRequirement(requirement));
      return { id: this.questions.size, parts, places: this.placesFor(parts) };
    });
  }

  private nameRequirement(requirement: Requirement): QuestionPart {
    const key = getOrMake(this.keys, requirement.key, () => {
      this.tokens.push(ABSENT);
      return { index: this.keys.size, token: this.tokenCount++, values: new Map<string, number>() };
    });
    const values = 'values' in requirement ? requirement.values : [];
    return { kind: requirement.kind, key: key.index, keyToken: key.token, values: new Set(values.map((value) => getOrMake(key.values, value, () => this.tokenCount++))) };
  }

  /** The values of the shortest `In`, else the key of an `Exists`, else those that every object must try: so no object meets it twice. */
  private placesFor(parts: readonly QuestionPart[]): readonly number[] {
    const shortest = parts.filter(({ kind }) => kind === 'In').sort((a, b) => a.values.size - b.values.size)[0];
    if (shortest !== undefined) return [...shortest.values];
    const exists = parts.find(({ kind }) => kind === 'Exists');
    return [exists?.keyToken ?? WITHOUT_KEY];
  }
}

/** The token that every object has. */
const WITHOUT_KEY = 0;
const ABSENT = -1;

interface NamedKey {
  readonly index: number;
  /** For any value that no selector names. */
  readonly token: number;
  readonly values: Map<string, number>;
}

/** A selector by tokens. */
interface Question {
  readonly id: number;
  readonly parts: readonly QuestionPart[];
  readonly places: readonly number[];
}

interface QuestionPart {
  readonly kind: Requirement['kind'];
  readonly key: number;
  readonly keyToken: number;
  readonly values: ReadonlySet<number>;
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
