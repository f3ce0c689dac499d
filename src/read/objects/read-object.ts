// Reads one object of whatever kind, and keeps what it says.
import type { ObjectName } from '../../base/finding.ts';
import type { Pod } from '../../model/cluster.ts';
import { asksForAudit, AUDIT_LABEL } from '../../model/namespace-audit.ts';
import type { Origin, Path } from '../../model/origin.ts';
import type { Labels } from '../../model/selector.ts';
import { checkFields } from '../values/check-fields.ts';
import { addFinding, createFindingList } from '../values/finding-list.ts';
import type { Gathering } from './gathering.ts';
import { classifyKind, isListKind, isPolicyKind } from '../values/kinds.ts';
import { readList, readMap, readText, REFUSED, shorten } from '../values/loose-value.ts';
import { checkDnsLabel } from '../../model/names.ts';
import { originOf, refuse, remark, type ObjectContext } from '../values/object-context.ts';
import { noteMeshPolicy, readTypeOf, refuseRemoved, refuseUnknownKind, refuseUnsupported } from '../values/object-type.ts';
import { findOperatorKind } from '../values/operator-kinds.ts';
import type { LooseObject } from '../values/loose-object.ts';
import { NO_LABELS, readLabels } from '../values/read-labels.ts';
import { readClusterPolicy } from '../policies/read-cluster-policy.ts';
import { readEndpoints, readEndpointSlice } from './read-endpoint-slice.ts';
import { readIngress, readIngressClass } from './read-ingress.ts';
import { readNetworkPolicy } from '../policies/read-network-policy.ts';
import { readNode } from './read-node.ts';
import { readController, readPod } from './read-pod.ts';
import { readService } from './read-service.ts';
import type { NamedObject } from '../values/named-object.ts';
import { readOperatorPods, readWorkload } from './read-workload.ts';
import { asWritten } from '../values/written-object.ts';
import { isMap, type LooseMap, type Value } from '../text/yaml-value.ts';

const METADATA_NAME = 'kubernetes.io/metadata.name';
const CLUSTER_SCOPED = new Set(['Namespace', 'Node', 'IngressClass', 'ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy']);

/** Of the kinds that are read; nobody can know it of others. */
export function isClusterScoped(kind: string): boolean {
  return CLUSTER_SCOPED.has(kind);
}

export function readObject(gathering: Gathering, loose: LooseObject): void {
  gathering.objectCount++;
  const typed = readTypeOf(createContext(gathering, loose, { kind: '', namespace: '', name: '' }), loose);
  if (typed === undefined) return;
  const { kind, apiVersion, map } = typed;
  const metadata = isMap(map['metadata']) ? map['metadata'] : {};
  const context = createContext(gathering, loose, { kind, namespace: textOr(metadata['namespace'], ''), name: textOr(metadata['name'], '') });
  if (gathering.isInBase && isElsewhere(gathering, context.object)) return;
  const classified = classifyKind(apiVersion, kind, map);
  switch (classified.kind) {
    case 'read':
      readKnown(gathering, context, loose, kind, map);
      return;
    case 'removed':
      refuseRemoved(context, loose, kind, apiVersion, classified);
      if (classified.isRead) readKnown(gathering, context, loose, kind, map);
      return;
    case 'policy':
      refuseUnsupported(context, loose, kind, apiVersion, classified.engine);
      return;
    case 'mesh':
      noteMeshPolicy(context, loose, kind, classified.engine);
      return;
    case 'no-such-kind':
      refuseUnknownKind(context, loose, kind, apiVersion, classified.near);
      return;
    case 'other':
      readOther(gathering, context, loose, kind, apiVersion, map);
  }
}

/** Of a cluster, `-n` asks for one namespace and what decides about it. */
function isElsewhere({ settings }: Gathering, { kind, namespace, name }: ObjectName): boolean {
  if (settings.namespace === undefined) return false;
  return kind === 'Namespace' ? name !== settings.namespace : namespace !== '' && namespace !== settings.namespace;
}

function createContext(gathering: Gathering, loose: LooseObject, object: ObjectName): ObjectContext {
  const leftOut = object.kind === 'NetworkPolicy' ? 'in the answer this part allows nothing' : 'the answer leaves this part out';
  return { settings: gathering.settings, findings: gathering.findings, document: loose.document, object, leftOut, refusals: 0 };
}

function textOr(value: Value | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

// --- Kinds that are read

function readKnown(gathering: Gathering, context: ObjectContext, loose: LooseObject, kind: string, map: LooseMap): void {
  const object = nameObject(gathering, context, loose, kind, map);
  if (object === undefined) return;
  const named: ObjectContext = { ...context, object: { kind, namespace: object.namespace, name: object.name } };
  if (isReplaced(gathering, named, object, (inContext) => readWorkload(inContext, gathering.labels, object))) return;
  const read = readModel(gathering, named, object, map);
  if (read === undefined || !isNew(gathering, named, object, read.model)) return;
  read.keep();
  keepWritten(gathering, loose, object);
}

function keepWritten({ written, settings, isInBase }: Gathering, { document, listApiVersion }: LooseObject, object: NamedObject): void {
  if (written === undefined || (isInBase && settings.keepsWritten === true)) return;
  const one = asWritten(object, textOr(object.map['apiVersion'], listApiVersion ?? ''), document);
  // Of the kinds that are not read, nobody has looked whether the files put another one in its place.
  if (isInBase && written.some((other) => other.kind === one.kind && other.namespace === one.namespace && other.name === one.name)) return;
  if (typeof settings.keepsWritten === 'boolean' || settings.keepsWritten(one)) written.push(one);
}

/** undefined: it has no name, or another namespace than the one asked for. */
function nameObject(gathering: Gathering, context: ObjectContext, loose: LooseObject, kind: string, map: LooseMap): NamedObject | undefined {
  const path = [...loose.path, 'metadata'];
  const metadata = readMap(context, map['metadata'], path);
  if (metadata === REFUSED) return undefined;
  const name = readName(context, metadata ?? {}, path, loose.path);
  const namespace = isClusterScoped(kind) ? '' : readNamespace(gathering, context, metadata ?? {}, path);
  if (name === undefined || namespace === undefined) return undefined;
  if (namespace !== '') gathering.mentionedNamespaces.add(namespace);
  return { map, path: loose.path, kind, namespace, name };
}

/** What is made with `generateName` has a name that nobody knows yet; a policy needs a name of its own. */
function readName(context: ObjectContext, metadata: LooseMap, path: Path, objectPath: Path): string | undefined {
  const name = readText(context, metadata['name'], [...path, 'name']);
  if (name === REFUSED) return undefined;
  if (name !== undefined && name !== '') return name;
  const generated = metadata['generateName'];
  if (typeof generated === 'string' && generated !== '' && !isPolicyKind(context.object.kind)) return generated;
  refuse(context, metadata['name'] === undefined ? [...objectPath, 'kind'] : [...path, 'name'], 'missing-name', `the ${context.object.kind} has no name`, {
    help: 'write `metadata.name`, indented below `metadata`',
    leavesOut: 'the answer leaves it out',
  });
  return undefined;
}

function readNamespace(gathering: Gathering, context: ObjectContext, metadata: LooseMap, path: Path): string | undefined {
  const place = [...path, 'namespace'];
  const written = readText(context, metadata['namespace'], place);
  if (written === REFUSED) return undefined;
  const wanted = gathering.settings.namespace;
  if (written === undefined || written === '') return wanted ?? 'default';
  gathering.namesNamespaces = true;
  const wrong = checkDnsLabel(written);
  if (wrong !== undefined) {
    refuse(context, place, 'invalid-name', `the namespace \`${shorten(written)}\` ${wrong}`, { leavesOut: 'the answer leaves the object out' });
    return undefined;
  }
  if (wanted === undefined || wanted === written) return written;
  refuseNamespace(context, place, written, wanted);
  return undefined;
}

function refuseNamespace(context: ObjectContext, place: Path, written: string, wanted: string): void {
  refuse(context, place, 'namespace-mismatch', `the ${context.object.kind} \`${shorten(context.object.name)}\` is in the namespace \`${shorten(written)}\`, and \`-n\` asks for \`${wanted}\``, {
    help: 'leave `-n` out, or the namespace in the file',
    leavesOut: 'the answer leaves the object out',
  });
}

/** What was read, and the way to keep it. */
interface ReadModel {
  readonly model: object;
  keep(): void;
}

function readModel(gathering: Gathering, context: ObjectContext, object: NamedObject, map: LooseMap): ReadModel | undefined {
  switch (object.kind) {
    case 'Namespace':
      return keepable(readNamespaceObject(gathering, context, object), (model) => gathering.namespaces.set(object.name, model));
    case 'NetworkPolicy':
      return keepable(readNetworkPolicy(context, gathering.labels, object), (model) => gathering.policies.push(model));
    case 'ClusterNetworkPolicy':
    case 'AdminNetworkPolicy':
    case 'BaselineAdminNetworkPolicy':
      return keepable(readClusterPolicy(context, gathering.labels, object, object.kind), (model) => gathering.clusterPolicies.push(model));
    case 'Pod':
      return keepable(readPod(context, gathering.labels, object), (model) => gathering.livePods.push(model));
    case 'Service':
      return keepable(readService(context, gathering.labels, object), (model) => gathering.services.push(model));
    case 'EndpointSlice':
      return keepable(readEndpointSlice(context, gathering.labels, object), (model) => gathering.endpointSlices.push(model));
    case 'Endpoints':
      return keepable(readEndpoints(context, gathering.labels, object), (model) => gathering.endpoints.set(`${object.namespace}/${object.name}`, model));
    case 'Ingress':
      return keepable(readIngress(context, object), (model) => gathering.ingresses.push(model));
    case 'IngressClass':
      return keepable(readIngressClass(context, object), (model) => gathering.ingressClasses.push(model));
    case 'Node':
      return keepable(readNode(context, gathering.labels, object), (model) => gathering.nodes.push(model));
    default: {
      const pods = readWorkload(context, gathering.labels, object);
      return keepable({ ...readTemplate(context, map, object), pods }, (model) => gathering.workloads.push(model));
    }
  }
}

function keepable<Model extends object>(model: Model | undefined, keep: (model: Model) => void): ReadModel | undefined {
  return model === undefined ? undefined : { model, keep: () => keep(model) };
}

function readTemplate(context: ObjectContext, map: LooseMap, { kind, namespace, name, path }: NamedObject): Omit<Gathering['workloads'][number], 'pods'> {
  const metadata = isMap(map['metadata']) ? map['metadata'] : {};
  return { kind, namespace, name, owner: readController(context, metadata['ownerReferences'], [...path, 'metadata', 'ownerReferences']) };
}

function readNamespaceObject(gathering: Gathering, context: ObjectContext, object: NamedObject): { readonly labels: Labels; readonly origin: Origin } | undefined {
  const path = [...object.path, 'metadata', 'labels'];
  const wrong = checkDnsLabel(object.name);
  if (wrong !== undefined) {
    refuse(context, [...object.path, 'metadata', 'name'], 'invalid-name', `the name \`${shorten(object.name)}\` ${wrong}`);
    return undefined;
  }
  const metadata = isMap(object.map['metadata']) ? object.map['metadata'] : {};
  const labels = metadata['labels'] === undefined ? NO_LABELS : readLabels(context, gathering.labels, metadata['labels'], path);
  const written = labels.get(METADATA_NAME);
  if (written !== undefined && written !== object.name) {
    remark(context, [...path, METADATA_NAME], 'namespace-label-replaced', 'warning', `the label \`${METADATA_NAME}\` is \`${object.name}\` whatever the file says, here \`${shorten(written)}\``, {
      help: 'take the label away',
      replacement: object.name,
    });
  }
  if (asksForAudit(labels)) {
    remark(context, [...path, AUDIT_LABEL], 'namespace-audited', 'warning', `the NetworkPolicies of namespace \`${object.name}\` are judged and not enforced by agents that run with --allow-audit; here they count as enforced`, {
      help: 'take the label away to have them enforced',
    });
  }
  return { labels: new Map([...labels, [METADATA_NAME, object.name]]), origin: originOf(context, object.path) };
}

/** An object of the base whose place one of the files has taken. */
function isReplaced(gathering: Gathering, context: ObjectContext, object: NamedObject, readPods: (context: ObjectContext) => readonly Pod[]): boolean {
  const key = objectKey(object);
  const replacing = gathering.isInBase ? gathering.objects.get(key) : undefined;
  if (replacing === undefined || replacing.isInBase) return false;
  const { pods } = replacing.model as { readonly pods?: readonly Pod[] }; // workloads have it, other models do not
  if (pods !== undefined) {
    // Nobody wants to hear what is wrong with an object that goes.
    const before = readPods({ ...context, findings: createFindingList() });
    if (podShape(before) !== podShape(pods)) gathering.changedWorkloads.add(key);
  }
  return true;
}

/** What of a template decides about its pods; how many there are does not. */
function podShape([pod]: readonly Pod[]): string {
  return comparable(pod === undefined ? undefined : { labels: pod.labels, ports: pod.ports, hostNetwork: pod.hostNetwork });
}

function objectKey({ kind, namespace, name }: NamedObject): string {
  return `${kind}/${namespace}/${name}`;
}

/** What stands in the input twice is read once; two that differ are an error. */
function isNew(gathering: Gathering, context: ObjectContext, object: NamedObject, model: object): boolean {
  const key = objectKey(object);
  const known = gathering.objects.get(key);
  if (known === undefined) {
    gathering.objects.set(key, { object: context.object, origin: originOf(context, object.path), model, isInBase: gathering.isInBase });
    return true;
  }
  const isSame = comparable(known.model) === comparable(model);
  const first = { message: 'the first one', file: known.origin.document.file, range: known.origin.document.locate([...known.origin.path, 'metadata', 'name']) };
  const place = [...object.path, 'metadata', 'name'];
  const title = `the ${object.kind} \`${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}\` stands in the input twice`;
  if (isSame) remark(context, place, 'duplicate-object', 'info', `${title}, alike in all that is read`, { related: [first] });
  else refuse(context, place, 'duplicate-object', `${title}, and the two differ`, { related: [first], help: 'keep one of the two', leavesOut: 'the first one counts' });
  return false;
}

function comparable(model: unknown): string {
  return JSON.stringify(model, (key, value: unknown) => {
    if (key === 'origin') return undefined;
    if (value instanceof Map || value instanceof Set) return [...value].map((entry) => JSON.stringify(entry)).sort();
    return typeof value === 'bigint' ? value.toString() : value;
  });
}

// --- Other kinds

function readOther(gathering: Gathering, context: ObjectContext, loose: LooseObject, kind: string, apiVersion: string, map: LooseMap): void {
  if (isListKind(apiVersion, kind)) return checkEmptyList(context, loose, map);
  const operator = findOperatorKind(apiVersion, kind);
  if (operator !== undefined || hasPodTemplate(map)) {
    const object = nameObject(gathering, context, loose, kind, map);
    if (object === undefined) return;
    const named: ObjectContext = { ...context, object: { kind, namespace: object.namespace, name: object.name } };
    const readPods = (inContext: ObjectContext): readonly Pod[] =>
      operator === undefined ? readWorkload(inContext, gathering.labels, object) : readOperatorPods(inContext, gathering.labels, object, operator);
    if (isReplaced(gathering, named, object, readPods)) return;
    const pods = readPods(named);
    const model = { ...readTemplate(named, map, object), pods };
    if (!isNew(gathering, named, object, model)) return;
    gathering.workloads.push(model);
    keepWritten(gathering, loose, object);
    return;
  }
  noteUnread(gathering, context, loose, kind, apiVersion, map);
}

/** What holds a list in `items` was taken apart before: here nothing stands in it, or nothing that anybody reads. */
function checkEmptyList(context: ObjectContext, { path }: LooseObject, map: LooseMap): void {
  checkFields(context, map, path, 'list', 'what stands in it is left out');
  readList(context, map['items'], [...path, 'items']);
}

function hasPodTemplate(map: LooseMap): boolean {
  const spec = map['spec'];
  const template = isMap(spec) ? spec['template'] : undefined;
  const podSpec = isMap(template) ? template['spec'] : undefined;
  return isMap(podSpec) && Array.isArray(podSpec['containers']);
}

function noteUnread(gathering: Gathering, context: ObjectContext, loose: LooseObject, kind: string, apiVersion: string, map: LooseMap): void {
  const metadata = isMap(map['metadata']) ? map['metadata'] : {};
  const namespace = metadata['namespace'];
  if (typeof namespace === 'string' && namespace !== '') {
    gathering.namesNamespaces = true;
    const wanted = gathering.settings.namespace;
    if (wanted !== undefined && wanted !== namespace) refuseNamespace(context, [...loose.path, 'metadata', 'namespace'], namespace, wanted);
    else if (checkDnsLabel(namespace) === undefined) gathering.mentionedNamespaces.add(namespace);
  }
  const key = `${apiVersion}/${kind}`;
  const known = gathering.unread.get(key) ?? { count: 0, apiVersion, kind, document: loose.document, origin: originOf(context, loose.path), names: new Map<string, string>() };
  known.count++;
  gathering.unread.set(key, known);
  const home = textOr(namespace, '') || (gathering.settings.namespace ?? 'default');
  const name = textOr(metadata['name'], '');
  if (!known.names.has(home)) known.names.set(home, name);
  if (name !== '') keepWritten(gathering, loose, { map, path: loose.path, kind, namespace: home, name });
}

/** One finding for each kind that was passed over. */
export function addUnreadFindings(gathering: Gathering): void {
  for (const { count, apiVersion, kind, document, origin } of gathering.unread.values()) {
    addFinding(gathering.findings, {
      code: 'object-not-read',
      severity: 'info',
      message: `${count === 1 ? 'one object' : `${count} objects`} of the kind ${shorten(kind)} (${shorten(apiVersion)}) ${count === 1 ? 'takes' : 'take'} no part in the answer`,
      file: document.file,
      range: document.locate([...origin.path, 'kind']),
    });
  }
}
