// Which addresses a probe may call: hosts of their own, and nothing that stands for the caller itself or for many.
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import { parseRange } from '../base/range-text.ts';

/** "This network", loopback, multicast and broadcast (RFC 6890); of IPv6 unspecified, loopback, mapped IPv4, multicast, link-local. */
const NOT_CALLED: readonly IpRange[] = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', '::/128', '::1/128', '::ffff:0:0/96', 'ff00::/8', 'fe80::/10'].map((text) => parseRange(text)!); // constants

export function isCallable({ family, value }: IpAddress): boolean {
  return !NOT_CALLED.some((range) => range.family === family && value >= range.first && value <= range.last);
}
