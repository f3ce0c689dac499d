// Finds the one label that a selector would have to name otherwise to select a pod: the near miss.
import { countEdits } from '../../base/near-miss.ts';
import type { Pod } from '../../model/cluster.ts';
import { meetsRequirement, type LabelSet, type Requirement, type Selector } from '../../model/selector.ts';

export interface NearLabel<Labeled extends LabelSet = LabelSet> {
  /** The requirement that fails, and the label of the nearest object that it would have to name. */
  readonly requirement: Requirement & { readonly values: readonly string[] };
  readonly key: string;
  readonly value: string;
  readonly nearest: Labeled;
  /** Few edits away, and nothing else is as near: fit to be offered as an edit. */
  readonly isSure: boolean;
}

/** Objects compared for one selector; of larger namespaces the first ones. */
const OBJECTS_MAX = 2_000;
/** Values longer than this are no typing errors. */
const VALUE_LENGTH_MAX = 63;

const SURE_DISTANCE_MAX = 2;

/** Keys under which different authors put the same name. */
const NAME_KEYS: ReadonlySet<string> = new Set(['app', 'name', 'k8s-app', 'component', 'app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component', 'service', 'role', 'tier', 'kubernetes.io/metadata.name']);

/** The object that meets all requirements but one, and that one nearly; undefined where no object comes near. */
export function findNearLabel<Labeled extends LabelSet>(selector: Selector, objects: readonly Labeled[]): NearLabel<Labeled> | undefined {
  const distances = new Map<string, number>();
  let best: { near: Omit<NearLabel<Labeled>, 'isSure'>; distance: number; isTied: boolean } | undefined;
  for (const object of objects.slice(0, OBJECTS_MAX)) {
    const failing = onlyFailure(selector, object);
    if (failing === undefined) continue;
    for (const [key, value] of object.labels) {
      const distance = labelDistance(failing, { key, value }, distances);
      if (distance < (best?.distance ?? Infinity)) best = { near: { requirement: failing, key, value, nearest: object }, distance, isTied: false };
      else if (best !== undefined && distance === best.distance && (key !== best.near.key || value !== best.near.value)) best.isTied = true;
    }
  }
  return best === undefined ? undefined : { ...best.near, isSure: !best.isTied && best.distance <= SURE_DISTANCE_MAX };
}

/** `shop-a` and `shop-b`, `eu1` and `eu2`: near each other on purpose, so that one of them is no misspelling of the other. */
export function isSibling({ requirement, value }: NearLabel): boolean {
  return requirement.values.some((wanted) => {
    const [own, other] = [wanted, value].map((name) => name.toLowerCase().replace(/\d+/g, '#').split(/[-_.]/)) as [string[], string[]];
    const parts = own.map((part, index) => [part, other[index] ?? ''] as const).filter(([part, beside]) => part !== beside);
    return wanted !== value && own.length === other.length && parts.every((pair) => pair.every((part) => part.length <= SIBLING_PART_MAX));
  });
}

/** Signs of a part of a name that tells siblings apart. */
const SIBLING_PART_MAX = 2;

/** Whether an object would meet the selector if a label of it, whose value a text cannot tell, had the right one. */
export function mayBeSelected(selector: Selector, object: LabelSet): boolean {
  return (
    object.unknownKeys.size > 0 &&
    selector.requirements.every((requirement) => meetsRequirement(requirement, object) || (requirement.kind === 'In' && object.unknownKeys.has(requirement.key)))
  );
}

/** `` nearest is `name=carts` on `Deployment/carts` `` */
export function describeNearPod(near: NearLabel<Pod>): string {
  return `nearest is \`${near.key}=${near.value}\` on ${describePod(near.nearest)}`;
}

export function describePod(pod: Pod): string {
  return `\`${pod.workload.kind}/${pod.workload.name}\``;
}

function onlyFailure(selector: Selector, object: LabelSet): NearLabel['requirement'] | undefined {
  let failing: Requirement | undefined;
  for (const requirement of selector.requirements) {
    if (meetsRequirement(requirement, object)) continue;
    if (failing !== undefined) return undefined;
    failing = requirement;
  }
  return failing?.kind === 'In' ? failing : undefined;
}

/** Edits between the values under one key; the same value under another naming key is a little further off. */
function labelDistance(wanted: NearLabel['requirement'], label: { key: string; value: string }, known: Map<string, number>): number {
  if (label.key === wanted.key) return Math.min(...wanted.values.map((value) => valueDistance(value, label.value, known)));
  if (!wanted.values.includes(label.value)) return Infinity;
  if (NAME_KEYS.has(label.key) && NAME_KEYS.has(wanted.key)) return 1.5;
  return valueDistance(wanted.key, label.key, known) + 0.5;
}

function valueDistance(wanted: string, found: string, known: Map<string, number>): number {
  const text = `${wanted}\n${found}`;
  const before = known.get(text);
  if (before !== undefined) return before;
  const distance = measure(wanted, found);
  known.set(text, distance);
  return distance;
}

/** Infinity where more than a third of the signs differ. */
function measure(wanted: string, found: string): number {
  if (wanted.length > VALUE_LENGTH_MAX || found.length > VALUE_LENGTH_MAX) return Infinity;
  if (wanted.toLowerCase() === found.toLowerCase()) return 0.5;
  const max = Math.floor(wanted.length / 3);
  if (Math.abs(wanted.length - found.length) > max) return Infinity;
  const edits = countEdits(wanted, found);
  return edits <= max ? edits : Infinity;
}
