// How many groups stand under each subject and trie node of a direction, so that what none needs is given up.
import type { DirectionState } from './direction.ts';
import { withRoom } from './number-list.ts';
import { UNGOVERNED, type SubjectTrie, type TrieStep } from './subject-trie.ts';

type LayerName = 'admin' | 'network' | 'baseline';

export type LayerNodes = Readonly<Record<LayerName, number>>;

const LAYERS: readonly LayerName[] = ['admin', 'network', 'baseline'];

/** Rows of inner nodes that are kept beside those of subjects; above it all inner ones are dropped. */
const INNER_ROWS_MAX = 4096;

export class SubjectUses {
  private readonly state: DirectionState;
  private readonly subjectCounts: number[] = [];
  private readonly nodeCounts: Readonly<Record<LayerName, number[]>> = { admin: [], network: [], baseline: [] };
  /** Nodes of the NetworkPolicy layer that groups stand at. */
  private networkSubjects = 0;
  /** What may have lost its last group. */
  private readonly suspects: Readonly<Record<LayerName, Set<number>>> = { admin: new Set(), network: new Set(), baseline: new Set() };
  private readonly suspectSubjects = new Set<number>();

  constructor(state: DirectionState, groupCount: number) {
    this.state = state;
    for (let group = 0; group < groupCount; group++) this.count(this.nodesOf(group), this.subjectOf(group), 1);
    for (const layer of LAYERS) for (let node = 1; node < this.trie(layer).parents.length; node++) this.suspects[layer].add(node);
    this.collect();
  }

  isUsed(subject: number): boolean {
    return (this.subjectCounts[subject] ?? 0) > 0;
  }

  nodesOf(group: number): LayerNodes {
    const { admin, network, baseline } = this.state.layers;
    return { admin: admin.trie.subjectOfGroup[group]!, network: network.trie.subjectOfGroup[group]!, baseline: baseline.trie.subjectOfGroup[group]! };
  }

  makeRoom(groupCount: number): void {
    const { subjects } = this.state;
    subjects.subjectOfGroup = withRoom(subjects.subjectOfGroup, groupCount);
    for (const layer of LAYERS) this.trie(layer).subjectOfGroup = withRoom(this.trie(layer).subjectOfGroup, groupCount);
  }

  enter(group: number, nodes: LayerNodes): void {
    const subject = this.state.subjects.join(nodes.admin, nodes.network, nodes.baseline);
    for (const layer of LAYERS) this.trie(layer).subjectOfGroup[group] = nodes[layer];
    this.state.subjects.subjectOfGroup[group] = subject;
    this.count(nodes, subject, 1);
  }

  /** Nothing governs a group that is gone. */
  leave(group: number): void {
    this.count(this.nodesOf(group), this.subjectOf(group), -1);
    for (const layer of LAYERS) this.trie(layer).subjectOfGroup[group] = UNGOVERNED;
    this.state.subjects.subjectOfGroup[group] = UNGOVERNED;
  }

  move(group: number, nodes: LayerNodes): void {
    this.leave(group);
    this.enter(group, nodes);
  }

  collect(): void {
    const { layers, subjects } = this.state;
    for (const subject of this.suspectSubjects) if (subject !== UNGOVERNED && !this.isUsed(subject)) subjects.release(subject);
    this.suspectSubjects.clear();
    for (const layer of LAYERS) {
      for (const node of this.suspects[layer]) this.giveUp(layer, node);
      this.suspects[layer].clear();
    }
    if (layers.network.keptRows > this.networkSubjects + INNER_ROWS_MAX) layers.network.forgetInnerRows((node) => (this.nodeCounts.network[node] ?? 0) > 0);
  }

  /** A node without groups and without nodes below it, and then the one above it. */
  private giveUp(layer: LayerName, start: number): void {
    const trie = this.trie(layer);
    let node = start;
    while (node !== UNGOVERNED && trie.steps[node] !== undefined && (this.nodeCounts[layer][node] ?? 0) === 0 && trie.childCounts[node] === 0) {
      this.state.layers[layer].forgetRow(node);
      node = trie.release(node);
    }
  }

  private count(nodes: LayerNodes, subject: number, change: 1 | -1): void {
    for (const layer of LAYERS) {
      const counts = this.nodeCounts[layer];
      while (counts.length <= nodes[layer]) counts.push(0);
      counts[nodes[layer]]! += change;
      if (counts[nodes[layer]] === 0) this.suspects[layer].add(nodes[layer]);
    }
    if (this.nodeCounts.network[nodes.network] === (change === 1 ? 1 : 0)) this.networkSubjects += change;
    while (this.subjectCounts.length <= subject) this.subjectCounts.push(0);
    this.subjectCounts[subject]! += change;
    if (this.subjectCounts[subject] === 0) this.suspectSubjects.add(subject);
  }

  private subjectOf(group: number): number {
    return this.state.subjects.subjectOfGroup[group]!;
  }

  private trie(layer: LayerName): SubjectTrie<TrieStep> {
    // Only the shape is looked at here, never what a step holds.
    return this.state.layers[layer].trie as unknown as SubjectTrie<TrieStep>;
  }
}
