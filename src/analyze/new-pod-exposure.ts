// What pods that are not there yet could reach, and who could reach them: found by adding such pods to the cluster and asking.
import { subtractPorts, type PortSet } from '../base/port-set.ts';
import { compileCluster } from '../compile/compile.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { formatSelector, type Selector } from '../model/selector.ts';
import { allowedPorts } from './decide.ts';
import { listEndpoints, type Endpoint } from './endpoints.ts';
import { newPodsOf, type NewPod } from './new-pods.ts';
import { outsidePorts, type OutsideGroup } from './outside-ports.ts';

export interface WorkloadExposure {
  readonly endpoint: Endpoint;
  /** Who could come in, and whom its pods could reach. */
  readonly ingress: DirectionExposure;
  readonly egress: DirectionExposure;
}

/** What the policies that are there now would let through; both ends are asked, the new pod's namespace included. */
export interface DirectionExposure {
  /** A pod without labels in a namespace without labels that is not there yet. */
  readonly anyNamespace: PortSet;
  /** A pod without labels in the workload's own namespace. */
  readonly ownNamespace: PortSet;
  readonly outside: readonly OutsideGroup[];
  /** Pods with labels that a rule names and no pod has, where that gets them more than having none. */
  readonly labelled: readonly LabelledExposure[];
}

export interface LabelledExposure {
  readonly podSelector: Selector;
  /** A namespace by name, or those that a selector selects. */
  readonly namespace: { readonly kind: 'named'; readonly name: string } | { readonly kind: 'selected'; readonly selector: Selector };
  readonly ports: PortSet;
}

/** By workload, in the order of `reach`. */
export function findNewPodExposure(cluster: Cluster): WorkloadExposure[] {
  const program = compileCluster(cluster);
  const added = newPodsOf(cluster);
  const widened = compileCluster({ ...cluster, namespaces: sortedByName([...cluster.namespaces, ...added.namespaces]), pods: [...cluster.pods, ...added.pods.map(({ pod }) => pod)] });
  const portsOf = (own: number, other: number, direction: Direction): PortSet => {
    const [a, b] = [{ kind: 'pod', pod: own } as const, { kind: 'pod', pod: cluster.pods.length + other } as const];
    return direction === 'egress' ? allowedPorts(widened, a, b) : allowedPorts(widened, b, a);
  };
  return listEndpoints(program, 'workload').flatMap(({ endpoint, podIndices, range }) => {
    const own = podIndices[0];
    if (range !== undefined || own === undefined) return [];
    const [ingress, egress] = DIRECTIONS.map((direction): DirectionExposure => {
      const ports = added.pods.map((_, other) => portsOf(own, other, direction));
      const ownNamespace = added.pods.findIndex((one) => one.kind === 'own-namespace' && one.pod.namespace === cluster.pods[own]!.namespace);
      return {
        anyNamespace: ports[0]!,
        ownNamespace: ports[ownNamespace]!,
        outside: outsidePorts(program, own, direction),
        labelled: added.pods.flatMap((one, other) => labelledExposure(one, ports[other]!, ports[one.without]!)),
      };
    });
    return [{ endpoint, ingress: ingress!, egress: egress! }];
  });
}

function labelledExposure(one: NewPod, ports: PortSet, without: PortSet): LabelledExposure[] {
  if (one.kind !== 'labelled' || subtractPorts(ports, without).length === 0) return [];
  const { podSelector, namespace } = one;
  return [{ podSelector, namespace, ports }];
}

/** `pods with app=cron in shop`. */
export function formatLabelled({ podSelector, namespace }: Pick<LabelledExposure, 'podSelector' | 'namespace'>): string {
  const where = namespace.kind === 'named' ? `in ${namespace.name}` : namespace.selector.requirements.length === 0 ? 'in any namespace' : `in namespaces with ${formatSelector(namespace.selector)}`;
  return `${podSelector.requirements.length === 0 ? 'any pod' : `pods with ${formatSelector(podSelector)}`} ${where}`;
}

function sortedByName(namespaces: readonly Namespace[]): Namespace[] {
  return [...namespaces].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

