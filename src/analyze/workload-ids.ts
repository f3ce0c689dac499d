// Numbers of workloads, in the order in which they come.
import type { Workload } from '../model/cluster.ts';

/** No text is made of their names: thousands of pods are looked up. */
export class WorkloadIds {
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

