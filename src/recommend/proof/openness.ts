// How much a set of policies leaves open between workloads and towards the outside, in numbers that can be compared.
import { isOutside, type Endpoint } from '../../analyze/endpoints.ts';
import { reach, type Reachability } from '../../analyze/reach.ts';
import { unionPorts, type PortSet } from '../../base/port-set.ts';
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

/** Pods of one workload that policies treat differently are one workload all the same, or the numbers before and after would count different things. */
export function opennessOf(program: Program): Openness {
  const reachability = reach(program, { by: 'workload' });
  const workloads = [...Map.groupBy(reachability.endpoints.keys(), (index) => workloadKey(reachability.endpoints[index]!)).values()];
  const workloadOf = new Int32Array(reachability.endpoints.length);
  for (const [number, parts] of workloads.entries()) for (const part of parts) workloadOf[part] = number;
  const isWorkload = workloads.map(([part]) => !isOutside(reachability.endpoints[part!]!));
  const counts = new Map<PortSet, number>();
  let [pairs, ports] = [0, 0];
  const [entered, left] = [new Set<number>(), new Set<number>()];
  for (const [source, parts] of workloads.entries()) {
    for (const [target, open] of openTo(reachability, workloadOf, parts)) {
      if (!isWorkload[source]) entered.add(target);
      else if (!isWorkload[target]) left.add(source);
      else {
        pairs++;
        ports += countPorts(counts, open);
      }
    }
  }
  return { pairs, ports, fromOutside: entered.size, toOutside: left.size };
}

/** Each part of the outside is one by itself. */
function workloadKey(endpoint: Endpoint): string {
  return isOutside(endpoint) ? endpoint.id : `${endpoint.kind}/${endpoint.namespace}/${endpoint.name}`;
}

/** By target, what some pod of the one may open to some pod of the other. */
function openTo({ portsFrom, portSet }: Reachability, workloadOf: Int32Array, sources: readonly number[]): ReadonlyMap<number, PortSet> {
  const open = new Map<number, PortSet>();
  for (const source of sources) {
    for (const [target, id] of portsFrom(source).entries()) {
      const ports = portSet(id);
      if (ports.length === 0) continue;
      const known = open.get(workloadOf[target]!);
      open.set(workloadOf[target]!, known === undefined || known === ports ? ports : unionPorts(known, ports));
    }
  }
  return open;
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
