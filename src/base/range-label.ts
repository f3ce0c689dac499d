// A range of addresses as short as it can be said.
import { ADDRESS_BITS, formatIpAddress, LAST_ADDRESS, type IpRange } from './ip-address.ts';

/** `10.0.0.0/8`, `192.0.2.7`, `any IPv6 address`, or first-last where no CIDR says it. */
export function rangeLabel(range: IpRange): string {
  if (range.first === 0n && range.last === LAST_ADDRESS[range.family]) return `any IPv${range.family} address`;
  const first = formatIpAddress({ family: range.family, value: range.first });
  const last = formatIpAddress({ family: range.family, value: range.last });
  const size = range.last - range.first + 1n;
  const isCidr = (size & (size - 1n)) === 0n && range.first % size === 0n;
  if (!isCidr) return `${first}-${last}`;
  const prefix = ADDRESS_BITS[range.family] - (size.toString(2).length - 1);
  return prefix === ADDRESS_BITS[range.family] ? first : `${first}/${prefix}`;
}
