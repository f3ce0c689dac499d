// Services of a lab: the address that clients use, and the pods and ports behind it.
import type { IpAddress } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { Cluster, Pod, Service, ServicePort } from '../model/cluster.ts';
import { namedPorts } from './probed-port.ts';

export interface LabService {
  readonly namespace: string;
  readonly name: string;
  /** Headless: none; its name leads to the pods themselves. */
  readonly addresses: readonly IpAddress[];
  /** Indices of the lab's pods. */
  readonly pods: readonly number[];
  readonly ports: readonly LabServicePort[];
}

export interface LabServicePort {
  readonly name: string | undefined;
  readonly protocol: Protocol;
  readonly port: number;
  /** Pods without a container port of the wanted name are not here. */
  readonly backends: readonly Backend[];
}

export interface Backend {
  readonly pod: number;
  readonly port: number;
}

/** Indices of the pods that a Service selects; a selector that is missing or empty selects nobody (Kubernetes, "Service"). */
export function podsBehind(cluster: Cluster, service: Service): number[] {
  const { selector } = service;
  if (selector === undefined || selector.size === 0) return [];
  const wanted = [...selector];
  return cluster.pods.flatMap((pod, index) =>
    pod.namespace === service.namespace && wanted.every(([key, value]) => pod.labels.get(key) === value) ? [index] : [],
  );
}

/** `cluster` is the lab's own, with one pod per replica. */
export function planService(cluster: Cluster, service: Service, addresses: readonly IpAddress[]): LabService {
  const pods = podsBehind(cluster, service);
  return {
    namespace: service.namespace,
    name: service.name,
    addresses,
    pods,
    ports: service.ports.map((port) => ({
      name: port.name,
      protocol: port.protocol,
      port: port.port,
      backends: pods.flatMap((pod) => backendsOf(pod, cluster.pods[pod]!, port)),
    })),
  };
}

/** The first container port of the name serves, as in an EndpointSlice. */
function backendsOf(index: number, pod: Pod, { targetPort, protocol }: ServicePort): Backend[] {
  const port = typeof targetPort === 'number' ? targetPort : namedPorts(pod, targetPort, protocol)[0];
  return port === undefined ? [] : [{ pod: index, port }];
}
