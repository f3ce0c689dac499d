// Which connections to try: every ordered pair of ends on the target's ports in both families, thinned out where there are too many.
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { AddressedRef } from '../analyze/endpoint.ts';

/** One end; the lab's endpoints are such. */
export interface ProbeEndpoint {
  readonly name: string;
  readonly subject: AddressedRef;
  /** At most one of each family. */
  readonly addresses: readonly IpAddress[];
  /** Ends of one group are alike: when pairs must be left out, the first of each group stands for it. */
  readonly group: string;
  /** Traffic between ends of one place cannot be seen, and is not probed. */
  readonly place: string;
  /** What is tried on it. */
  readonly ports: readonly ProbePort[];
}

export interface ProbePort {
  readonly protocol: Protocol;
  readonly port: number;
}

/** `source` and `target` are indices of the endpoints. */
export interface Probe {
  readonly source: number;
  readonly target: number;
  readonly family: IpFamily;
  readonly protocol: Protocol;
  readonly port: number;
  /** Called by the address of a Service that leads to the target's port, and to the same port of others that are treated alike. */
  readonly via?: { readonly address: IpAddress; readonly port: number };
}

export interface ProbePlan {
  readonly endpoints: readonly ProbeEndpoint[];
  /** By source, then target, family and port. */
  readonly probes: readonly Probe[];
  /**
   * `all`: every pair of ends. `groups`: pairs of the first ends of each group, and two of each group with each other.
   * `sample`: of those, as many as may be, evenly spread.
   */
  readonly pairs: 'all' | 'groups' | 'sample';
  /** Probes of the whole table that are not in this plan. */
  readonly leftOut: number;
}

/** At some 10,000 a second. */
export const PROBES_MAX = 200_000;

export interface ProbeChoice {
  readonly probesMax?: number;
  /** Which of the ends' ports to try; all when missing. */
  readonly isWanted?: (port: ProbePort, family: IpFamily) => boolean;
}

/** Nothing is dropped silently: what a bound leaves out is counted. */
export function planProbes(endpoints: readonly ProbeEndpoint[], choice: ProbeChoice = {}): ProbePlan {
  const probesMax = choice.probesMax ?? PROBES_MAX;
  const total = countProbes(endpoints, allPairs(endpoints), choice);
  if (total <= probesMax) return { endpoints, probes: [...listProbes(endpoints, allPairs(endpoints), choice)], pairs: 'all', leftOut: 0 };
  const grouped = countProbes(endpoints, groupPairs(endpoints), choice);
  const share = Math.min(1, probesMax / grouped);
  const probes = [...thinOut(listProbes(endpoints, groupPairs(endpoints), choice), share)];
  return { endpoints, probes, pairs: share < 1 ? 'sample' : 'groups', leftOut: total - probes.length };
}

function* thinOut<Item>(items: Iterable<Item>, share: number): Generator<Item> {
  let index = 0;
  for (const item of items) {
    index++;
    if (Math.floor(index * share) > Math.floor((index - 1) * share)) yield item;
  }
}

type Pair = readonly [source: number, target: number];

function* allPairs(endpoints: readonly ProbeEndpoint[]): Generator<Pair> {
  for (let source = 0; source < endpoints.length; source++) {
    for (let target = 0; target < endpoints.length; target++) if (isProbed(endpoints, source, target)) yield [source, target];
  }
}

/** Traffic between two ends outside the cluster is nobody's to judge. */
function isProbed(endpoints: readonly ProbeEndpoint[], source: number, target: number): boolean {
  const [a, b] = [endpoints[source]!, endpoints[target]!];
  return source !== target && a.place !== b.place && (a.subject.kind === 'pod' || b.subject.kind === 'pod');
}

function* groupPairs(endpoints: readonly ProbeEndpoint[]): Generator<Pair> {
  const groups = Map.groupBy(endpoints.keys(), (index) => endpoints[index]!.group);
  for (const sources of groups.values()) {
    for (const targets of groups.values()) {
      // Within a group the second end is the first that is not the source itself.
      const source = sources[0]!;
      const target = sources === targets ? targets[1] : targets[0];
      if (target !== undefined && isProbed(endpoints, source, target)) yield [source, target];
    }
  }
}

function countProbes(endpoints: readonly ProbeEndpoint[], pairs: Iterable<Pair>, { isWanted }: ProbeChoice): number {
  // Ports of a target by the families of the source: few different, and pairs are many.
  const counts = new Map<string, number>();
  let count = 0;
  for (const [source, target] of pairs) {
    const families = sharedFamilies(endpoints[source]!, endpoints[target]!);
    const key = `${target} ${families.join()}`;
    let ports = counts.get(key);
    if (ports === undefined) {
      ports = families.reduce((sum, family) => sum + endpoints[target]!.ports.filter((port) => isWanted?.(port, family) ?? true).length, 0);
      counts.set(key, ports);
    }
    count += ports;
  }
  return count;
}

function* listProbes(endpoints: readonly ProbeEndpoint[], pairs: Iterable<Pair>, { isWanted }: ProbeChoice): Generator<Probe> {
  for (const [source, target] of pairs) {
    for (const family of sharedFamilies(endpoints[source]!, endpoints[target]!)) {
      for (const { protocol, port } of endpoints[target]!.ports) {
        if (isWanted?.({ protocol, port }, family) !== false) yield { source, target, family, protocol, port };
      }
    }
  }
}

export function addressOf(endpoint: ProbeEndpoint, family: IpFamily): IpAddress | undefined {
  return endpoint.addresses.find((address) => address.family === family);
}

function sharedFamilies(a: ProbeEndpoint, b: ProbeEndpoint): IpFamily[] {
  return ([4, 6] as const).filter((family) => addressOf(a, family) !== undefined && addressOf(b, family) !== undefined);
}
