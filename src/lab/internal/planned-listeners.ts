// Which sockets listen where: each probed port of each endpoint once in its namespace, DNS on the pods that answer names.
import type { LabPlan } from '../lab-plan.ts';
import { DNS_PORT, isDnsService } from '../dns-pod.ts';
import type { OwnedListener } from './listeners.ts';

export interface PlannedListeners {
  readonly endpoint: number;
  readonly listeners: readonly OwnedListener[];
}

/** By endpoint, those without a listener of their own left out: a port of a shared namespace is its first owner's. */
export function plannedListeners(plan: LabPlan): PlannedListeners[] {
  const dnsPorts = dnsPortsOf(plan);
  const taken = new Set<string>();
  return plan.endpoints.flatMap((endpoint, index) => {
    const listeners: OwnedListener[] = [];
    for (const { protocol, port } of endpoint.ports) {
      // No socket of this host speaks SCTP for sure: arrivals are watched by the prober.
      if (protocol === 'SCTP') continue;
      // The answer to a datagram must leave from the address it came to, which a socket on all addresses does not see to.
      const isOneAddress = protocol === 'UDP' && endpoint.subject.kind === 'address';
      const address = isOneAddress ? endpoint.addresses[0] : undefined;
      const key = `${endpoint.place} ${protocol} ${port}${isOneAddress ? ` ${index}` : ''}`;
      if (taken.has(key)) continue;
      taken.add(key);
      const isDns = plan.dnsPods.includes(index) && dnsPorts.has(`${index} ${port}`);
      listeners.push({ protocol, port, address, families: plan.families, owner: index, isDns });
    }
    return listeners.length === 0 ? [] : [{ endpoint: index, listeners }];
  });
}

/** `pod port` of what stands behind the DNS Service. */
function dnsPortsOf(plan: LabPlan): ReadonlySet<string> {
  const service = plan.services.find(isDnsService);
  const ports = new Set(plan.dnsPods.map((pod) => `${pod} ${DNS_PORT}`));
  for (const { backends } of service?.ports ?? []) for (const { pod, port } of backends) ports.add(`${pod} ${port}`);
  return ports;
}
