// How much a set of policies leaves open between workloads and towards the outside, in numbers that can be compared.
import { isOutside } from '../../analyze/endpoints.ts';
import { reach } from '../../analyze/reach.ts';
import type { PortSet } from '../../base/port-set.ts';
import type { Program } from '../../compile/program.ts';

export interface Openness {
  /** Ordered pairs of workloads with any traffic. */
  readonly pairs: number;
  /** Ports of all of these pairs together; protocols without ports count as one. */
  readonly ports: number;
  /** Workloads that some address outside may come to, and that may go to some. */
  readonly fromOutside: number;
  readonly toOutside: number;
}

export function opennessOf(program: Program): Openness {
  const { endpoints, rows } = reach(program, { by: 'workload' });
  const isWorkload = endpoints.map((endpoint) => !isOutside(endpoint));
  const counts = new Map<PortSet, number>();
  let [pairs, ports] = [0, 0];
  const [entered, left] = [new Set<number>(), new Set<number>()];
  for (const row of rows()) {
    if (!isWorkload[row.source]) entered.add(row.target);
    else if (!isWorkload[row.target]) left.add(row.source);
    else {
      pairs++;
      ports += countPorts(counts, row.ports);
    }
  }
  return { pairs, ports, fromOutside: entered.size, toOutside: left.size };
}

/** Rows share their port sets. */
function countPorts(counts: Map<PortSet, number>, ports: PortSet): number {
  let sum = counts.get(ports);
  if (sum === undefined) {
    sum = 0;
    for (let i = 0; i < ports.length; i += 2) sum += ports[i + 1]! - ports[i]! + 1;
    counts.set(ports, sum);
  }
  return sum;
}
