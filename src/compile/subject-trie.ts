// Subjects: what governs a group, as a node of a trie, so that a row is its parent's row and one step more.

/** Node 0 is the root: governed by nothing. */
export interface SubjectTrie<Step> {
  readonly subjectOfGroup: Int32Array;
  readonly parents: readonly number[];
  /** What each node adds to its parent; nothing for node 0. */
  readonly steps: readonly (Step | undefined)[];
  readonly childCounts: readonly number[];
}

/** The subject that nothing governs. */
export const UNGOVERNED = 0;

export class TrieBuilder<Step> implements SubjectTrie<Step> {
  readonly subjectOfGroup: Int32Array;
  readonly parents: number[] = [UNGOVERNED];
  readonly steps: (Step | undefined)[] = [undefined];
  readonly childCounts: number[] = [0];
  private readonly children: (Map<Step, number> | undefined)[] = [undefined];

  constructor(groupCount: number) {
    this.subjectOfGroup = new Int32Array(groupCount);
  }

  /** Moves a group one step down. Equal steps are the same object. */
  extend(group: number, step: Step): void {
    const parent = this.subjectOfGroup[group]!;
    const children = (this.children[parent] ??= new Map());
    let child = children.get(step);
    if (child === undefined) {
      child = this.parents.push(parent) - 1;
      this.steps.push(step);
      this.childCounts.push(0);
      this.childCounts[parent]!++;
      this.children.push(undefined);
      children.set(step, child);
    }
    this.subjectOfGroup[group] = child;
  }
}

/** The steps from the root to a node, first step first. */
export function stepsTo<Step>(trie: SubjectTrie<Step>, subject: number): Step[] {
  const steps: Step[] = [];
  for (let node = subject; node !== UNGOVERNED; node = trie.parents[node]!) steps.push(trie.steps[node]!);
  return steps.reverse();
}
