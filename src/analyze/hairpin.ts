// A pod that a Service leads back to itself: NetworkPolicy does not judge it, cluster-wide policies do.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS, intersectPorts, NO_PORTS, unionPorts, type PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { portsOfTiers } from '../compile/tier-ports.ts';
import { quadOf } from './endpoint.ts';

/** Without `family`, over any family that the pod has; `pod` is an index of `cluster.pods`. */
export function portsToItself(program: Program, pod: number, family?: IpFamily): PortSet {
  if (program.cluster.pods[pod]!.hostNetwork) return ALL_PORTS;
  const { families, egressSubject, ingressSubject, egressClass, ingressClass } = quadOf(program, { kind: 'pod', pod });
  return families
    .filter((candidate) => family === undefined || candidate === family)
    .map((candidate) => intersectPorts(
      portsOfTiers(program.egress, { subject: egressSubject, peerClass: egressClass[candidate] }),
      portsOfTiers(program.ingress, { subject: ingressSubject, peerClass: ingressClass[candidate] }),
    ))
    .reduce(unionPorts, NO_PORTS);
}
