// Takes from an object all that is not read: what is left decides about traffic, and holds no secret.
import { EXPIRES_ANNOTATION } from '../model/time-to-live.ts';
import { findOperatorKind } from '../read/values/operator-kinds.ts';
import type { ClusterObject, Json } from './cluster-api.ts';

type Fields = { readonly [key: string]: Json };

/** undefined: it has no name, so no server ever held it. */
export function trimObject(kind: { readonly apiVersion: string; readonly kind: string }, object: unknown): ClusterObject | undefined {
  const fields = fieldsOf(object);
  const metadata = fieldsOf(fields['metadata']);
  const name = metadata['name'];
  if (typeof name !== 'string' || name === '') return undefined;
  return { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { ...trimMetadata(metadata), name }, ...trimBody(kind, fields) };
}

/** Annotations that say something about traffic (`read-service`, `read-ingress`, `analyze/exposure`, `lint/scrapes`), and for how long (`model/time-to-live`). */
export const KEPT_ANNOTATIONS: readonly string[] = [
  'alb.ingress.kubernetes.io/target-type',
  EXPIRES_ANNOTATION,
  'ingressclass.kubernetes.io/is-default-class',
  'kubernetes.io/ingress.class',
  'prometheus.io/port',
  'prometheus.io/scrape',
  'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type',
  'service.beta.kubernetes.io/aws-load-balancer-type',
];

function trimMetadata(metadata: Fields): Fields {
  const annotations = pick(fieldsOf(metadata['annotations']), KEPT_ANNOTATIONS);
  const owners = listOf(metadata['ownerReferences']).map(fieldsOf).filter((owner) => owner['controller'] === true);
  return compact({
    ...pick(metadata, ['name', 'namespace', 'generateName']),
    labels: nonEmpty(fieldsOf(metadata['labels'])),
    annotations: nonEmpty(annotations),
    ownerReferences: nonEmptyList(owners.map((owner) => pick(owner, ['kind', 'name', 'controller']))),
  });
}

type Trim = (fields: Fields) => Record<string, Json | undefined>;

const BODIES: Readonly<Record<string, Trim>> = {
  Pod: ({ spec, status }) => ({ spec: compact({ ...trimPodSpec(fieldsOf(spec)), ...pick(fieldsOf(spec), ['nodeName']), ...accountOf(fieldsOf(spec)) }), status: trimPodStatus(fieldsOf(spec), fieldsOf(status)) }),
  Node: ({ spec, status }) => ({ spec: nonEmpty(pick(fieldsOf(spec), ['podCIDR', 'podCIDRs'])), status: compact({ addresses: fieldsOf(status)['addresses'] }) }),
  Service: ({ spec, status }) => ({
    spec: compact({
      ...pick(fieldsOf(spec), ['type', 'clusterIP', 'clusterIPs', 'selector', 'externalName', 'externalIPs', 'externalTrafficPolicy', 'loadBalancerSourceRanges']),
      ports: pickEach(fieldsOf(spec)['ports'], ['name', 'protocol', 'port', 'targetPort', 'nodePort']),
    }),
    status: trimEntrances(fieldsOf(status)),
  }),
  EndpointSlice: ({ addressType, endpoints, ports }) => ({
    addressType,
    endpoints: listOf(endpoints).map((endpoint) => compact({ addresses: fieldsOf(endpoint)['addresses'], targetRef: trimTarget(endpoint) })),
    ports: pickEach(ports, ['name', 'protocol', 'port']),
  }),
  Endpoints: ({ subsets }) => ({
    subsets: nonEmptyList(listOf(subsets).map(fieldsOf).map(({ addresses, notReadyAddresses, ports }) => compact({ addresses: trimAddresses(addresses), notReadyAddresses: trimAddresses(notReadyAddresses), ports: pickEach(ports, ['name', 'protocol', 'port']) }))),
  }),
  Ingress: ({ spec }) => ({ spec: compact({ ...pick(fieldsOf(spec), ['ingressClassName', 'defaultBackend']), rules: fieldsOf(spec)['rules'] }) }),
  IngressClass: ({ spec }) => ({ spec: nonEmpty(pick(fieldsOf(spec), ['controller'])) }),
  Namespace: () => ({}),
  // Every field of a policy: one that nobody knows must come to light.
  NetworkPolicy: ({ spec }) => ({ spec }),
  ClusterNetworkPolicy: ({ spec }) => ({ spec }),
  AdminNetworkPolicy: ({ spec }) => ({ spec }),
  BaselineAdminNetworkPolicy: ({ spec }) => ({ spec }),
  StagedPolicy: ({ spec }) => ({ spec }),
  StagedClusterPolicy: ({ spec }) => ({ spec }),
  NodeEnforcement: ({ status }) => ({ status }),
  // Of no server: what a snapshot keeps of the engines (`doctor/kept-facts`).
  ClusterFacts: ({ facts }) => ({ facts }),
  // Of those who say whom they call, that alone.
  ServiceMonitor: ({ spec }) => ({ spec: compact({ ...pick(fieldsOf(spec), ['selector', 'namespaceSelector']), endpoints: pickEach(fieldsOf(spec)['endpoints'], ['port', 'targetPort']) }) }),
  PodMonitor: ({ spec }) => ({ spec: compact({ ...pick(fieldsOf(spec), ['selector', 'namespaceSelector']), podMetricsEndpoints: pickEach(fieldsOf(spec)['podMetricsEndpoints'], ['port', 'portNumber', 'targetPort']) }) }),
  ValidatingWebhookConfiguration: ({ webhooks }) => ({ webhooks: trimWebhooks(webhooks) }),
  MutatingWebhookConfiguration: ({ webhooks }) => ({ webhooks: trimWebhooks(webhooks) }),
  CustomResourceDefinition: ({ spec }) => ({ spec: nonEmpty(compact({ conversion: nonEmpty(compact({ webhook: nonEmpty(trimClient(fieldsOf(fieldsOf(fieldsOf(spec)['conversion'])['webhook']))) })) })) }),
  // Of who was given rights, the accounts of pods.
  ClusterRoleBinding: ({ subjects }) => ({ subjects: trimAccounts(subjects) }),
  RoleBinding: ({ subjects }) => ({ subjects: trimAccounts(subjects) }),
  APIService: ({ spec }) => ({ spec: nonEmpty(compact({ service: trimCalled(fieldsOf(spec)['service']) })) }),
  CronJob: ({ spec }) => ({ spec: compact({ jobTemplate: { spec: trimWorkloadSpec(fieldsOf(fieldsOf(fieldsOf(spec)['jobTemplate'])['spec'])) } }) }),
  // Of engines whose kinds decide by what stands in them (`engine-kinds`).
  NodeClass: ({ spec }) => ({ spec: nonEmpty(pick(fieldsOf(spec), ['networkPolicy'])) }),
  Subnet: ({ spec }) => ({ spec: nonEmpty(pick(fieldsOf(spec), ['private', 'acls'])) }),
};

function trimAccounts(subjects: Json | undefined): readonly Fields[] | undefined {
  return nonEmptyList(listOf(subjects).map(fieldsOf).filter(({ kind }) => kind === 'ServiceAccount').map((subject) => pick(subject, ['kind', 'name', 'namespace'])));
}

/** Every pod has one; `default` is the one that nobody chose. */
function accountOf({ serviceAccountName }: Fields): Fields {
  return typeof serviceAccountName === 'string' && serviceAccountName !== 'default' ? { serviceAccountName } : {};
}

function trimWebhooks(webhooks: Json | undefined): readonly Fields[] {
  return listOf(webhooks).map((webhook) => trimClient(fieldsOf(webhook)));
}

function trimClient(webhook: Fields): Fields {
  return compact({ clientConfig: nonEmpty(compact({ service: trimCalled(fieldsOf(webhook['clientConfig'])['service']) })) });
}

function trimCalled(service: Json | undefined): Fields | undefined {
  return nonEmpty(pick(fieldsOf(service), ['namespace', 'name', 'port']));
}

function trimAddresses(addresses: Json | undefined): readonly Fields[] | undefined {
  return nonEmptyList(listOf(addresses).map((address) => compact({ ip: fieldsOf(address)['ip'], targetRef: trimTarget(address) })));
}

function trimEntrances({ loadBalancer }: Fields): Fields | undefined {
  const entrances = listOf(fieldsOf(loadBalancer)['ingress']).map((entrance) => pick(fieldsOf(entrance), ['ip']));
  return nonEmpty(compact({ loadBalancer: nonEmpty(compact({ ingress: nonEmptyList(entrances.filter(({ ip }) => ip !== undefined)) })) }));
}

function trimTarget(endpoint: Json): Fields | undefined {
  return nonEmpty(pick(fieldsOf(fieldsOf(endpoint)['targetRef']), ['kind', 'name']));
}

/** Groups of the kinds named in `BODIES`; a kind of the same name elsewhere is somebody else's. */
const BODY_GROUPS = /^(v1|(networking\.k8s\.io|discovery\.k8s\.io|batch|policy\.networking\.k8s\.io|monitoring\.coreos\.com|(admissionregistration|apiextensions|apiregistration|rbac\.authorization)\.k8s\.io|eks\.amazonaws\.com|kubeovn\.io|bulkhead\.dev)\/.*)$/;
const WORKLOAD_GROUPS = /^(v1|apps\/.*|batch\/.*)$/;

function trimBody({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }, fields: Fields): Fields {
  if (Object.hasOwn(BODIES, kind) && BODY_GROUPS.test(apiVersion)) return compact(BODIES[kind]!(fields));
  const spec = fieldsOf(fields['spec']);
  if (findOperatorKind(apiVersion, kind) !== undefined) return compact({ spec: trimOperatorSpec(spec) });
  const isWorkload = WORKLOAD_GROUPS.test(apiVersion) || Array.isArray(fieldsOf(fieldsOf(spec['template'])['spec'])['containers']);
  return isWorkload ? compact({ spec: nonEmpty(trimWorkloadSpec(spec)) }) : {};
}

function trimWorkloadSpec(spec: Fields): Fields {
  const template = fieldsOf(spec['template']);
  return compact({
    ...pick(spec, ['replicas', 'ordinals', 'parallelism', 'completions', 'completionMode']),
    template: spec['template'] === undefined ? undefined : compact({ metadata: nonEmpty(trimTemplateMetadata(fieldsOf(template['metadata']))), spec: trimPodSpec(fieldsOf(template['spec'])) }),
  });
}

function trimTemplateMetadata(metadata: Fields): Fields {
  return compact({ ...pick(metadata, ['labels']), annotations: nonEmpty(pick(fieldsOf(metadata['annotations']), KEPT_ANNOTATIONS)) });
}

/** Init containers that end again have no say; those that stay are sidecars. */
function trimPodSpec(spec: Fields): Fields {
  const sidecars = listOf(spec['initContainers']).map(fieldsOf).filter((container) => container['restartPolicy'] === 'Always');
  return compact({
    hostNetwork: spec['hostNetwork'] === true ? true : undefined,
    containers: trimContainers(listOf(spec['containers'])),
    initContainers: nonEmptyList(trimContainers(sidecars)),
  });
}

/** Those with ports; the list itself stays, for it tells a template of pods from another one. */
function trimContainers(containers: readonly Json[]): readonly Fields[] {
  const trimmed = containers.map(fieldsOf).map((container) => ({ ...pick(container, ['restartPolicy']), ports: pickEach(container['ports'], ['name', 'containerPort', 'protocol']) }));
  return trimmed.filter(({ ports }) => ports !== undefined).map(compact);
}

/** A pod of the host's network has the node's addresses. */
function trimPodStatus(spec: Fields, status: Fields): Fields | undefined {
  return nonEmpty(pick(status, spec['hostNetwork'] === true ? ['phase', 'podIP', 'podIPs', 'hostIP', 'hostIPs'] : ['phase', 'podIP', 'podIPs']));
}

function trimOperatorSpec(spec: Fields): Fields {
  return compact({
    ...pick(spec, ['replicas', 'shards', 'portName', 'listenLocal', 'hostNetwork', 'serviceMonitorSelector', 'serviceMonitorNamespaceSelector', 'podMonitorSelector', 'podMonitorNamespaceSelector', 'probeSelector', 'scrapeConfigSelector']),
    podMetadata: nonEmpty(pick(fieldsOf(spec['podMetadata']), ['labels'])),
    thanos: spec['thanos'] === undefined ? undefined : {},
  });
}

// --- Values of which nothing is known

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** What is not there, or null, stays away. */
function pick(fields: Fields, keys: readonly string[]): Fields {
  const picked: Record<string, Json> = {};
  for (const key of keys) {
    const value = fields[key];
    if (value !== undefined && value !== null) picked[key] = value;
  }
  return picked;
}

function pickEach(value: Json | undefined, keys: readonly string[]): readonly Fields[] | undefined {
  return nonEmptyList(listOf(value).map((item) => pick(fieldsOf(item), keys)));
}

function compact(fields: Readonly<Record<string, Json | undefined>>): Fields {
  const kept: Record<string, Json> = {};
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value !== undefined && value !== null) kept[key] = value;
  }
  return kept;
}

function nonEmpty(fields: Fields): Fields | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

function nonEmptyList<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
