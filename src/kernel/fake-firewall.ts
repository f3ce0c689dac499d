// The firewall in memory: it holds the same maps as the kernel, refuses what the kernel refuses, and decides packets by walking the skeleton.
import type { IpAddress } from '../base/ip-address.ts';
import type { Firewall, FirewallOptions } from './firewall.ts';

export interface FakeFirewall extends Firewall {
  /** What the skeleton does with a packet that is forwarded; an opened or refused connection goes into the ledger. */
  decide(packet: Packet): PacketVerdict;
  /** The table as `nft list table` would print it. */
  listing(): string;
}

/** As conntrack knows it: after address translation, `source` the end that opened the connection, also for a reply. */
export interface Packet {
  readonly source: IpAddress;
  readonly target: IpAddress;
  /** IP protocol number. */
  readonly protocol: number;
  /** Target port, 0 for protocols without ports. */
  readonly port: number;
  /** `new` when missing. `established` was judged in `generation`; `untracked` has no entry in conntrack, nor has an invalid one. */
  readonly connection?: { readonly kind: 'new' } | { readonly kind: 'established'; readonly generation: number } | { readonly kind: 'untracked' };
}

/** `reset` is for TCP, `reject` an ICMP answer for the rest; a firewall that drops gives `reset` only to a connection that it cuts. */
export type PacketVerdict = 'accept' | 'drop' | 'reset' | 'reject';

export function createFakeFirewall(options: FirewallOptions = {}): FakeFirewall {
  throw new Error(`under construction: ${options.table ?? 'bulkhead'}`);
}
