// From one ruleset to another: which elements go and come, in the order in which no packet finds more open than either allows.
import { keyText, type Element, type Elements } from './element.ts';
import { elementsOf, NO_ELEMENTS } from './elements.ts';
import type { Ruleset } from './ruleset.ts';
import { FAMILIES, SET_SHAPES, type SetName, type SetShape } from './set-shape.ts';
import { takesAway } from './takes-away.ts';

/** Steps are carried out in order, in one atomic batch where the kernel takes one that large. */
export interface ChangePlan {
  readonly steps: readonly ChangeStep[];
  /** Something that was allowed is not any more: live connections have to be judged again. */
  readonly takesAway: boolean;
}

/** `removed` of one step and its `added` take effect in the same instant, whatever the size of batches. */
export interface ChangeStep {
  readonly set: SetName;
  readonly removed: readonly Element[];
  readonly added: readonly Element[];
}

/** What fills empty sets. */
export function loadSteps(ruleset: Ruleset): ChangeStep[] {
  return diffElements(NO_ELEMENTS, elementsOf(ruleset));
}

export function planChange(current: Ruleset, wanted: Ruleset): ChangePlan {
  return { steps: diffElements(elementsOf(current), elementsOf(wanted)), takesAway: takesAway(current, wanted) };
}

/**
 * The order matters only when a change is larger than one batch, so that packets see the states between:
 * new profiles, to which nothing points yet; pairs that go or shrink; classes that addresses change or get anew;
 * classes of ranges; classes of single addresses that go, so that none falls into a range that is not yet as it will be;
 * new pairs; profiles to which nothing points any more; the pods themselves last.
 * An id is never given a wider meaning while an address may still be leaving it (`ids.ts`), so a pair that
 * changes before its class's members do can only close.
 */
export function orderSteps(diffs: ReadonlyMap<SetName, SetDiff>): ChangeStep[] {
  const take = (sets: readonly SetName[], parts: (diff: SetDiff) => readonly Part[]): ChangeStep[] =>
    sets.flatMap((set) => parts(diffs.get(set) ?? NO_DIFF).map((part) => ({ set, ...part })));
  return [
    ...take(PROFILES, (diff) => diff.added),
    ...take(PAIRS, (diff) => [...diff.removed, ...diff.replaced]),
    ...take(POD_CLASSES, (diff) => [...diff.replaced, ...diff.added]),
    ...take(RANGE_CLASSES, (diff) => [...diff.removed, ...diff.replaced, ...diff.added]),
    ...take(POD_CLASSES, (diff) => diff.removed),
    ...take(PAIRS, (diff) => diff.added),
    ...take(PROFILES, (diff) => [...diff.removed, ...diff.replaced]),
    ...take(PODS, (diff) => [...diff.replaced, ...diff.added, ...diff.removed]),
  ];
}

export function diffElements(current: Elements, wanted: Elements): ChangeStep[] {
  return orderSteps(new Map(SET_SHAPES.map((shape) => [shape.name, diffSet(shape, current.get(shape.name)!, wanted.get(shape.name)!)])));
}

const PROFILES: readonly SetName[] = ['px', 'pp', 'pr'];
const POD_CLASSES = FAMILIES.flatMap((family): SetName[] => [`pce${family}`, `pci${family}`]);
const RANGE_CLASSES = FAMILIES.flatMap((family): SetName[] => [`bce${family}`, `bci${family}`]);
const PAIRS = FAMILIES.flatMap((family): SetName[] => [`pe${family}`, `pi${family}`, `on${family}`, `named${family}`]);
const PODS = FAMILIES.flatMap((family): SetName[] => [`podrange${family}`, `self${family}`, `ln${family}`, `ask${family}`, `dnsvia${family}`, `dnsat${family}`, `le${family}`, `li${family}`]);

export type Part = Pick<ChangeStep, 'removed' | 'added'>;

/** What is `replaced` goes and comes in one instant. */
export interface SetDiff {
  readonly removed: readonly Part[];
  readonly replaced: readonly Part[];
  readonly added: readonly Part[];
}

const NO_DIFF: SetDiff = { removed: [], replaced: [], added: [] };

export function diffSet(shape: SetShape, current: readonly Element[], wanted: readonly Element[]): SetDiff {
  const old = new Map(current.map((element) => [keyText(element), element]));
  const added: Element[] = [];
  const replaced: Part[] = [];
  for (const element of wanted) {
    const text = keyText(element);
    const before = old.get(text);
    old.delete(text);
    if (before === undefined) added.push(element);
    else if (before.data !== element.data) replaced.push({ removed: [before], added: [element] });
  }
  const removed = [...old.values()];
  if (shape.isInterval && areCutAnew(shape, removed, added)) return { removed: [], replaced: [joinParts(replaced, removed, added)], added: [] };
  return { removed: removed.length > 0 ? [{ removed, added: [] }] : [], replaced, added: added.length > 0 ? [{ removed: [], added }] : [] };
}

// Address ranges that are cut anew overlap: they change in one instant, or addresses in them would fall out meanwhile.
// Port ranges do only where somebody gave an old profile id new ports.
function areCutAnew(shape: SetShape, removed: readonly Element[], added: readonly Element[]): boolean {
  if (removed.length === 0 || added.length === 0) return false;
  if (shape.fields.length === 1) return true;
  const profiles = new Set(removed.map(({ key }) => key[0]));
  return added.some(({ key }) => profiles.has(key[0]!));
}

function joinParts(replaced: readonly Part[], removed: readonly Element[], added: readonly Element[]): Part {
  return {
    removed: [...removed, ...replaced.flatMap((part) => part.removed)],
    added: [...replaced.flatMap((part) => part.added), ...added],
  };
}
