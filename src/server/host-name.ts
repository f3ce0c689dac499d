// Which addresses are this host's own, and which words for a host no page of somebody else can have turned to it.
import { isIP } from 'node:net';

/** Loopback, also as IPv4 within IPv6. */
export function isLocalAddress(address: string): boolean {
  return /^(::ffff:)?127\.[0-9.]+$/.test(address) || address === '::1';
}

/** The `Host` of a request: an address, or localhost. Other names are those of whoever answers for them in DNS. */
export function isSafeHost(host: string | undefined): boolean {
  if (host === undefined) return true; // HTTP/1.0; a browser always says it
  const name = host.replace(/:[0-9]*$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0;
}
