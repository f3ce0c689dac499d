// Addresses that mean the same everywhere: private ranges, in which pods may be, link-local ones, metadata services.
import { LAST_ADDRESS, parseIpAddress, type IpAddress, type IpFamily, type IpRange } from './ip-address.ts';

/** RFC 1918 and RFC 4193: what is never the internet. */
export const INTERNAL_RANGES: readonly IpRange[] = [rangeOf('10.0.0.0', 8), rangeOf('172.16.0.0', 12), rangeOf('192.168.0.0', 16), rangeOf('fc00::', 7)];

/** RFC 1918, RFC 6598 and RFC 4193: what clusters use for pods where nobody says otherwise. */
export const PRIVATE_RANGES: readonly IpRange[] = [...INTERNAL_RANGES.slice(0, 3), rangeOf('100.64.0.0', 10), ...INTERNAL_RANGES.slice(3)];

/** Where a node-local DNS cache listens by default. */
export const NODE_LOCAL_DNS: IpRange = rangeOf('169.254.20.10', 32);

/** RFC 3927 and RFC 4291: never routed, and where metadata services are. */
export const LINK_LOCAL_RANGES: readonly IpRange[] = [rangeOf('169.254.0.0', 16), rangeOf('fe80::', 10)];

/** Where a cloud's machines ask for their metadata, on TCP 80: AWS, Google, Azure and others; on IPv6, AWS (EC2 User Guide, "Instance metadata"). */
export const METADATA_ADDRESSES: readonly IpAddress[] = ['169.254.169.254', 'fd00:ec2::254'].map((text) => parseIpAddress(text)!); // the texts stand here

export function overlaps(a: IpRange, b: IpRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** What is left of a range without the others: at most one range more than there are others. */
export function withoutRanges(range: IpRange, others: readonly IpRange[]): IpRange[] {
  const family = range.family;
  const sorted = others.filter((other) => overlaps(range, other)).sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const left: IpRange[] = [];
  let next = range.first;
  for (const other of sorted) {
    if (other.first > next) left.push({ family, first: next, last: other.first - 1n });
    if (other.last >= next) next = other.last + 1n;
  }
  if (next <= range.last) left.push({ family, first: next, last: range.last });
  return left;
}

function rangeOf(text: string, bits: number): IpRange {
  const address = parseIpAddress(text)!; // the texts stand above
  const family: IpFamily = address.family;
  const size = LAST_ADDRESS[family] + 1n;
  return { family, first: address.value, last: address.value + (size >> BigInt(bits)) - 1n };
}
