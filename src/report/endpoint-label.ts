// Endpoints as a reader names them: ids of pods as they are, ranges of addresses as short as they can be said.
import { ADDRESS_BITS, formatIpAddress, LAST_ADDRESS, parseIpAddress, type IpRange } from '../base/ip-address.ts';
import type { Endpoint } from '../analyze/reach.ts';

/** `shop/web`, `10.0.0.0/8`, `any IPv6 address`, or first-last where no CIDR says it. */
export function endpointLabel(endpoint: Endpoint): string {
  if (!('first' in endpoint)) return endpoint.id;
  const first = parseIpAddress(endpoint.first);
  const last = parseIpAddress(endpoint.last);
  if (first === undefined || last === undefined) return endpoint.id;
  return rangeLabel({ family: first.family, first: first.value, last: last.value });
}

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
