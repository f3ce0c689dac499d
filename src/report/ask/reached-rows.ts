// What a compromised pod reaches as rows of text: workload by workload, or namespace by namespace where they are many.
import { unionPorts, type PortSet } from '../../base/port-set.ts';
import type { ReachedEndpoint } from '../../analyze/impact.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import { countOf } from '../text/truth-table.ts';

/** Workloads named one by one; more are counted by namespace. */
const WORKLOADS_MAX = 60;

/** Namespaces named for one distance; the rest is counted. */
const NAMESPACES_MAX = 12;

/** Columns: distance, who, how, and through whom. */
export function reachedRows(reached: readonly ReachedEndpoint[]): string[][] {
  if (reached.length <= WORKLOADS_MAX) return reached.map((one) => endpointRow(one));
  return [...Map.groupBy(reached, ({ distance }) => distance)].flatMap(([distance, ofDistance]) => distanceRows(distance, ofDistance));
}

function endpointRow({ endpoint, pods, distance, via, ports }: ReachedEndpoint): string[] {
  const isPartly = 'pods' in endpoint && pods < endpoint.pods;
  const name = isPartly ? `${endpoint.id} (${pods} of ${countOf(endpoint.pods, 'pod')})` : endpoint.id;
  return [countOf(distance, 'hop'), printable(name), formatPorts(ports), ...(via === undefined ? [] : [`through ${printable(via.id)}`])];
}

interface NamespaceSum {
  readonly namespace: string;
  readonly workloads: Set<string>;
  pods: number;
  ports: PortSet;
}

/** Namespaces with most pods first. */
function distanceRows(distance: number, reached: readonly ReachedEndpoint[]): string[][] {
  const sums = new Map<string, NamespaceSum>();
  for (const { endpoint, pods, ports } of reached) {
    const namespace = 'namespace' in endpoint ? endpoint.namespace : '';
    let sum = sums.get(namespace);
    if (sum === undefined) sums.set(namespace, (sum = { namespace, workloads: new Set(), pods: 0, ports: [] }));
    sum.workloads.add(endpoint.id);
    sum.pods += pods;
    sum.ports = unionPorts(sum.ports, ports);
  }
  const sorted = [...sums.values()].sort((a, b) => b.pods - a.pods);
  const rows = sorted.slice(0, NAMESPACES_MAX).map((sum) => [countOf(distance, 'hop'), `${printable(sum.namespace)}: ${countOf(sum.pods, 'pod')} of ${countOf(sum.workloads.size, 'workload')}`, formatPorts(sum.ports)]);
  const rest = sorted.slice(NAMESPACES_MAX);
  if (rest.length === 0) return rows;
  return [...rows, [countOf(distance, 'hop'), `${countOf(rest.length, 'more namespace')}: ${countOf(rest.reduce((pods, sum) => pods + sum.pods, 0), 'pod')}`]];
}
