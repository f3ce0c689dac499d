// What every check of a cluster may look at.
import type { Program } from '../../compile/program.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import { createAddressIndex, type AddressIndex } from './address-index.ts';
import { holdsAllNamespaces, holdsWholeCluster } from './known-namespaces.ts';
import { findPodCreators } from './pod-creators.ts';
import { createPodIndex, type PodIndex } from './pod-index.ts';
import { createPortIndex, type PodPorts } from './pod-ports.ts';

export interface LintContext {
  readonly cluster: Cluster;
  readonly program: Program;
  readonly index: PodIndex;
  /** Whether what is missing in the input does not exist; of namespaces that may be known while it is not of pods. */
  readonly isWholeCluster: boolean;
  readonly hasAllNamespaces: boolean;
  /** Place of a pod in `cluster.pods`. */
  numberOf(pod: Pod): number;
  addressesIn: AddressIndex;
  portsOf(pods: readonly Pod[]): PodPorts;
  /** Names of the objects of a namespace that may create pods we do not know, such as `` `Kafka/events` ``. */
  podCreatorsIn(namespace: string): readonly string[];
}

export function createLintContext(cluster: Cluster, program: Program, { isWholeCluster = holdsWholeCluster(cluster) }: { readonly isWholeCluster?: boolean }): LintContext {
  const creators = findPodCreators(cluster);
  let numbers: ReadonlyMap<Pod, number> | undefined;
  return {
    cluster,
    program,
    index: createPodIndex(cluster),
    isWholeCluster,
    hasAllNamespaces: isWholeCluster || holdsAllNamespaces(cluster),
    numberOf: (pod) => (numbers ??= new Map(cluster.pods.map((one, number) => [one, number]))).get(pod)!,
    addressesIn: createAddressIndex(cluster),
    portsOf: createPortIndex(cluster),
    podCreatorsIn: (namespace) => creators.get(namespace) ?? [],
  };
}
