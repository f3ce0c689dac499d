// Blocks of addresses that patterns write, with who they are: the internet's rest, the DNS cache on a node, health checks of providers.
import type { IpRange } from '../base/ip-address.ts';
import { LINK_LOCAL_RANGES, METADATA_ADDRESSES, NODE_LOCAL_DNS, PRIVATE_RANGES } from '../base/known-ranges.ts';
import { parseRange } from '../base/range-text.ts';
import type { NotedBlock } from './answers.ts';

export const EVERY_IPV4: NotedBlock = block('0.0.0.0/0', 'every IPv4 address');
export const EVERY_IPV6: NotedBlock = block('::/0', 'every IPv6 address');

export const METADATA_SERVICES: readonly IpRange[] = METADATA_ADDRESSES.map(({ family, value }) => ({ family, first: value, last: value }));

/** What is not routed on the internet: private ranges, carrier-grade NAT, link-local addresses. */
export const NOT_INTERNET: readonly IpRange[] = [...PRIVATE_RANGES, ...LINK_LOCAL_RANGES];

/** Where NodeLocal DNSCache listens unless told otherwise (Kubernetes, "Using NodeLocal DNSCache"). */
export const NODE_LOCAL_BLOCK: NotedBlock = { range: NODE_LOCAL_DNS, who: 'the DNS cache on each node' };

export const PROVIDERS = ['google', 'azure'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** From where load balancers ask whether a pod is well, as each provider publishes it; read in November 2026. AWS asks from the subnets of the load balancer, which only their owner knows. */
export const HEALTH_CHECKS: Readonly<Record<Provider, readonly NotedBlock[]>> = {
  // Google Cloud, "Firewall rules" of Cloud Load Balancing (cloud.google.com/load-balancing/docs/firewall-rules).
  google: ['35.191.0.0/16', '130.211.0.0/22', '2600:2d00:1:b029::/64', '2600:2d00:1:1::/64'].map((text) => block(text, 'load balancers of Google Cloud, 2026-11')),
  // Azure, "Load Balancer health probes" (learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview).
  azure: [block('168.63.129.16/32', 'load balancers of Azure, 2026-11')],
};

function block(text: string, who: string): NotedBlock {
  return { range: range(text), who };
}

function range(text: string): IpRange {
  return parseRange(text)!; // a constant of this file
}
