// Finds the Services of the cluster's DNS: in kube-system, by the name or the label that every distribution gives them.
import { parseIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { ClusterApi, ClusterObject, Json } from '../kube/cluster-api.ts';
import type { ClusterError } from '../kube/cluster-error.ts';
import { SERVICES } from './follow-services.ts';

/** Only those who run the cluster write here. */
const DNS_NAMESPACE = 'kube-system';
const DNS_NAME = 'kube-dns';
const DNS_LABEL = 'k8s-app';
const DNS_PORT = 53;

export interface DnsServicesListener {
  /** Their addresses, each time that they are others than before; first when all are known. */
  found(addresses: readonly IpAddress[]): void;
  /** undefined: the way to them is open again. */
  trouble(error: ClusterError | undefined): void;
}

/** Ends when the signal says so. */
export async function followDnsServices(api: Pick<ClusterApi, 'watch'>, listener: DnsServicesListener, signal: AbortSignal): Promise<void> {
  let known = new Map<string, readonly IpAddress[]>();
  let told: ReadonlySet<string> | undefined;
  let isSynced = false;
  for await (const event of api.watch(SERVICES, { namespace: DNS_NAMESPACE, signal })) {
    if (event.kind === 'trouble') listener.trouble(event.error);
    if (event.kind === 'resumed' || event.kind === 'synced') listener.trouble(undefined);
    if (event.kind === 'restart') told = new Set();
    if (event.kind === 'put') {
      told = told === undefined ? undefined : new Set([...told, event.object.metadata.name]);
      known.set(event.object.metadata.name, addressesOf(event.object));
    }
    if (event.kind === 'remove') known.delete(event.object.metadata.name);
    if (event.kind === 'synced') {
      known = new Map([...known].filter(([name]) => told === undefined || told.has(name)));
      told = undefined;
      isSynced = true;
    }
    if (isSynced && event.kind !== 'trouble' && event.kind !== 'restart') listener.found([...known.values()].flat());
  }
}

/** None where it is no Service of DNS. */
export function addressesOf({ metadata, spec }: ClusterObject): readonly IpAddress[] {
  const { clusterIP, clusterIPs, ports } = fieldsOf(spec);
  const isDns = metadata.name === DNS_NAME || fieldsOf(metadata['labels'])[DNS_LABEL] === DNS_NAME;
  if (!isDns || !listOf(ports).some((port) => fieldsOf(port)['port'] === DNS_PORT && fieldsOf(port)['protocol'] === 'UDP')) return [];
  const texts = new Set([clusterIP, ...listOf(clusterIPs)]);
  return [...texts].flatMap((text) => (typeof text === 'string' ? (parseIpAddress(text) ?? []) : []));
}

function fieldsOf(value: Json | undefined): { readonly [field: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { readonly [field: string]: Json }) : {}; // no list, so it has fields
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
