// The names of a lab: what `SERVICE.NAMESPACE.svc.cluster.local` and its kin lead to (Kubernetes DNS-based service discovery).
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { LabPlan } from './lab-plan.ts';
import type { LabService } from './lab-service.ts';

export const CLUSTER_DOMAIN = 'cluster.local';

/** Plain data by lower-case name without a dot at its end, so that it can be handed to a thread. */
export type DnsZone = ReadonlyMap<string, DnsRecords>;

export interface DnsRecords {
  readonly a: readonly string[];
  readonly aaaa: readonly string[];
  readonly srv: readonly { readonly target: string; readonly port: number }[];
}

export function dnsZone(plan: LabPlan): DnsZone {
  const zone = new Map<string, DnsRecords>();
  for (const service of plan.services) {
    const domain = `${service.name}.${service.namespace}.svc.${CLUSTER_DOMAIN}`;
    const isHeadless = service.addresses.length === 0;
    const podAddresses = service.pods.flatMap((pod) => plan.pods[pod]!.addresses);
    zone.set(domain, records(isHeadless ? podAddresses : service.addresses));
    if (isHeadless) for (const pod of service.pods) zone.set(`${hostname(plan, pod)}.${domain}`, records(plan.pods[pod]!.addresses));
    for (const [name, targets] of serviceRecords(service, domain, (pod) => `${hostname(plan, pod)}.${domain}`)) {
      zone.set(name, { a: [], aaaa: [], srv: targets });
    }
  }
  return zone;
}

/** Where a pod looks for a name without dots: its own namespace first. */
export function searchDomains(namespace: string): string[] {
  return [`${namespace}.svc.${CLUSTER_DOMAIN}`, `svc.${CLUSTER_DOMAIN}`, CLUSTER_DOMAIN];
}

/** `_http._tcp.SERVICE…` for each port with a name; of a headless Service it leads to the pods. */
function serviceRecords(service: LabService, domain: string, nameOf: (pod: number) => string): [string, { target: string; port: number }[]][] {
  return service.ports.flatMap(({ name, protocol, port, backends }) => {
    if (name === undefined) return [];
    const targets = service.addresses.length > 0 ? [{ target: domain, port }] : backends.map((backend) => ({ target: nameOf(backend.pod), port: backend.port }));
    return [[`_${name}._${protocol.toLowerCase()}.${domain}`, targets]];
  });
}

function records(addresses: readonly IpAddress[]): DnsRecords {
  const texts = (family: 4 | 6): string[] => addresses.filter((address) => address.family === family).map(formatIpAddress);
  return { a: texts(4), aaaa: texts(6), srv: [] };
}

function hostname(plan: LabPlan, pod: number): string {
  const { name } = plan.pods[pod]!;
  return name.slice(name.indexOf('/') + 1).toLowerCase();
}
