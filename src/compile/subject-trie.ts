// Subjects: what governs a group, as a node of a trie, so that a row is its parent's row and one step more.
import { PairTable } from './pair-table.ts';

/** The subject that nothing governs: the root. */
export const UNGOVERNED = 0;

/** What a node adds to its parent. Equal steps have one id in their trie. */
export interface TrieStep {
  readonly id: number;
}

/** A node lives while a group is at it or below it; the numbers of dead ones are given again. */
export class SubjectTrie<Step extends TrieStep> {
  subjectOfGroup: Int32Array;
  readonly parents: number[] = [UNGOVERNED];
  /** Nothing for the root. */
  readonly steps: (Step | undefined)[] = [undefined];
  readonly childCounts: number[] = [0];
  private readonly children = new PairTable();
  private readonly free: number[] = [];

  constructor(groupCount: number) {
    this.subjectOfGroup = new Int32Array(groupCount);
  }

  /** Moves a group one step down. */
  extend(group: number, step: Step): void {
    this.subjectOfGroup[group] = this.childOf(this.subjectOfGroup[group]!, step);
  }

  childOf(parent: number, step: Step): number {
    const known = this.children.get(parent, step.id);
    if (known >= 0) return known;
    const child = this.free.pop() ?? this.parents.length;
    this.parents[child] = parent;
    this.steps[child] = step;
    this.childCounts[child] = 0;
    this.childCounts[parent]!++;
    this.children.set(parent, step.id, child);
    return child;
  }

  /** The steps from the root to a node, first step first. */
  stepsTo(subject: number): Step[] {
    const steps: Step[] = [];
    for (let node = subject; node !== UNGOVERNED; node = this.parents[node]!) steps.push(this.steps[node]!);
    return steps.reverse();
  }

  /** The node at the end of these steps. */
  nodeAt(steps: readonly Step[]): number {
    return steps.reduce((node, step) => this.childOf(node, step), UNGOVERNED);
  }

  /** Takes out a node without children; its number may be given to another. Gives its parent. */
  release(node: number): number {
    const parent = this.parents[node]!;
    this.children.set(parent, this.steps[node]!.id, -1);
    this.childCounts[parent]!--;
    this.steps[node] = undefined;
    this.free.push(node);
    return parent;
  }
}
