// Which workloads stand behind cells of pods: each part of a workload that policies treat alike, with its pods in each cell.
import { PairTable } from '../compile/pair-table.ts';
import type { Workload } from '../model/cluster.ts';
import { WorkloadIds } from './workload-ids.ts';

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
