// A small answer by hand: a server, its database and the outside, with every kind of traffic once.
import { ALL_PORTS, portSetOf, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import type { Endpoint } from '../../src/analyze/endpoints.ts';
import type { Reachability, ReachRow } from '../../src/analyze/reach.ts';

const endpoints: readonly Endpoint[] = [
  { id: 'data/db', kind: 'StatefulSet', namespace: 'data', name: 'db', pods: 1, hostNetwork: false },
  { id: 'shop/web', kind: 'Deployment', namespace: 'shop', name: 'web', pods: 2, hostNetwork: false },
  { id: '10.0.0.0-10.255.255.255', kind: 'Range', first: '10.0.0.0', last: '10.255.255.255' },
  { id: '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', kind: 'Range', first: '::', last: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
];

const postgres = portSetOf('TCP', 5432, 5432);
const mixed = unionPorts(unionPorts(portSetOf('TCP', 80, 80), portSetOf('TCP', 8000, 8999)), portSetOf('UDP', 53, 53));

export function exampleReachability(): Reachability {
  return reachabilityOf(endpoints, [
    { source: 1, target: 0, ports: postgres },
    { source: 1, target: 1, ports: ALL_PORTS },
    { source: 1, target: 3, ports: portSetOf('SCTP', 1, 65535) },
    { source: 2, target: 1, ports: mixed },
  ]);
}

/** Rows sorted by source, then target, as `reach` gives them. */
export function reachabilityOf(ends: readonly Endpoint[], rows: readonly ReachRow[]): Reachability {
  const sets: PortSet[] = [[], ALL_PORTS];
  const idOf = (ports: PortSet): number => {
    const known = sets.indexOf(ports);
    return known >= 0 ? known : sets.push(ports) - 1;
  };
  const bySource = Map.groupBy(rows, (row) => row.source);
  return {
    endpoints: ends,
    *rows() {
      yield* rows;
    },
    portsFrom: (source) => {
      const ids = new Uint32Array(ends.length);
      for (const row of bySource.get(source) ?? []) ids[row.target] = idOf(row.ports);
      return ids;
    },
    portSet: (id) => sets[id]!,
  };
}
