// Port sets in words: `TCP 80,443; UDP 53`, `all`.
import { hasOtherProtocols, PROTOCOLS, protocolRanges, ALL_PORTS, type PortSet } from '../../base/port-set.ts';

/** `all` is every port of every protocol; `TCP all` every port of one; `other` the protocols beyond TCP, UDP and SCTP. */
export function formatPorts(ports: PortSet): string {
  if (ports.length === 0) return 'nothing';
  if (isEverything(ports)) return 'all';
  const parts: string[] = [];
  for (const protocol of PROTOCOLS) {
    const ranges = protocolRanges(ports, protocol);
    if (ranges.length > 0) parts.push(`${protocol} ${formatRanges(ranges)}`);
  }
  if (hasOtherProtocols(ports)) parts.push('other');
  return parts.join('; ');
}

/** `80,6379-6389`; `all` for every port. */
export function formatRanges(ranges: readonly (readonly [number, number])[], separator = ','): string {
  if (ranges.length === 1 && ranges[0]![0] === 1 && ranges[0]![1] === 65535) return 'all';
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(separator);
}

export function isEverything(ports: PortSet): boolean {
  return ports.length === ALL_PORTS.length && ports.every((point, index) => point === ALL_PORTS[index]);
}

// Rows share their port sets, which are interned; if somebody makes a set per row, memory stays bounded all the same.
const REMEMBERED_SETS_MAX = 65_536;

/** Words for a port set, worked out once per set. */
export function rememberedPorts(format: (ports: PortSet) => string): (ports: PortSet) => string {
  const known = new Map<PortSet, string>();
  return (ports) => {
    let text = known.get(ports);
    if (text === undefined) {
      if (known.size >= REMEMBERED_SETS_MAX) known.clear();
      known.set(ports, (text = format(ports)));
    }
    return text;
  };
}
