// Connections that annotations of a workload speak of, and references inside of custom resources.
import type { Finding } from '../../base/finding.ts';
import { nearestWord } from '../../base/near-miss.ts';
import { portSetOf, unionPorts, type PortSet } from '../../base/port-set.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import { podSpecOf, type WrittenObject } from '../../read/values/written-object.ts';
import type { Assignment } from '../words/assignment.ts';
import type { Connection, Shown } from '../ends/connection.ts';
import { CONNECTS_TO } from '../ends/connects-to.ts';
import { flattenTexts, mapAt, mapsIn, textIn } from '../../read/values/loose-map.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';
import { placeIn } from '../words/workload-texts.ts';
import { noteAt, witnessAt } from '../words/witness.ts';

/** Of OpenShift's topology view: names of workloads of the namespace, or JSON of references. */
const OPENSHIFT_CONNECTS_TO = 'app.openshift.io/connects-to';
/** Of kpt and Config Sync: `apps/namespaces/shop/Deployment/db`, a comma between two. */
const DEPENDS_ON = 'config.kubernetes.io/depends-on';
/** Of Consul without a transparent proxy: `db:5432`, where the port is one on localhost. */
const CONSUL_UPSTREAMS = 'consul.hashicorp.com/connect-service-upstreams';

/** Texts that count as the workload's own. */
export function readAnnotatedTexts(object: WrittenObject): readonly Assignment[] {
  return annotationsOf(object).flatMap(({ map, path }) => {
    const value = textIn(map, CONNECTS_TO);
    return value === undefined ? [] : [{ key: CONNECTS_TO, value, group: CONNECTS_TO, place: placeIn(object, [...path, CONNECTS_TO]) }];
  });
}

/** Every text of a custom resource whose operator makes pods of it; nothing of those that are read field by field. */
export function readResourceTexts(object: WrittenObject): readonly Assignment[] {
  if (mapAt(object.map, podSpecOf(object).path)['containers'] !== undefined) return [];
  return flattenTexts(mapAt(object.map, ['spec'])).map(([path, value]) => ({
    key: path.filter((step) => typeof step === 'string').join('.'),
    value,
    group: JSON.stringify(path.slice(0, -1)),
    place: placeIn(object, ['spec', ...path]),
  }));
}

export interface ReferenceContext {
  readonly cluster: Cluster;
  readonly routes: readonly ServiceRoute[];
  readonly subjects: Subjects;
}

export function connectionsOfReferences(context: ReferenceContext, source: Subject, object: WrittenObject): Shown {
  const references = annotationsOf(object).flatMap(({ map, path }) => [
    ...connectsTo(textIn(map, OPENSHIFT_CONNECTS_TO), object.namespace).map((reference) => ({ ...reference, key: OPENSHIFT_CONNECTS_TO, path: [...path, OPENSHIFT_CONNECTS_TO] })),
    ...dependsOn(textIn(map, DEPENDS_ON)).map((reference) => ({ ...reference, key: DEPENDS_ON, path: [...path, DEPENDS_ON] })),
    ...upstreams(textIn(map, CONSUL_UPSTREAMS), object.namespace).map((reference) => ({ ...reference, key: CONSUL_UPSTREAMS, path: [...path, CONSUL_UPSTREAMS] })),
  ]);
  const shown = [...references, ...alertmanagers(object)].map((reference) => follow(context, source, { object, reference }));
  return { connections: [...shown.flatMap(({ connections }) => connections), ...meshOf(source, object)], findings: shown.flatMap(({ findings }) => findings) };
}

/** Of the workload itself, and of its pods. */
function annotationsOf(object: WrittenObject): readonly { readonly map: ReturnType<typeof mapAt>; readonly path: readonly string[] }[] {
  const ofPods = [...podSpecOf(object).path.slice(0, -1), 'metadata', 'annotations'];
  const paths = object.kind === 'Pod' ? [ofPods] : [['metadata', 'annotations'], ofPods];
  return paths.map((path) => ({ map: mapAt(object.map, path), path }));
}

interface Reference {
  readonly namespace: string;
  /** undefined: a workload of whatever kind, or a Service. */
  readonly kind: string | undefined;
  readonly name: string;
  readonly port?: number | string;
}

interface PlacedReference extends Reference {
  readonly key: string;
  readonly path: Path;
}

function connectsTo(text: string | undefined, namespace: string): readonly Reference[] {
  if (text === undefined) return [];
  const items = parseJson(text);
  if (items === undefined) return names(text).map((name) => ({ namespace, kind: undefined, name }));
  return items.flatMap((item): Reference[] => {
    if (typeof item === 'string') return [{ namespace, kind: undefined, name: item }];
    const { kind, name } = item as { readonly kind?: unknown; readonly name?: unknown }; // looked at below
    return typeof name === 'string' ? [{ namespace, kind: typeof kind === 'string' ? kind : undefined, name }] : [];
  });
}

/** undefined: it is no list of JSON. */
function parseJson(text: string): readonly (string | object)[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((item): item is string | object => typeof item === 'string' || (typeof item === 'object' && item !== null)) : undefined;
  } catch {
    return undefined; // then it is a list of names
  }
}

const WORKLOAD_KINDS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Pod', 'Service', 'Job', 'CronJob']);

function dependsOn(text: string | undefined): readonly Reference[] {
  return names(text ?? '').flatMap((name) => {
    const [, scope, namespace, kind, own, ...more] = name.split('/');
    return scope === 'namespaces' && own !== undefined && more.length === 0 && WORKLOAD_KINDS.has(kind!) ? [{ namespace: namespace!, kind: kind!, name: own }] : [];
  });
}

function upstreams(text: string | undefined, namespace: string): readonly Reference[] {
  return names(text ?? '').map((item) => ({ namespace, kind: 'Service', name: item.split(/[:.]/)[0]! }));
}

function names(text: string): string[] {
  return text.split(/[,\s]+/).filter((name) => name !== '');
}

/** `spec.alerting.alertmanagers` of a Prometheus names Services with their ports. */
function alertmanagers(object: WrittenObject): readonly PlacedReference[] {
  if (!object.apiVersion.startsWith('monitoring.coreos.com/')) return [];
  return mapsIn(mapAt(object.map, ['spec', 'alerting']), 'alertmanagers').flatMap(([index, item]) => {
    const name = textIn(item, 'name');
    const port = item['port'];
    if (name === undefined || (typeof port !== 'string' && typeof port !== 'number')) return [];
    return [{ namespace: textIn(item, 'namespace') ?? object.namespace, kind: 'Service', name, port, key: 'alerting.alertmanagers', path: ['spec', 'alerting', 'alertmanagers', index] }];
  });
}

/** Replicas of an Alertmanager gossip (prometheus/alertmanager, `--cluster.listen-address`). */
const GOSSIP_PORT = 9094;

function meshOf(source: Subject, object: WrittenObject): readonly Connection[] {
  const replicas = mapAt(object.map, ['spec'])['replicas'];
  if (object.kind !== 'Alertmanager' || typeof replicas !== 'number' || replicas < 2) return [];
  const end = { kind: 'subject', subject: source } as const;
  const ports = unionPorts(portSetOf('TCP', GOSSIP_PORT, GOSSIP_PORT), portSetOf('UDP', GOSSIP_PORT, GOSSIP_PORT));
  return [{ source: end, target: end, ports, witnesses: [witnessAt(placeIn(object, ['spec', 'replicas']), `${replicas} replicas of an Alertmanager are one cluster`)], isByName: true, decision: undefined }];
}

function follow(context: ReferenceContext, source: Subject, { object, reference }: { readonly object: WrittenObject; readonly reference: PlacedReference }): Shown {
  const place = placeIn(object, reference.path);
  const says = `${reference.key} names ${reference.kind ?? ''}${reference.kind === undefined ? '' : ' '}${reference.namespace}/${reference.name}`;
  const ends = [...endsOf(context, reference)].filter(([subject]) => subject !== source);
  if (ends.length === 0) return { connections: [], findings: noteNowhere(context, { place, says, reference }) };
  return { connections: ends.map(([subject, ports]): Connection => ({ source: { kind: 'subject', subject: source }, target: { kind: 'subject', subject }, ports, witnesses: [witnessAt(place, says)], isByName: true, decision: undefined })), findings: [] };
}

function noteNowhere({ subjects }: ReferenceContext, { place, says, reference }: { readonly place: Parameters<typeof noteAt>[0]; readonly says: string; readonly reference: Reference }): Finding[] {
  const near = nearestWord(reference.name, subjects.all.filter(({ namespace }) => namespace === reference.namespace).map(({ name }) => name));
  return [noteAt(place, 'witness-without-target', 'warning', `${says}, which stays closed: there is none with a port in the input`, near === undefined || near === reference.name ? 'give its manifest as well, and list its ports' : `did you mean \`${near}\`?`)];
}

/** Of a Service its ports; of a workload those of the Services in front of it, else all that its containers list. */
function endsOf({ cluster, routes, subjects }: ReferenceContext, { namespace, kind, name, port }: Reference): ReadonlyMap<Subject, PortSet> {
  const ends = new Map<Subject, PortSet>();
  const add = (pod: number, ports: PortSet): void => {
    const subject = subjects.of(pod);
    if (subject !== undefined && ports.length > 0) ends.set(subject, unionPorts(ends.get(subject) ?? [], ports));
  };
  const addService = (route: ServiceRoute, isWanted: (pod: number) => boolean): void => {
    const ports = route.ports.filter((own) => port === undefined || own.port.port === port || own.port.name === port);
    for (const { targets } of ports) for (const target of targets) if (target.end.kind === 'pod' && isWanted(target.end.pod)) add(target.end.pod, portSetOf(target.protocol, target.port, target.port));
  };
  const isWorkload = (pod: number): boolean => {
    const { workload } = cluster.pods[pod]!;
    return workload.namespace === namespace && workload.name === name && (kind === undefined || workload.kind === kind);
  };
  for (const route of routes.filter(({ service }) => service.namespace === namespace)) {
    if ((kind === undefined || kind === 'Service') && route.service.name === name) addService(route, () => true);
    else if (kind !== 'Service' && route.pods.some(isWorkload)) addService(route, isWorkload);
  }
  if (ends.size > 0) return ends;
  for (const [pod, { ports }] of cluster.pods.entries()) {
    if (isWorkload(pod)) add(pod, ports.reduce<PortSet>((set, { protocol, port: number }) => unionPorts(set, portSetOf(protocol, number, number)), []));
  }
  return ends;
}
