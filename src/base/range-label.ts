// A range of addresses as short as it can be said.
import { ADDRESS_BITS, formatIpAddress, formatIpRange, LAST_ADDRESS, type IpRange } from './ip-address.ts';
import { formatCidr, prefixLength } from './range-text.ts';

/** `10.0.0.0/8`, `192.0.2.7`, `any IPv6 address`, or first-last where no CIDR says it. */
export function rangeLabel(range: IpRange): string {
  if (range.first === 0n && range.last === LAST_ADDRESS[range.family]) return `any IPv${range.family} address`;
  const prefix = prefixLength(range);
  if (prefix === undefined) return formatIpRange(range);
  return prefix === ADDRESS_BITS[range.family] ? formatIpAddress({ family: range.family, value: range.first }) : formatCidr(range);
}
