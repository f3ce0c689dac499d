// The real firewall: our table in the nftables of one network namespace, the skeleton loaded as text, everything else written over netlink.
import type { Firewall, FirewallOptions } from './firewall.ts';
import type { NamespaceFd } from './network-namespace.ts';

/** Without `namespace` the one that this process is in. */
export interface NftFirewallOptions extends FirewallOptions {
  readonly namespace?: NamespaceFd;
}

export function openFirewall(options: NftFirewallOptions = {}): Firewall {
  throw new Error(`under construction: ${options.table ?? 'bulkhead'}`);
}
