// What one pod may open towards the outside, or the outside towards it: ranges gathered by the ports that are open.
import type { IpRange } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import type { Direction } from '../model/network-policy.ts';
import { allowedPorts } from './decide.ts';
import type { EndpointRef } from './endpoint.ts';
import { outsideRanges } from './outside-ranges.ts';

export interface OutsideGroup {
  /** Neighboring ranges are one; ascending, IPv4 first. */
  readonly ranges: readonly IpRange[];
  readonly ports: PortSet;
}

/** Groups without any port are left out. `egress`: from the pod; `ingress`: towards it. */
export function outsidePorts(program: Program, pod: number, direction: Direction): OutsideGroup[] {
  const own: EndpointRef = { kind: 'pod', pod };
  const open = outsideRanges(program).map((range) => {
    const address: EndpointRef = { kind: 'address', address: { family: range.family, value: range.first } };
    return { range, ports: direction === 'egress' ? allowedPorts(program, own, address) : allowedPorts(program, address, own) };
  });
  const groups = Map.groupBy(open.filter(({ ports }) => ports.length > 0), ({ ports }) => ports.join());
  return [...groups.values()].map((members) => ({ ranges: joinRanges(members.map(({ range }) => range)), ports: members[0]!.ports }));
}

/** Ascending ranges, neighbors put together. */
export function joinRanges(ranges: readonly IpRange[]): IpRange[] {
  const joined: { family: IpRange['family']; first: bigint; last: bigint }[] = [];
  for (const range of ranges) {
    const previous = joined.at(-1);
    if (previous !== undefined && previous.family === range.family && previous.last + 1n === range.first) previous.last = range.last;
    else joined.push({ ...range });
  }
  return joined;
}
