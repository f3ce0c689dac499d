// The order of the lists of a cluster: the same objects stand in the same places wherever they came from.
import { compareText } from '../base/finding.ts';
import type { Pod } from './cluster.ts';

export interface Named {
  readonly namespace: string;
  readonly name: string;
}

export function compareNames(a: Named, b: Named): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** By namespace, workload and name; pods for which it gives 0 are one and the same. */
export function comparePods(a: Pod, b: Pod): number {
  return (
    compareText(a.namespace, b.namespace) ||
    compareText(a.workload.name, b.workload.name) ||
    compareText(a.workload.kind, b.workload.kind) ||
    compareNumbered(a.name, b.name)
  );
}

/** `db-2` stands before `db-10`. */
function compareNumbered(a: string, b: string): number {
  if (a === b) return 0;
  const numberA = /^(.*-)([0-9]{1,9})$/.exec(a);
  const numberB = /^(.*-)([0-9]{1,9})$/.exec(b);
  if (numberA === null || numberB === null || numberA[1] !== numberB[1]) return compareText(a, b);
  return Number(numberA[2]) - Number(numberB[2]) || compareText(a, b);
}
