// Pods of which nobody told who controls them find their workload: Hubble knows it of the pods of its own node alone.
import type { Pod, Workload } from '../model/cluster.ts';
import type { FlowEnd, FlowRecord, PodEnd } from './flow-record.ts';
import { labelsKey } from './flow-ends.ts';
import { foldEnd, lastingLabels } from './fold-end.ts';

/** Pods whose workloads are remembered by their names. */
const PODS_MAX = 1 << 20;

/** A class, for it learns from each end that is told. */
export class UntoldPods {
  /** By `namespace/name`: as flows tell them, and as the cluster has them. */
  readonly #told = new Map<string, Workload>();
  readonly #known: ReadonlyMap<string, Workload>;
  #hasUntold = false;

  constructor(pods: readonly Pod[]) {
    this.#known = new Map(pods.map(({ namespace, name, workload }) => [`${namespace}/${name}`, workload]));
  }

  /** Whether any came since it was last asked. */
  takeUntold(): boolean {
    const had = this.#hasUntold;
    this.#hasUntold = false;
    return had;
  }

  learn({ source, target }: Pick<FlowRecord, 'source' | 'target'>): void {
    for (const end of [source, target]) {
      if (end.kind === 'outside') continue;
      if (end.isUntold === true) this.#hasUntold = true;
      else if (end.pod !== undefined && this.#told.size < PODS_MAX) this.#told.set(`${end.namespace}/${end.pod}`, end.workload);
    }
  }

  /** By what another line tells of the same pod, else by the cluster's pod of its name, else by its labels, where they are those of one workload alone. */
  resolver(ends: readonly FlowEnd[]): (end: FlowEnd) => FlowEnd {
    const byLabels = workloadsByLabels(ends);
    return (end) => {
      if (end.kind === 'outside' || end.isUntold !== true) return end;
      const key = end.pod === undefined ? '' : `${end.namespace}/${end.pod}`;
      const named = this.#told.get(key) ?? this.#known.get(key);
      const alike = named === undefined ? byLabels.get(identityKey(end)) : undefined;
      const workload = named ?? (alike?.length === 1 ? alike[0] : undefined);
      if (workload === undefined) return end;
      const { isUntold: _, ...told } = end;
      return foldEnd({ ...told, workload });
    };
  }
}

function workloadsByLabels(ends: readonly FlowEnd[]): ReadonlyMap<string, readonly Workload[]> {
  const found = new Map<string, Map<string, Workload>>();
  for (const end of ends) {
    if (end.kind === 'outside' || end.isUntold === true || end.labels.size === 0) continue;
    const key = identityKey(end);
    found.set(key, (found.get(key) ?? new Map<string, Workload>()).set(`${end.workload.kind}/${end.workload.name}`, end.workload));
  }
  return new Map([...found].map(([key, workloads]) => [key, [...workloads.values()]]));
}

/** What of a pod makes its identity in Cilium. */
function identityKey(end: PodEnd): string {
  return `${end.namespace}\n${labelsKey(lastingLabels(end))}`;
}
