// Which ports some pods open, by what they declare and by the Services that lead to them.
import { routeServices } from '../../analyze/services.ts';
import type { Protocol } from '../../base/port-set.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';

export interface PodPorts {
  /** Declared, or the target of a Service: `TCP/80`. */
  readonly opened: ReadonlySet<string>;
  /** Whether each of the pods declares a port: those that declare none may listen anywhere. */
  readonly isDeclared: boolean;
  /** `TCP/80`, as a Service over the pods has it, to where it leads; only of Services whose two numbers differ. */
  readonly servicePorts: ReadonlyMap<string, ServicePortUse>;
}

export interface ServicePortUse {
  /** `namespace/name` */
  readonly service: string;
  readonly target: number;
}

export function portText(protocol: Protocol, port: number): string {
  return `${protocol}/${port}`;
}

/** The same list of pods is looked at once. */
export function createPortIndex(cluster: Cluster): (pods: readonly Pod[]) => PodPorts {
  let routes: ReadonlyMap<Pod, readonly Route[]> | undefined;
  const known = new WeakMap<readonly Pod[], PodPorts>();
  return (pods) => {
    const before = known.get(pods);
    if (before !== undefined) return before;
    routes ??= indexRoutes(cluster);
    const ports = collectPorts(pods, routes);
    known.set(pods, ports);
    return ports;
  };
}

interface Route extends ServicePortUse {
  readonly protocol: Protocol;
  readonly port: number;
}

function indexRoutes(cluster: Cluster): ReadonlyMap<Pod, readonly Route[]> {
  const routes = new Map<Pod, Route[]>();
  for (const { service, ports } of routeServices(cluster)) {
    for (const { port, targets } of ports) {
      for (const { end, port: target } of targets) {
        if (end.kind !== 'pod') continue;
        const pod = cluster.pods[end.pod]!;
        const list = routes.get(pod) ?? [];
        list.push({ service: `${service.namespace}/${service.name}`, protocol: port.protocol, port: port.port, target });
        routes.set(pod, list);
      }
    }
  }
  return routes;
}

function collectPorts(pods: readonly Pod[], routes: ReadonlyMap<Pod, readonly Route[]>): PodPorts {
  const opened = new Set<string>();
  const servicePorts = new Map<string, ServicePortUse>();
  for (const pod of pods) {
    for (const { protocol, port } of pod.ports) opened.add(portText(protocol, port));
    for (const { service, protocol, port, target } of routes.get(pod) ?? []) {
      opened.add(portText(protocol, target));
      if (port !== target && !servicePorts.has(portText(protocol, port))) servicePorts.set(portText(protocol, port), { service, target });
    }
  }
  return { opened, isDeclared: pods.every(({ ports }) => ports.length > 0), servicePorts };
}
