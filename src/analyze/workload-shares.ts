// Which workloads stand behind cells of pods: each part of a workload that policies treat alike, with its pods in each cell.
import { PairTable } from '../compile/pair-table.ts';
import type { Workload } from '../model/cluster.ts';

/** Pods of one part in one cell. */
export interface Share {
  readonly cell: number;
  pods: number;
  /** Index of `cluster.pods`. */
  readonly firstPod: number;
}

export interface WorkloadPart {
  readonly shares: Share[];
}

/** `alikeOf`: equal numbers for cells whose pods of one workload are one part. Parts in the order of their first pods. */
export class WorkloadShares {
  readonly parts: WorkloadPart[] = [];
  private readonly partIds = new PairTable();
  private readonly shareIds = new PairTable();
  private readonly shares: Share[] = [];
  private readonly workloads = new WorkloadIds();
  private readonly alikeOf: (cell: number) => number;

  constructor(alikeOf: (cell: number) => number) {
    this.alikeOf = alikeOf;
  }

  add(pod: { readonly index: number; readonly pods: number; readonly workload: Workload }, cell: number): void {
    const alike = this.alikeOf(cell);
    const workload = this.workloads.idOf(pod.workload);
    let part = this.partIds.get(workload, alike);
    if (part < 0) this.partIds.set(workload, alike, (part = this.parts.push({ shares: [] }) - 1));
    let share = this.shareIds.get(part, cell);
    if (share < 0) {
      this.shareIds.set(part, cell, (share = this.shares.push({ cell, pods: 0, firstPod: pod.index }) - 1));
      this.parts[part]!.shares.push(this.shares[share]!);
    }
    this.shares[share]!.pods += pod.pods;
  }
}

/** Numbers of workloads; no text is made of their names. */
class WorkloadIds {
  private readonly known: Workload[] = [];
  private readonly firstOfName = new Map<string, number>();
  /** The next workload of the same name, or −1. */
  private readonly nextOfName: number[] = [];

  idOf(workload: Workload): number {
    const first = this.firstOfName.get(workload.name) ?? -1;
    for (let id = first; id >= 0; id = this.nextOfName[id]!) if (isSame(this.known[id]!, workload)) return id;
    const id = this.known.push(workload) - 1;
    this.nextOfName.push(first);
    this.firstOfName.set(workload.name, id);
    return id;
  }
}

function isSame(a: Workload, b: Workload): boolean {
  return a === b || (a.namespace === b.namespace && a.kind === b.kind);
}

