// Where Services lead: from each of their ports to the pods and target ports behind it, as kube-proxy and the DNS would send it.
import type { IpAddress } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { Cluster, Pod, Service, ServicePort } from '../model/cluster.ts';
import type { EndpointSlice } from '../model/endpoint-slice.ts';
import type { AddressedRef } from './endpoint.ts';

export interface ServiceRoute {
  readonly service: Service;
  /**
   * `pods`: those that its selector selects. `endpoints`: it has no selector, and EndpointSlices or Endpoints were read.
   * `name`: an ExternalName. `unknown`: no selector and none of these, so the manifests do not say.
   */
  readonly leadsTo: 'pods' | 'endpoints' | 'name' | 'unknown';
  /** Indices of `cluster.pods`; a headless name leads to them on every port that they listen on. */
  readonly pods: readonly number[];
  /** One for each port of the Service; of a `name` or `unknown`, without targets. */
  readonly ports: readonly PortRoute[];
}

export interface PortRoute {
  readonly port: ServicePort;
  readonly targets: readonly PortTarget[];
  /** Pods that have no container port of the name; the Service leaves them out on this port. */
  readonly unresolved: readonly number[];
}

export interface PortTarget {
  readonly end: AddressedRef;
  readonly protocol: Protocol;
  readonly port: number;
}

/** In the order of `cluster.services`. Cost follows Services and the pods behind them, never Services × pods. */
export function routeServices(cluster: Cluster): readonly ServiceRoute[] {
  const podsOf = podFinder(cluster.pods);
  const slices = sliceFinder(cluster);
  return cluster.services.map((service) => {
    if (service.type === 'ExternalName') return withoutTargets(service, 'name');
    if (service.selector !== undefined) return routeToPods(cluster, service, podsOf(service));
    const found = slices.of(service);
    return found.length === 0 ? withoutTargets(service, 'unknown') : routeToEndpoints(service, found, slices.endsOf);
  });
}

/** The number that a Service's port stands for on a pod: of several ports with the name, the first one. */
export function targetPortOn(pod: Pod, { targetPort, protocol }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  return pod.ports.find((port) => port.name === targetPort && port.protocol === protocol)?.port;
}

function withoutTargets(service: Service, leadsTo: ServiceRoute['leadsTo']): ServiceRoute {
  return { service, leadsTo, pods: [], ports: service.ports.map((port) => ({ port, targets: [], unresolved: [] })) };
}

function routeToPods(cluster: Cluster, service: Service, pods: readonly number[]): ServiceRoute {
  const ports = service.ports.map((port): PortRoute => {
    const targets: PortTarget[] = [];
    const unresolved: number[] = [];
    for (const pod of pods) {
      const number = targetPortOn(cluster.pods[pod]!, port);
      if (number === undefined) unresolved.push(pod);
      else targets.push({ end: { kind: 'pod', pod }, protocol: port.protocol, port: number });
    }
    return { port, targets, unresolved };
  });
  return { service, leadsTo: 'pods', pods, ports };
}

/** A slice's port belongs to the Service's port of the same name; an endpoint may stand in several slices (Kubernetes, "EndpointSlices", Duplicate endpoints). */
function routeToEndpoints(service: Service, slices: readonly EndpointSlice[], endsOf: (slice: EndpointSlice) => readonly AddressedRef[]): ServiceRoute {
  const ports = service.ports.map((port): PortRoute => {
    const targets = slices.flatMap((slice) =>
      slice.ports
        .filter(({ name, protocol }) => name === (port.name ?? '') && protocol === port.protocol)
        .flatMap((own) => endsOf(slice).map((end) => ({ end, protocol: own.protocol, port: own.port }))),
    );
    return { port, targets: uniqueTargets(targets), unresolved: [] };
  });
  const pods = slices.flatMap((slice) => endsOf(slice).flatMap((end) => (end.kind === 'pod' ? [end.pod] : [])));
  return { service, leadsTo: 'endpoints', pods: [...new Set(pods)].sort((a, b) => a - b), ports };
}

function uniqueTargets(targets: readonly PortTarget[]): readonly PortTarget[] {
  const keyOfTarget = ({ end, protocol, port }: PortTarget): string => `${end.kind === 'pod' ? end.pod : keyOf(end.address)} ${protocol} ${port}`;
  return [...new Map(targets.map((target) => [keyOfTarget(target), target])).values()];
}

/** Pods by the rarest label of the selector, namespace by namespace. */
function podFinder(pods: readonly Pod[]): (service: Service) => readonly number[] {
  const byLabel = new Map<string, number[]>();
  for (const [index, pod] of pods.entries()) {
    for (const [key, value] of pod.labels) append(byLabel, `${pod.namespace}\n${key}\n${value}`, index);
  }
  return ({ namespace, selector }) => {
    const lists = [...selector!].map(([key, value]) => byLabel.get(`${namespace}\n${key}\n${value}`) ?? []);
    const rarest = lists.reduce((least, list) => (list.length < least.length ? list : least));
    return rarest.filter((index) => [...selector!].every(([key, value]) => pods[index]!.labels.get(key) === value));
  };
}

interface SliceFinder {
  of(service: Service): readonly EndpointSlice[];
  endsOf(slice: EndpointSlice): readonly AddressedRef[];
}

/** An endpoint is the pod that it names, else the pod that has its address, else an address outside. */
function sliceFinder({ endpointSlices, pods }: Cluster): SliceFinder {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of endpointSlices) if (slice.serviceName !== undefined) append(byService, `${slice.namespace}/${slice.serviceName}`, slice);
  const byName = new Map<string, number>();
  const byAddress = new Map<string, number>();
  if (endpointSlices.length > 0) {
    for (const [index, pod] of pods.entries()) {
      byName.set(`${pod.namespace}/${pod.name}`, index);
      if (!pod.hostNetwork) for (const address of pod.addresses) byAddress.set(keyOf(address), index);
    }
  }
  const podOf = ({ podName, addresses }: EndpointSlice['endpoints'][number], namespace: string): number | undefined =>
    podName === undefined ? addresses.map((address) => byAddress.get(keyOf(address))).find((pod) => pod !== undefined) : byName.get(`${namespace}/${podName}`);
  return {
    of: ({ namespace, name }) => byService.get(`${namespace}/${name}`) ?? [],
    endsOf: (slice) =>
      slice.endpoints.flatMap((endpoint): AddressedRef[] => {
        const pod = podOf(endpoint, slice.namespace);
        return pod === undefined ? endpoint.addresses.map((address) => ({ kind: 'address', address })) : [{ kind: 'pod', pod }];
      }),
  };
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
