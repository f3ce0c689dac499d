// Connections from the pods of a Gateway to the Services that its routes name (gateway.networking.k8s.io).
import type { Finding } from '../../base/finding.ts';
import { portSetOf, type PortSet, type Protocol } from '../../base/port-set.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import { mapAt, mapIn, mapsIn, textIn } from '../../read/values/loose-map.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import type { LooseMap } from '../../read/text/yaml-value.ts';
import { everybodyOutside } from '../ends/address-blocks.ts';
import type { Connection, End, Shown } from '../ends/connection.ts';
import { labelSelector } from '../ends/label-selector.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';
import { placeIn } from '../words/workload-texts.ts';
import { noteAt, witnessAt } from '../words/witness.ts';

export interface GatewayContext {
  readonly cluster: Cluster;
  readonly routes: readonly ServiceRoute[];
  readonly subjects: Subjects;
  readonly written: readonly WrittenObject[];
}

const GROUP = 'gateway.networking.k8s.io/';

const PROTOCOLS: Readonly<Record<string, Protocol>> = { HTTPRoute: 'TCP', GRPCRoute: 'TCP', TLSRoute: 'TCP', TCPRoute: 'TCP', UDPRoute: 'UDP' };

export function isGatewayRoute({ apiVersion, kind }: WrittenObject): boolean {
  return apiVersion.startsWith(GROUP) && Object.hasOwn(PROTOCOLS, kind);
}

export function connectionsOfGateways(context: GatewayContext): Shown {
  const shown = context.written.filter(isGatewayRoute).map((route) => connectionsOfRoute(context, route));
  return { connections: shown.flatMap(({ connections }) => connections), findings: shown.flatMap(({ findings }) => findings) };
}

function connectionsOfRoute(context: GatewayContext, route: WrittenObject): Shown {
  const sources = sourcesOf(context, route);
  const backends = backendsOf(route);
  if (sources.length === 0 && backends.length > 0) return { connections: [], findings: [noteParentless(route)] };
  const findings: Finding[] = [];
  const connections = backends.flatMap((backend) => {
    const targets = targetsOf(context, route, backend);
    if (typeof targets === 'string') findings.push(noteAt(placeIn(route, backend.path), targets, 'warning', `the ${route.kind} \`${route.namespace}/${route.name}\` leads to ${nameOf(route, backend)}, which ${WHY[targets]}, and stays closed`, 'give its manifests as well, or allow it in a policy of your own'));
    return typeof targets === 'string' ? [] : connect(route, backend, { sources, targets });
  });
  return { connections, findings };
}

const WHY = { 'witness-without-target': 'is not in the input', 'witness-not-understood': 'is no Service' } as const;

// --- Who sends: the pods of the Gateways that the route names as its parents

interface Source {
  readonly end: End;
  readonly decision: string | undefined;
}

/** Which implementations give the pods that they make for a Gateway (gateway-api.sigs.k8s.io, GEP-1762). */
const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';

/** Classes whose data plane is a load balancer of the provider. */
const PROVIDER_CLASS = /^(gke-|azure-alb|amazon-vpc-lattice|aws-)/;

function sourcesOf(context: GatewayContext, route: WrittenObject): readonly Source[] {
  return mapsIn(mapIn(route.map, 'spec'), 'parentRefs').flatMap(([, parent]) => {
    const name = textIn(parent, 'name');
    return name === undefined || (textIn(parent, 'kind') ?? 'Gateway') !== 'Gateway' ? [] : podsOfGateway(context, { namespace: textIn(parent, 'namespace') ?? route.namespace, name });
  });
}

function podsOfGateway({ cluster, subjects, written }: GatewayContext, { namespace, name }: { readonly namespace: string; readonly name: string }): readonly Source[] {
  const gateway = written.find((object) => object.apiVersion.startsWith(GROUP) && object.kind === 'Gateway' && object.namespace === namespace && object.name === name);
  if (PROVIDER_CLASS.test(textIn(mapIn(gateway?.map ?? {}, 'spec'), 'gatewayClassName') ?? '')) return [{ end: everybodyOutside(cluster), decision: undefined }];
  const pods = [...cluster.pods.keys()].filter((index) => cluster.pods[index]!.namespace === namespace && cluster.pods[index]!.labels.get(GATEWAY_NAME) === name);
  const found = [...new Set(pods.flatMap((index) => subjects.of(index) ?? []))];
  if (found.length > 0) return found.map((subject) => ({ end: { kind: 'subject', subject }, decision: undefined }));
  return [{
    end: { kind: 'pods', name: `the Gateway ${name}`, namespace, selectors: [labelSelector([[GATEWAY_NAME, name]])] },
    decision: `the pods of the Gateway ${namespace}/${name} are not in the input: this opens to pods of its namespace with the label \`${GATEWAY_NAME}\`, which most implementations give them`,
  }];
}

function noteParentless(route: WrittenObject): Finding {
  return noteAt(placeIn(route, ['kind']), 'witness-not-understood', 'warning', `the ${route.kind} \`${route.namespace}/${route.name}\` names no Gateway, so from where it leads is not known, and stays closed`, 'name the Gateway in `spec.parentRefs`');
}

// --- Who is reached

interface Backend {
  readonly reference: LooseMap;
  readonly path: Path;
}

/** Mirrors get requests as well. */
function backendsOf(route: WrittenObject): readonly Backend[] {
  return mapsIn(mapIn(route.map, 'spec'), 'rules').flatMap(([at, rule]) => {
    const path = ['spec', 'rules', at];
    const mirrors = mapsIn(rule, 'filters').map(([index, filter]): Backend => ({ reference: mapAt(filter, ['requestMirror', 'backendRef']), path: [...path, 'filters', index, 'requestMirror', 'backendRef'] }));
    return [...mapsIn(rule, 'backendRefs').map(([index, reference]): Backend => ({ reference, path: [...path, 'backendRefs', index] })), ...mirrors].filter(({ reference }) => textIn(reference, 'name') !== undefined);
  });
}

interface Target {
  readonly subject: Subject;
  readonly ports: PortSet;
}

function targetsOf({ routes, subjects }: GatewayContext, route: WrittenObject, { reference }: Backend): readonly Target[] | keyof typeof WHY {
  if ((textIn(reference, 'kind') ?? 'Service') !== 'Service' || (textIn(reference, 'group') ?? '') !== '') return 'witness-not-understood';
  const namespace = textIn(reference, 'namespace') ?? route.namespace;
  const found = routes.find(({ service }) => service.namespace === namespace && service.name === textIn(reference, 'name'));
  const port = found?.ports.find((own) => own.port.port === reference['port'] && own.port.protocol === PROTOCOLS[route.kind]);
  if (port === undefined) return 'witness-without-target';
  return port.targets.flatMap(({ end, protocol, port: number }) => {
    const subject = end.kind === 'pod' ? subjects.of(end.pod) : undefined;
    return subject === undefined ? [] : [{ subject, ports: portSetOf(protocol, number, number) }];
  });
}

function nameOf({ namespace }: WrittenObject, { reference }: Backend): string {
  const port = reference['port'];
  return `\`${textIn(reference, 'namespace') ?? namespace}/${textIn(reference, 'name') ?? ''}${typeof port === 'number' ? `:${port}` : ''}\``;
}

function connect(route: WrittenObject, backend: Backend, { sources, targets }: { readonly sources: readonly Source[]; readonly targets: readonly Target[] }): readonly Connection[] {
  const witness = witnessAt(placeIn(route, backend.path), `the ${route.kind} ${route.name} leads to ${nameOf(route, backend).replaceAll('`', '')}`);
  return sources.flatMap(({ end, decision }) =>
    targets
      .filter(({ subject }) => end.kind !== 'subject' || end.subject !== subject)
      .map(({ subject, ports }): Connection => ({ source: end, target: { kind: 'subject', subject }, ports, witnesses: [witness], isByName: false, decision })),
  );
}
