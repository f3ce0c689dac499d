// EndpointSlices: where a Service leads in a live cluster, the only source for one without a selector; older Endpoints are slices too.
import type { IpAddress } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { Origin } from './origin.ts';

/** `discovery.k8s.io/v1`; of Endpoints (`v1`), one for each of its subsets. */
export interface EndpointSlice {
  readonly namespace: string;
  readonly name: string;
  /** Label `kubernetes.io/service-name`, of Endpoints their own name; undefined: of no Service. */
  readonly serviceName: string | undefined;
  readonly endpoints: readonly SliceEndpoint[];
  /** Of every endpoint; an entry without a number stands for every port and is left out. */
  readonly ports: readonly SlicePort[];
  readonly origin: Origin;
}

export interface SliceEndpoint {
  readonly addresses: readonly IpAddress[];
  /** Name of the pod of the same namespace, where it is one. */
  readonly podName: string | undefined;
}

export interface SlicePort {
  /** As the Service's port is named; `""` for one without a name. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}
