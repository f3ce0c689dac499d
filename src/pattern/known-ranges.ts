// Addresses that patterns name: metadata services, private ranges, health checks of providers; each with its source.
import type { IpRange } from '../base/ip-address.ts';
import { parseRange } from '../base/range-text.ts';
import type { NotedBlock } from './answers.ts';

export const EVERY_IPV4: NotedBlock = block('0.0.0.0/0', 'every IPv4 address');
export const EVERY_IPV6: NotedBlock = block('::/0', 'every IPv6 address');

/** 169.254.169.254 is the same at AWS, Google, Azure, OpenStack, DigitalOcean and others; fd00:ec2::254 is AWS's over IPv6 (AWS, "Instance metadata", 2026-11). */
export const METADATA_SERVICES: readonly IpRange[] = ['169.254.169.254/32', 'fd00:ec2::254/128'].map(range);

/** RFC 1918, RFC 6598 (carrier-grade NAT, where some clusters have their pods), RFC 3927 and RFC 4291 link-local, RFC 4193. */
export const NOT_INTERNET: readonly IpRange[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'].map(range);

/** Where NodeLocal DNSCache listens unless told otherwise (Kubernetes, "Using NodeLocal DNSCache"). */
export const NODE_LOCAL_DNS: NotedBlock = block('169.254.20.10/32', 'the DNS cache on each node');

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
