// IP addresses as numbers, and their text form (RFC 5952 for IPv6).

export type IpFamily = 4 | 6;

/** One address. `value` is 0–2³²−1 for family 4 and 0–2¹²⁸−1 for family 6. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly value: bigint;
}

/** An address range of one family, both ends included. */
export interface IpRange {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
}

export const ADDRESS_BITS: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 };

/** The last address of a family: 2^bits − 1. */
export const LAST_ADDRESS: Readonly<Record<IpFamily, bigint>> = { 4: (1n << 32n) - 1n, 6: (1n << 128n) - 1n };

/** Reads an address as Go's `net.ParseIP` does today (no leading zeros, no zone); undefined when it is none. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.includes(':')) {
    const value = parseIpv6(text, STANDARD);
    return value === undefined ? undefined : { family: 6, value };
  }
  const value = parseIpv4(text);
  return value === undefined ? undefined : { family: 4, value };
}

export function formatIpAddress(address: IpAddress): string {
  return address.family === 4 ? formatIpv4(address.value) : formatIpv6(address.value);
}

/** `first-last`, the form of range ids in the output. */
export function formatIpRange(range: IpRange): string {
  const first = formatIpAddress({ family: range.family, value: range.first });
  const last = formatIpAddress({ family: range.family, value: range.last });
  return `${first}-${last}`;
}

function parseIpv4(text: string): bigint | undefined {
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let at = 0; at <= text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      // No zero before another digit.
      part = part < 0 ? digit : part === 0 ? 256 : part * 10 + digit;
      if (part > 255) return undefined;
    } else {
      if (part < 0 || (at < text.length && digit !== DOT)) return undefined;
      value = value * 256 + part;
      part = -1;
      parts++;
    }
  }
  return parts === 4 ? BigInt(value) : undefined;
}

/** The code of `.`, counted from that of `0`. */
const DOT = -2;

/** How sloppily the parts of an IPv6 address are read. */
export interface Ipv6Parts {
  readonly groupSignsMax: number;
  /** Of a dotted tail. */
  readonly parseIpv4: (text: string) => bigint | undefined;
}

const STANDARD: Ipv6Parts = { groupSignsMax: 4, parseIpv4 };

export function parseIpv6(text: string, parts: Ipv6Parts): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1, parts);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true, parts) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...head, ...new Array<number>(missing).fill(0), ...tail]) value = (value << 16n) | BigInt(group);
  return value;
}

/** The 16-bit groups of one side of `::`; the last of them may be a dotted IPv4 address. */
function parseGroups(text: string, mayEndInIpv4: boolean, { groupSignsMax, parseIpv4: parseTail }: Ipv6Parts): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const value = index === parts.length - 1 && mayEndInIpv4 ? parseTail(part) : undefined;
      if (value === undefined) return undefined;
      groups.push(Number(value >> 16n), Number(value & 0xffffn));
    } else if (part.length <= groupSignsMax && /^[0-9a-fA-F]+$/.test(part) && Number.parseInt(part, 16) <= 0xffff) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function formatIpv4(value: bigint): string {
  const n = Number(value);
  return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
}

function formatIpv6(value: bigint): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  // RFC 5952, section 5: addresses known to embed IPv4 are written with the dotted form.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${formatIpv4(value & 0xffffffffn)}`;
  const run = longestZeroRun(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return text(groups);
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = -1;
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === 0) {
      if (start < 0) start = index;
    } else if (start >= 0) {
      if (index - start > best.length) best = { start, length: index - start };
      start = -1;
    }
  }
  return best;
}
