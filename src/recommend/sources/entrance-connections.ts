// Connections from outside that Ingresses, load balancers and node ports show.
import type { Finding } from '../../base/finding.ts';
import { LAST_ADDRESS, type IpRange } from '../../base/ip-address.ts';
import { portSetOf, type PortSet } from '../../base/port-set.ts';
import { rangeLabel } from '../../base/range-label.ts';
import type { Program } from '../../compile/program.ts';
import { findExposures, type EntranceSources, type Exposure } from '../../analyze/exposure.ts';
import { controllersOf } from '../../analyze/ingress-controllers.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Ingress } from '../../model/ingress.ts';
import { locateOrigin, type Origin } from '../../model/origin.ts';
import { everybodyOutside, rangeBlocks } from '../ends/address-blocks.ts';
import type { Connection, End, Shown } from '../ends/connection.ts';
import { labelSelector } from '../ends/label-selector.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';
import { witnessOf, type Witness } from '../words/witness.ts';

export function connectionsOfEntrances(program: Program, routes: readonly ServiceRoute[], subjects: Subjects): Shown {
  const connections: Connection[] = [];
  const findings: Finding[] = [];
  for (const exposure of findExposures(program, routes)) {
    const { ends, decision } = sourcesOf(program.cluster, exposure, subjects);
    const targets = targetsOf(exposure, subjects);
    if (ends.length === 0 && targets.length > 0) findings.push(noteUnknown(exposure));
    for (const source of ends) {
      for (const { subject, ports } of targets) {
        if (source.kind === 'subject' && source.subject === subject) continue;
        connections.push({ source, target: { kind: 'subject', subject }, ports, witnesses: [witnessOfEntrance(exposure)], isByName: false, decision });
      }
    }
  }
  return { connections, findings };
}

function targetsOf({ targets }: Exposure, subjects: Subjects): readonly { readonly subject: Subject; readonly ports: PortSet }[] {
  return targets.flatMap(({ pods, protocol, port }) => [...new Set(pods.flatMap((pod) => subjects.of(pod) ?? []))].map((subject) => ({ subject, ports: portSetOf(protocol, port, port) })));
}

interface Sources {
  readonly ends: readonly End[];
  readonly decision: string | undefined;
}

function sourcesOf(cluster: Cluster, { entrance, sources }: Exposure, subjects: Subjects): Sources {
  if (sources.kind === 'missing-controller') return entrance.kind === 'Ingress' ? missingController(cluster, entrance.ingress) : { ends: [], decision: undefined };
  return { ends: endsOf(cluster, sources, subjects), decision: undefined };
}

function endsOf(cluster: Cluster, sources: Exclude<EntranceSources, { kind: 'missing-controller' }>, subjects: Subjects): readonly End[] {
  switch (sources.kind) {
    case 'clients':
      if (sources.ranges.every(isEveryAddress)) return [everybodyOutside(cluster)];
      return [{ kind: 'addresses', name: sources.ranges.map(rangeLabel).join(', '), blocks: rangeBlocks(sources.ranges) }];
    case 'nodes':
    case 'provider':
      // A node's address, or one of the provider's: which ones may carry the traffic changes with every node.
      return [everybodyOutside(cluster)];
    case 'controller':
      return [...new Set(sources.pods.flatMap((pod) => subjects.of(pod) ?? []))].map((subject) => ({ kind: 'subject', subject }));
  }
}

function isEveryAddress({ family, first, last }: IpRange): boolean {
  return first === 0n && last === LAST_ADDRESS[family];
}

/** The class names the controller, and its own manifests the labels of its pods; their namespace is anybody's choice. */
function missingController(cluster: Cluster, ingress: Ingress): Sources {
  const [controller, ...others] = controllersOf(ingress, cluster.ingressClasses).filter(({ podLabels }) => podLabels.length > 0);
  if (controller === undefined || others.length > 0) return { ends: [], decision: undefined };
  return {
    ends: [{ kind: 'pods', name: controller.name, namespace: undefined, selectors: controller.podLabels.map((labels) => labelSelector(labels)) }],
    decision: `the pods of ${controller.name} are not in the input: this opens to pods with its usual labels in every namespace`,
  };
}

function noteUnknown({ entrance }: Exposure): Finding {
  const { origin, object, says } = placeOf(entrance);
  return {
    code: 'witness-not-opened',
    severity: 'warning',
    message: `${says}, which stays closed: its controller is not in the input, and its class does not tell whose it is`,
    ...locateOrigin(origin),
    object,
    help: 'give the manifests of the ingress controller as well, or write `ingressClassName`',
  };
}

function witnessOfEntrance({ entrance }: Exposure): Witness {
  const { origin, object, says } = placeOf(entrance);
  return witnessOf(origin, object, says);
}

function placeOf(entrance: Exposure['entrance']): { readonly origin: Origin; readonly object: Witness['object']; readonly says: string } {
  if (entrance.kind === 'Ingress') {
    const { ingress, route } = entrance;
    return {
      origin: route.origin,
      object: { kind: 'Ingress', namespace: ingress.namespace, name: ingress.name },
      says: `the Ingress ${ingress.name} leads ${route.host ?? '*'}${route.path} to ${route.serviceName}:${route.servicePort}`,
    };
  }
  const { service, port } = entrance;
  const path = [...service.origin.path, 'spec', 'ports', service.ports.indexOf(port)];
  return {
    origin: { document: service.origin.document, path },
    object: { kind: 'Service', namespace: service.namespace, name: service.name },
    says: `the Service ${service.name} is a ${entrance.kind} on ${port.protocol} ${port.port}`,
  };
}
