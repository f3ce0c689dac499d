// What a pod that nobody has planned for may open towards the pods that are there, and they towards it: the test of a default.
import { compareText } from '../base/finding.ts';
import { PROTOCOLS, protocolRanges, type PortSet } from '../base/port-set.ts';
import { allowedBetween } from '../analyze/decide.ts';
import { quadOfGroup, type Quad } from '../analyze/endpoint.ts';
import { unlabelledPodsOf } from '../analyze/new-pods.ts';
import { compileCluster } from '../compile/compile.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Direction } from '../model/network-policy.ts';

/** `closed`: on no port. `open`: on every port of a protocol. `limited`: on some ports. */
export type Degree = 'closed' | 'limited' | 'open';

export const DEGREES: readonly Degree[] = ['closed', 'limited', 'open'];

export function degreeOf(ports: PortSet): Degree {
  if (ports.length === 0) return 'closed';
  return PROTOCOLS.some((protocol) => protocolRanges(ports, protocol).some(([first, last]) => first === 1 && last === 65535)) ? 'open' : 'limited';
}

/** A stranger is a pod without labels in a namespace without labels that is not there yet. `ingress`: what it may open; `egress`: what may be opened to it. */
export interface Strangers {
  /** `pod` is an index of `cluster.pods`. */
  portsOf(pod: number, direction: Direction): PortSet;
  /** Of a pod without labels that would be added to a namespace, by index of `cluster.namespaces`. */
  portsOfNewPod(namespace: number, direction: Direction): PortSet;
}

/** Found by adding such pods to the cluster and asking. */
export function findStrangers(cluster: Cluster): Strangers {
  const { pods: added, namespace } = unlabelledPodsOf(cluster);
  const program = compileCluster({ ...cluster, namespaces: [...cluster.namespaces, namespace].sort((a, b) => compareText(a.name, b.name)), pods: [...cluster.pods, ...added] });
  const strangerAt = cluster.pods.length;
  const quadOfPod = (pod: number): Quad => quadOfGroup(program, program.groupOfPod[pod]!);
  const stranger = quadOfPod(strangerAt);
  const known = new Map<string, PortSet>();
  const portsOf = (pod: number, direction: Direction): PortSet => {
    const key = `${direction} ${program.groupOfPod[pod]!}`;
    let ports = known.get(key);
    if (ports === undefined) {
      const own = quadOfPod(pod);
      const id = allowedBetween(program, direction === 'ingress' ? { source: stranger, target: own } : { source: own, target: stranger });
      known.set(key, (ports = program.portSets.portSet(id)));
    }
    return ports;
  };
  return { portsOf, portsOfNewPod: (index, direction) => portsOf(strangerAt + 1 + index, direction) };
}
