// Reads an address block as the API server does, sloppy forms included (k8s.io/utils/net, ParseCIDRSloppy).
import { formatIpAddress, LAST_ADDRESS, parseIpv6, type IpFamily, type IpRange, type Ipv6Parts } from '../../base/ip-address.ts';

export interface Cidr {
  readonly range: IpRange;
  /** The block in the form that everybody reads alike. */
  readonly canonical: string;
  /** The length as written: `::ffff:10.0.0.0/104` has 104, though it is 10.0.0.0/8. The server compares these. */
  readonly writtenLength: number;
  /** Why the text is not canonical. `host-bits` and `non-standard`: the server warns. */
  readonly sloppiness: 'host-bits' | 'non-standard' | 'non-canonical' | undefined;
}

const MAPPED_PREFIX = 0xffffn;
const MAPPED_BITS = 96;

export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const lengthText = text.slice(slash + 1);
  if (slash < 0 || !/^[0-9]{1,9}$/.test(lengthText)) return undefined;
  const writtenLength = Number(lengthText);
  const address = text.slice(0, slash);
  const ipv4 = parseSloppyIpv4(address);
  const value = ipv4 ?? parseIpv6(address, SLOPPY);
  const bits = ipv4 === undefined ? 128 : 32;
  if (value === undefined || writtenLength > bits) return undefined;
  const masked = mask(value, writtenLength, bits);
  const block = blockOf(masked, writtenLength, bits);
  const canonical = `${formatIpAddress({ family: block.range.family, value: block.range.first })}/${block.length}`;
  return { range: block.range, canonical, writtenLength, sloppiness: sloppinessOf(text, canonical, value !== masked, bits === 128 && block.range.family === 4) };
}

function mask(value: bigint, length: number, bits: number): bigint {
  const hostBits = BigInt(bits - length);
  return (value >> hostBits) << hostBits;
}

/** A block inside ::ffff:0:0/96 is one of IPv4 addresses. */
function blockOf(first: bigint, length: number, bits: number): { readonly range: IpRange; readonly length: number } {
  const isMapped = bits === 128 && length >= MAPPED_BITS && first >> 32n === MAPPED_PREFIX;
  if (isMapped) return blockOf(first & LAST_ADDRESS[4], length - MAPPED_BITS, 32);
  const family: IpFamily = bits === 32 ? 4 : 6;
  return { range: { family, first, last: first + (1n << BigInt(bits - length)) - 1n }, length };
}

function sloppinessOf(text: string, canonical: string, hasHostBits: boolean, isMapped: boolean): Cidr['sloppiness'] {
  if (text === canonical) return undefined;
  if (hasHostBits) return 'host-bits';
  const hasLeadingZeros = /(^|[.])0[0-9]/.test(text.includes(':') ? text.slice(text.lastIndexOf(':') + 1) : text) || /\/0[0-9]/.test(text);
  const hasLongGroup = text.includes(':') && /[0-9a-fA-F]{5,}/.test(text);
  return hasLeadingZeros || isMapped || hasLongGroup ? 'non-standard' : 'non-canonical';
}

/** Leading zeros are decimal. */
function parseSloppyIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^[0-9]{1,32}$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(Number(part));
  }
  return value;
}

/** Groups may have more than four digits when the number fits; a dotted tail is read as sloppily as IPv4. */
const SLOPPY: Ipv6Parts = { groupSignsMax: 32, parseIpv4: parseSloppyIpv4 };

/** Whether an except is inside a block and smaller, by the server's own comparison (networking validation, ValidateIPBlock). */
export function isStrictlyInside(except: Cidr, block: Cidr): boolean {
  return (
    except.range.family === block.range.family &&
    except.range.first >= block.range.first &&
    except.range.first <= block.range.last &&
    block.writtenLength < except.writtenLength
  );
}

/** Whether the parts together hold every address of the whole. */
export function coversAll(parts: readonly IpRange[], whole: IpRange): boolean {
  let next = whole.first;
  for (const part of [...parts].filter(({ family }) => family === whole.family).sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    if (part.first > next) return false;
    if (part.last >= next) next = part.last + 1n;
  }
  return next > whole.last;
}
