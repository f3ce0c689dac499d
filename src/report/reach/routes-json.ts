// Services and the entrances from outside as objects of JSON.
import { formatIpAddress, formatIpRange } from '../../base/ip-address.ts';
import type { NamedEntrance, NamedService } from '../../analyze/named-routes.ts';

export function jsonService({ service, leadsTo, endpoints, ports }: NamedService): unknown {
  const { namespace, name, type, isHeadless, clusterIps, externalName } = service;
  return {
    id: `${namespace}/${name}`,
    type,
    headless: isHeadless,
    clusterIPs: clusterIps.map(formatIpAddress),
    ...(externalName === undefined ? {} : { externalName }),
    leadsTo,
    endpoints,
    ports: ports.map(({ port, targets, unresolved }) => ({ ...(port.name === undefined ? {} : { name: port.name }), protocol: port.protocol, port: port.port, ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort }), targets, unresolved })),
  };
}

export function jsonEntrance(named: NamedEntrance): unknown {
  const { entrance, sources, sourceEndpoints, targets } = named;
  const head =
    entrance.kind === 'Ingress'
      ? { kind: entrance.kind, id: `${entrance.ingress.namespace}/${entrance.ingress.name}`, host: entrance.route.host ?? '*', path: entrance.route.path, service: `${entrance.ingress.namespace}/${entrance.route.serviceName}` }
      : { kind: entrance.kind, id: `${entrance.service.namespace}/${entrance.service.name}`, protocol: entrance.port.protocol, port: entrance.port.port };
  return {
    ...head,
    sources: { kind: sources.kind, ...(sources.kind === 'controller' ? { endpoints: sourceEndpoints } : {}), ...(sources.kind === 'clients' ? { ranges: sources.ranges.map(formatIpRange) } : {}) },
    targets: targets.map(({ endpoint, protocol, port, verdict, outside }) => ({ endpoint, protocol, port, verdict, outside: outside.map(formatIpRange) })),
  };
}
