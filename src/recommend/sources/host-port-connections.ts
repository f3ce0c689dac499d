// Connections from outside to ports that containers open on their node.
import { portSetOf, PROTOCOLS } from '../../base/port-set.ts';
import type { Cluster } from '../../model/cluster.ts';
import { podSpecOf, type WrittenObject } from '../../read/values/written-object.ts';
import { everybodyOutside } from '../ends/address-blocks.ts';
import type { Connection } from '../ends/connection.ts';
import { mapsIn } from '../../read/values/loose-map.ts';
import type { Subjects } from '../ends/subjects.ts';
import { placeIn } from '../words/workload-texts.ts';
import { witnessAt } from '../words/witness.ts';

export interface HostPortContext {
  readonly cluster: Cluster;
  readonly subjects: Subjects;
  readonly written: readonly WrittenObject[];
}

/** Judged at the pod, on its own port (CNI "portmap"). Pods with the network of their node are no subjects. */
export function connectionsOfHostPorts({ cluster, subjects, written }: HostPortContext): readonly Connection[] {
  return written.flatMap((object) => {
    const subject = subjects.ofWorkload(object);
    if (subject === undefined) return [];
    const { spec, path } = podSpecOf(object);
    return mapsIn(spec, 'containers').flatMap(([index, container]) =>
      mapsIn(container, 'ports').flatMap(([at, { hostPort, containerPort, protocol = 'TCP' }]): Connection[] => {
        const known = PROTOCOLS.find((name) => name === protocol);
        if (typeof hostPort !== 'number' || typeof containerPort !== 'number' || hostPort === 0 || known === undefined) return [];
        const witness = witnessAt(placeIn(object, [...path, 'containers', index, 'ports', at]), `the ${object.kind} ${object.name} opens ${known} ${hostPort} on its nodes`);
        return [{ source: everybodyOutside(cluster), target: { kind: 'subject', subject }, ports: portSetOf(known, containerPort, containerPort), witnesses: [witness], isByName: false, decision: undefined }];
      }),
    );
  });
}
