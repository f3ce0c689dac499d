// Endpoints as a reader names them: ids of pods as they are, ranges of addresses as short as they can be said.
import { parseIpAddress } from '../../base/ip-address.ts';
import { rangeLabel } from '../../base/range-label.ts';
import type { Endpoint } from '../../analyze/endpoints.ts';

/** `shop/web`, `10.0.0.0/8`, `any IPv6 address`, or first-last where no CIDR says it. */
export function endpointLabel(endpoint: Endpoint): string {
  if (!('first' in endpoint)) return endpoint.id;
  const first = parseIpAddress(endpoint.first);
  const last = parseIpAddress(endpoint.last);
  if (first === undefined || last === undefined) return endpoint.id;
  return rangeLabel({ family: first.family, first: first.value, last: last.value });
}
