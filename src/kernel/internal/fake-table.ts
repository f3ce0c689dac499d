// The sets of the table in memory, changed and refused as the kernel does it.
import { keyText, type Element, type Elements, type Key } from '../../emit/element.ts';
import { formatElement } from '../../emit/format-ruleset.ts';
import type { ChangeStep } from '../../emit/plan-change.ts';
import { SET_SHAPES, shapeOf, type SetName } from '../../emit/set-shape.ts';
import { FirewallError, type FirewallErrorCode } from '../firewall-error.ts';

type Contents = Map<SetName, Map<string, Element>>;

export class FakeTable {
  private contents: Contents = new Map(SET_SHAPES.map(({ name }) => [name, new Map()]));

  get elements(): Elements {
    return new Map([...this.contents].map(([name, set]) => [name, [...set.values()]]));
  }

  /** All steps or none. */
  apply(steps: readonly ChangeStep[]): void {
    const touched: Contents = new Map(steps.map(({ set }) => [set, new Map(this.contents.get(set)!)]));
    for (const { set, removed, added } of steps) {
      for (const element of removed) remove(set, touched.get(set)!, element);
      for (const element of added) add(set, touched.get(set)!, element);
    }
    for (const [set, contents] of touched) this.contents.set(set, contents);
  }

  /** Data under a key, 0 in a set without data; undefined on a miss. In a set of intervals the one around the key. */
  look(set: SetName, key: Key): number | undefined {
    const contents = this.contents.get(set)!;
    const found = shapeOf(set).isInterval ? [...contents.values()].find((element) => isInside(key, element)) : contents.get(key.join());
    return found === undefined ? undefined : (found.data ?? 0);
  }
}

function isInside(key: Key, { key: first, last }: Element): boolean {
  return key.every((value, index) => first[index]! <= value && value <= last![index]!);
}

function remove(set: SetName, contents: Map<string, Element>, element: Element): void {
  if (!contents.delete(keyText(element))) throw refuse('element-absent', set, element);
}

// Adding what is there with the same data is no error in nf_tables (without NLM_F_EXCL).
function add(set: SetName, contents: Map<string, Element>, element: Element): void {
  const text = keyText(element);
  const held = contents.get(text);
  if (held !== undefined && held.data !== element.data) throw refuse('element-conflict', set, element);
  const isOverlapping = held === undefined && shapeOf(set).isInterval && [...contents.values()].some((other) => overlaps(element, other));
  if (isOverlapping) throw refuse('element-conflict', set, element);
  contents.set(text, element);
}

function overlaps(a: Element, b: Element): boolean {
  return a.key.every((first, index) => first <= b.last![index]! && b.key[index]! <= a.last![index]!);
}

function refuse(code: FirewallErrorCode, set: SetName, element: Element): FirewallError {
  const said = code === 'element-absent' ? 'it is not there' : 'it is there with other data, or overlaps what is there';
  return new FirewallError({ code, doing: `change elements of set \`${set}\``, said, offender: formatElement(shapeOf(set), element) });
}
