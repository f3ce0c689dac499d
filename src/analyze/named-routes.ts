// Services and entrances with their targets named as `reach` names endpoints.
import { compareText } from '../base/finding.ts';
import { formatIpAddress, type IpRange } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import type { Service, ServicePort } from '../model/cluster.ts';
import { listEndpoints, type Grain } from './endpoints.ts';
import { findExposures, type Exposure, type ExposedTarget } from './exposure.ts';
import { routeServices, type PortRoute, type ServiceRoute } from './services.ts';

export interface NamedRoutes {
  readonly services: readonly NamedService[];
  readonly entrances: readonly NamedEntrance[];
}

export interface NamedService {
  readonly service: Service;
  readonly leadsTo: ServiceRoute['leadsTo'];
  /** The endpoints behind it, whatever the port. */
  readonly endpoints: readonly string[];
  readonly ports: readonly NamedPort[];
}

export interface NamedPort {
  readonly port: ServicePort;
  /** Sorted by endpoint and port; an address outside goes by itself. */
  readonly targets: readonly { readonly endpoint: string; readonly port: number }[];
  /** Endpoints without a container port of the name. */
  readonly unresolved: readonly string[];
}

export interface NamedEntrance extends Pick<Exposure, 'entrance' | 'sources'> {
  /** Endpoints of the controller; empty where the sources are no pods. */
  readonly sourceEndpoints: readonly string[];
  readonly targets: readonly NamedTarget[];
}

export interface NamedTarget {
  readonly endpoint: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly verdict: ExposedTarget['verdict'];
  readonly outside: readonly IpRange[];
}

export function nameRoutes(program: Program, by: Grain): NamedRoutes {
  const routes = routeServices(program.cluster);
  const idOf = new Map(listEndpoints(program, by).flatMap(({ endpoint, podIndices }) => podIndices.map((pod) => [pod, endpoint.id] as const)));
  const idsOf = (pods: readonly number[]): string[] => [...new Set(pods.map((pod) => idOf.get(pod)!))].sort(compareText);
  return {
    services: routes.map(({ service, leadsTo, pods, ports }) => ({ service, leadsTo, endpoints: idsOf(pods), ports: ports.map((route) => namePort(route, idOf, idsOf)) })),
    entrances: findExposures(program, routes).map(({ entrance, sources, targets }) => ({
      entrance,
      sources,
      sourceEndpoints: sources.kind === 'controller' ? idsOf(sources.pods) : [],
      targets: targets.flatMap((target) => idsOf(target.pods).map((endpoint) => ({ endpoint, protocol: target.protocol, port: target.port, verdict: target.verdict, outside: target.outside }))),
    })),
  };
}

function namePort({ port, targets, unresolved }: PortRoute, idOf: ReadonlyMap<number, string>, idsOf: (pods: readonly number[]) => string[]): NamedPort {
  const named = new Map(
    targets.map(({ end, port: number }) => {
      const endpoint = end.kind === 'pod' ? idOf.get(end.pod)! : formatIpAddress(end.address);
      return [`${endpoint}\n${number}`, { endpoint, port: number }] as const;
    }),
  );
  return { port, targets: [...named.values()].sort((a, b) => compareText(a.endpoint, b.endpoint) || a.port - b.port), unresolved: idsOf(unresolved) };
}
