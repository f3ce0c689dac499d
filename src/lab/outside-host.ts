// Hosts outside the cluster: one address in each range that policies tell apart, where the kernel can route one.
import { formatIpRange, parseIpAddress, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import { overlaps, subtractRanges } from './range-list.ts';

export const OUTSIDE_HOSTS_MAX = 64;

export interface OutsideHost {
  /** `first-last`, as in the other answers. */
  readonly name: string;
  readonly range: IpRange;
  readonly address: IpAddress;
}

export interface OutsideHosts {
  readonly hosts: readonly OutsideHost[];
  /** Ranges without a host, each with the reason. */
  readonly leftOut: readonly { readonly range: IpRange; readonly reason: string }[];
}

/** `taken` are the ranges of the lab's own pods, Services and nodes. */
export function chooseOutsideHosts(ranges: readonly IpRange[], taken: readonly IpRange[]): OutsideHosts {
  const hosts: OutsideHost[] = [];
  const leftOut: { range: IpRange; reason: string }[] = [];
  for (const range of ranges) {
    const address = chooseAddress(range, taken);
    if (typeof address === 'string') leftOut.push({ range, reason: address });
    else if (hosts.length >= OUTSIDE_HOSTS_MAX) leftOut.push({ range, reason: `more than ${OUTSIDE_HOSTS_MAX} ranges` });
    else hosts.push({ name: formatIpRange(range), range, address });
  }
  return { hosts, leftOut };
}

/** An address, or why there is none. */
function chooseAddress(range: IpRange, taken: readonly IpRange[]): IpAddress | string {
  const routable = subtractRanges(range, UNROUTABLE);
  if (routable.length === 0) return 'no address in it can be routed';
  const free = routable.flatMap((part) => subtractRanges(part, taken));
  if (free.length === 0) return "the lab's own addresses fill it";
  for (const sample of SAMPLES) {
    const part = free.find((candidate) => overlaps(candidate, sample));
    if (part !== undefined) return plainAddress({ family: part.family, first: part.first > sample.first ? part.first : sample.first, last: part.last });
  }
  return free.map(plainAddress).find(isPlain) ?? plainAddress(free[0]!);
}

/** The first address that does not look like a network's or a broadcast address, where the range has another. */
function plainAddress({ family, first, last }: IpRange): IpAddress {
  for (let value = first; value <= last && value < first + 3n; value++) {
    if (isPlain({ family, value })) return { family, value };
  }
  return { family, value: first };
}

function isPlain({ value }: IpAddress): boolean {
  const end = value & 0xffn;
  return end !== 0n && end !== 255n;
}

function block(text: string, prefix: number): IpRange {
  const { family, value }: { family: IpFamily; value: bigint } = parseIpAddress(text)!;
  const size = 1n << BigInt((family === 4 ? 32 : 128) - prefix);
  return { family, first: value, last: value + size - 1n };
}

/** Where clouds answer with the credentials of a node. */
const METADATA = block('169.254.169.254', 32);

/** Addresses for documentation (RFC 5737, RFC 3849): what stands for anybody outside where the range holds them; and the one link-local address that people write policies for. */
const SAMPLES: readonly IpRange[] = [block('203.0.113.0', 24), block('198.51.100.0', 24), block('192.0.2.0', 24), block('2001:db8::', 32), METADATA];

/** What Linux refuses as a source or target, or keeps on the link (net/ipv4/route.c, net/ipv6/addrconf.c). */
const UNROUTABLE: readonly IpRange[] = [
  block('0.0.0.0', 8),
  block('127.0.0.0', 8),
  block('224.0.0.0', 4),
  block('255.255.255.255', 32),
  block('::', 96),
  block('::ffff:0:0', 96),
  block('fe80::', 10),
  block('ff00::', 8),
];
