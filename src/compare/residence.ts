// Where the pods of an end run in two sets: pods that share their node in both are one residence.
import type { EndpointRef } from '../analyze/endpoint.ts';
import { sharedNodes } from '../analyze/own-node.ts';
import type { Pod } from '../model/cluster.ts';
import type { JointRefs, ProgramPair } from './program-pair.ts';

/** undefined: the set does not have the pods, or it does not matter there where they run. */
export interface JointNode {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface Residence extends JointNode {
  readonly pods: number;
  readonly refs: JointRefs;
}

export class ResidenceReader {
  private readonly before: ReadonlySet<string>;
  private readonly after: ReadonlySet<string>;

  constructor({ before, after }: ProgramPair) {
    this.before = sharedNodes(before.cluster.pods);
    this.after = sharedNodes(after.cluster.pods);
  }

  /** Whether there is a node in either set on which it matters who runs there. */
  get hasNodes(): boolean {
    return this.before.size + this.after.size > 0;
  }

  nodesOf(old: Pod | undefined, now: Pod | undefined): JointNode {
    return { before: nodeOf(old, this.before), after: nodeOf(now, this.after) };
  }
}

function nodeOf(pod: Pod | undefined, shared: ReadonlySet<string>): string | undefined {
  return pod?.nodeName !== undefined && shared.has(pod.nodeName) ? pod.nodeName : undefined;
}

/** Indices of pods in each set. */
interface PodPair {
  readonly old: number | undefined;
  readonly now: number | undefined;
}

/** The residences of one end. */
export class ResidenceList {
  readonly list: (Residence & { pods: number; readonly refs: DraftRefs })[] = [];
  private readonly byNodes = new Map<string, number>();

  add(node: JointNode, { old, now, pods }: PodPair & { readonly pods: number }): void {
    const key = `${node.before ?? ''}\n${node.after ?? ''}`;
    let place = this.byNodes.get(key);
    if (place === undefined) this.byNodes.set(key, (place = this.list.push({ ...node, pods: 0, refs: { before: [], after: [] } }) - 1));
    const residence = this.list[place]!;
    residence.pods += pods;
    addRefs(residence.refs, old, now);
  }
}

export interface DraftRefs extends JointRefs {
  readonly before: EndpointRef[];
  readonly after: EndpointRef[];
}

/** Pods that stand for an end: two, so that one can be asked about the other. */
const REFS_MAX = 2;

export function addRefs(refs: DraftRefs, old: number | undefined, now: number | undefined): void {
  if (old !== undefined && refs.before.length < REFS_MAX) refs.before.push({ kind: 'pod', pod: old });
  if (now !== undefined && refs.after.length < REFS_MAX) refs.after.push({ kind: 'pod', pod: now });
}
