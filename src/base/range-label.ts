// A range of addresses as short as it can be said.
import { ADDRESS_BITS, formatIpAddress, formatIpRange, LAST_ADDRESS, type IpRange } from './ip-address.ts';

/** `10.0.0.0/8`, `192.0.2.7`, `any IPv6 address`, or first-last where no CIDR says it. */
export function rangeLabel(range: IpRange): string {
  if (range.first === 0n && range.last === LAST_ADDRESS[range.family]) return `any IPv${range.family} address`;
  const prefix = prefixLength(range);
  if (prefix === undefined) return formatIpRange(range);
  return prefix === ADDRESS_BITS[range.family] ? firstAddress(range) : formatCidr(range);
}

/** `10.0.0.0/8`, a single address with its mask too. Throws where no CIDR says it. */
export function formatCidr(range: IpRange): string {
  const prefix = prefixLength(range);
  if (prefix === undefined) throw new Error(`bug: ${formatIpRange(range)} is no CIDR`);
  return `${firstAddress(range)}/${prefix}`;
}

function firstAddress({ family, first }: IpRange): string {
  return formatIpAddress({ family, value: first });
}

function prefixLength({ family, first, last }: IpRange): number | undefined {
  const size = last - first + 1n;
  const isCidr = (size & (size - 1n)) === 0n && first % size === 0n;
  return isCidr ? ADDRESS_BITS[family] - (size.toString(2).length - 1) : undefined;
}
