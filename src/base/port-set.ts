// Sets of ports of all protocols on one line of numbers, as sorted disjoint intervals.

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

/** Where each protocol's port 0 would stand on the line; port p of TCP is point p, of UDP 65536 + p, of SCTP 131072 + p. */
export const PROTOCOL_BASE: Readonly<Record<Protocol, number>> = { TCP: 0, UDP: 65536, SCTP: 131072 };

/** The one point that stands for every protocol other than TCP, UDP and SCTP, ICMP included; not adjacent to the last SCTP port. */
export const OTHER_POINT = 196609;

/** Flat pairs [first, last, first, last, …] of points, both ends included, ascending, disjoint and not adjacent within a protocol. */
export type PortSet = readonly number[];

export const NO_PORTS: PortSet = [];

/** Port 0 does not exist, so three intervals and the point of the other protocols are everything. */
export const ALL_PORTS: PortSet = [1, 65535, 65537, 131071, 131073, 196607, OTHER_POINT, OTHER_POINT];

/** The ports first–last of one protocol. */
export function portSetOf(protocol: Protocol, first: number, last: number): PortSet {
  return [PROTOCOL_BASE[protocol] + first, PROTOCOL_BASE[protocol] + last];
}

export function pointOf(protocol: Protocol, port: number): number {
  return PROTOCOL_BASE[protocol] + port;
}

export function hasPoint(ports: PortSet, point: number): boolean {
  for (let i = 0; i < ports.length; i += 2) {
    if (point < ports[i]!) return false;
    if (point <= ports[i + 1]!) return true;
  }
  return false;
}

export function unionPorts(a: PortSet, b: PortSet): PortSet {
  const result: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && a[i]! <= b[j]!);
    const first = takeA ? a[i]! : b[j]!;
    const last = takeA ? a[i + 1]! : b[j + 1]!;
    if (takeA) i += 2;
    else j += 2;
    appendInterval(result, first, last);
  }
  return result;
}

export function intersectPorts(a: PortSet, b: PortSet): PortSet {
  const result: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const first = Math.max(a[i]!, b[j]!);
    const last = Math.min(a[i + 1]!, b[j + 1]!);
    if (first <= last) result.push(first, last);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return result;
}

/** What is in `a` and not in `b`. */
export function subtractPorts(a: PortSet, b: PortSet): PortSet {
  return intersectPorts(a, complementPorts(b));
}

export function complementPorts(ports: PortSet): PortSet {
  const gaps: number[] = [];
  let next = 0;
  for (let i = 0; i < ports.length; i += 2) {
    if (ports[i]! > next) gaps.push(next, ports[i]! - 1);
    next = ports[i + 1]! + 1;
  }
  if (next <= OTHER_POINT) gaps.push(next, OTHER_POINT);
  return intersectPorts(gaps, ALL_PORTS);
}

/** The intervals of one protocol as [first, last] port numbers, as the JSON contract writes them. */
export function protocolRanges(ports: PortSet, protocol: Protocol): [number, number][] {
  const base = PROTOCOL_BASE[protocol];
  const ranges: [number, number][] = [];
  for (let i = 0; i < ports.length; i += 2) {
    if (ports[i]! > base && ports[i + 1]! < base + 65536) ranges.push([ports[i]! - base, ports[i + 1]! - base]);
  }
  return ranges;
}

/** Whether protocols beyond TCP, UDP and SCTP are in the set. */
export function hasOtherProtocols(ports: PortSet): boolean {
  return ports.length > 0 && ports[ports.length - 1] === OTHER_POINT;
}

// Intervals of two protocols never touch: each protocol's port 0 lies between them.
function appendInterval(result: number[], first: number, last: number): void {
  const end = result.length - 1;
  if (end > 0 && first <= result[end]! + 1) {
    if (last > result[end]!) result[end] = last;
  } else {
    result.push(first, last);
  }
}
