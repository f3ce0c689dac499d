// Finds a namespace of a cluster by its name.
import type { Cluster, Namespace } from './cluster.ts';

/** Namespaces are sorted by name, so that the search takes few steps among tens of thousands. */
export function findNamespace({ namespaces }: Pick<Cluster, 'namespaces'>, name: string): Namespace | undefined {
  let low = 0;
  let high = namespaces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (namespaces[middle]!.name < name) low = middle + 1;
    else high = middle;
  }
  return namespaces[low]?.name === name ? namespaces[low] : undefined;
}
