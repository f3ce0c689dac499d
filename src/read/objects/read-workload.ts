// Reads controllers (Deployment, Job …) as the pods that they make, with the labels that the controllers add.
import type { ContainerPort, Pod, Workload } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import type { Labels } from '../../model/selector.ts';
import { readInteger, readMap, readText, REFUSED } from '../values/loose-value.ts';
import type { NamedObject } from '../values/named-object.ts';
import { originOf, remark, type ObjectContext } from '../values/object-context.ts';
import { podLabelsOf, type OperatorKind } from '../values/operator-kinds.ts';
import { readLabels, type LabelCache } from '../values/read-labels.ts';
import { readPodTemplate, type PodTemplate } from './read-pod-spec.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

/** Pods of one StatefulSet or indexed Job that are told apart; the rest are one entry whose number is not known. */
export const INDEXED_PODS_MAX = 1000;

export function readWorkload(context: ObjectContext, cache: LabelCache, object: NamedObject): readonly Pod[] {
  const specPath = [...object.path, 'spec'];
  const spec = readMap(context, object.map['spec'], specPath);
  if (spec === REFUSED) return [];
  const pods = PODS_OF_KIND[object.kind] ?? podsOfOther;
  return pods({ context, cache, object, spec: spec ?? {}, specPath });
}

interface Reading {
  readonly context: ObjectContext;
  readonly cache: LabelCache;
  readonly object: NamedObject;
  readonly spec: LooseMap;
  readonly specPath: Path;
}

// Labels that each controller sets on its pods: kubernetes/api `well-known-labels` and each controller's page.
const PODS_OF_KIND: Readonly<Record<string, (reading: Reading) => readonly Pod[]>> = {
  Deployment: (reading) => [alikePods(reading, templateOf(reading), ['pod-template-hash'])],
  ReplicaSet: (reading) => [alikePods(reading, templateOf(reading), [])],
  ReplicationController: (reading) => [alikePods(reading, templateOf(reading), [])],
  // The number of nodes is known when everything has been read.
  DaemonSet: (reading) => [alikePods(reading, templateOf(reading), ['controller-revision-hash', 'pod-template-generation'], 1)],
  StatefulSet: podsOfStatefulSet,
  Job: (reading) => podsOfJob(reading, templateOf(reading), reading.object.name),
  CronJob: podsOfCronJob,
};

function podsOfOther(reading: Reading): readonly Pod[] {
  return [alikePods(reading, templateOf(reading), [])];
}

function templateOf({ context, cache, spec, specPath }: Reading): PodTemplate {
  return readPodTemplate(context, cache, spec['template'], [...specPath, 'template']);
}

/** Pods that nothing tells apart, as one entry. */
function alikePods(reading: Reading, template: PodTemplate, unknownKeys: readonly string[], replicas = replicasOf(reading, 'replicas')): Pod {
  return makePod(reading, template, { name: reading.object.name, replicas, labels: template.labels, unknownKeys });
}

/** Missing is 1, and nothing counts as 1. */
function replicasOf({ context, spec, specPath }: Reading, field: string): number {
  const replicas = readInteger(context, spec[field], [...specPath, field]);
  return replicas === undefined || replicas === REFUSED ? 1 : Math.max(replicas, 1);
}

interface PodParts {
  readonly name: string;
  readonly replicas: number;
  readonly labels: Labels;
  readonly unknownKeys: readonly string[];
}

function makePod({ context, object }: Reading, template: Pick<PodTemplate, 'ports' | 'hostNetwork'>, parts: PodParts): Pod {
  const workload: Workload = { kind: object.kind, namespace: object.namespace, name: object.name };
  return {
    namespace: object.namespace,
    name: parts.name,
    workload,
    replicas: parts.replicas,
    labels: parts.labels,
    unknownKeys: new Set(parts.unknownKeys.filter((key) => !parts.labels.has(key))),
    ports: template.ports,
    hostNetwork: template.hostNetwork,
    addresses: [],
    nodeName: undefined,
    origin: originOf(context, object.path),
  };
}

function podsOfStatefulSet(reading: Reading): readonly Pod[] {
  const { context, spec, specPath, object } = reading;
  const ordinals = readMap(context, spec['ordinals'], [...specPath, 'ordinals']);
  const start = ordinals === undefined || ordinals === REFUSED ? 0 : readInteger(context, ordinals['start'], [...specPath, 'ordinals', 'start']);
  return indexedPods(reading, templateOf(reading), {
    name: object.name,
    count: replicasOf(reading, 'replicas'),
    start: typeof start === 'number' ? start : 0,
    indexLabel: 'apps.kubernetes.io/pod-index',
    nameLabel: 'statefulset.kubernetes.io/pod-name',
    labels: [],
    unknownKeys: ['controller-revision-hash'],
  });
}

interface IndexedPods {
  readonly name: string;
  readonly count: number;
  readonly start: number;
  readonly indexLabel: string;
  /** Holds the pod's name; undefined where the name is not known. */
  readonly nameLabel: string | undefined;
  readonly labels: readonly (readonly [string, string])[];
  readonly unknownKeys: readonly string[];
}

/** Pods that each have a number in their labels, so that a selector can tell them apart. */
function indexedPods(reading: Reading, template: PodTemplate, indexed: IndexedPods): readonly Pod[] {
  const told = Math.min(indexed.count, INDEXED_PODS_MAX);
  const pods = Array.from({ length: told }, (_, offset) => indexedPod(reading, template, indexed, indexed.start + offset));
  const rest = indexed.count - told;
  if (rest === 0) return pods;
  remark(reading.context, reading.object.path, 'too-many-pods', 'warning', `of ${indexed.count} pods only the first ${told} are told apart; what a policy says of the others by name or index is not judged`);
  const keys = [indexed.indexLabel, ...(indexed.nameLabel === undefined ? [] : [indexed.nameLabel]), ...indexed.unknownKeys];
  return [...pods, makePod(reading, template, { name: indexed.name, replicas: rest, labels: withLabels(template.labels, indexed.labels), unknownKeys: keys })];
}

function indexedPod(reading: Reading, template: PodTemplate, indexed: IndexedPods, index: number): Pod {
  const name = `${indexed.name}-${index}`;
  const nameLabels: [string, string][] = indexed.nameLabel === undefined ? [] : [[indexed.nameLabel, name]];
  const labels = withLabels(template.labels, [...indexed.labels, ...nameLabels, [indexed.indexLabel, String(index)]]);
  return makePod(reading, template, { name, replicas: 1, labels, unknownKeys: indexed.unknownKeys });
}

function withLabels(labels: Labels, added: readonly (readonly [string, string])[]): Labels {
  return new Map([...labels, ...added]);
}

const JOB_UNKNOWN_KEYS = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
const JOB_NAME_KEYS = ['job-name', 'batch.kubernetes.io/job-name'];

/** `jobName` is undefined for a CronJob, whose Jobs get names of their own. */
function podsOfJob(reading: Reading, template: PodTemplate, jobName: string | undefined): readonly Pod[] {
  const { context, spec, specPath, object } = reading;
  const labels = jobName === undefined ? [] : JOB_NAME_KEYS.map((key) => [key, jobName] as const);
  const unknownKeys = jobName === undefined ? [...JOB_UNKNOWN_KEYS, ...JOB_NAME_KEYS] : JOB_UNKNOWN_KEYS;
  if (readText(context, spec['completionMode'], [...specPath, 'completionMode']) === 'Indexed') {
    const count = replicasOf(reading, 'completions');
    return indexedPods(reading, template, { name: object.name, count, start: 0, indexLabel: 'batch.kubernetes.io/job-completion-index', nameLabel: undefined, labels, unknownKeys });
  }
  const replicas = replicasOf(reading, 'parallelism');
  return [makePod(reading, template, { name: object.name, replicas, labels: withLabels(template.labels, labels), unknownKeys })];
}

function podsOfCronJob(reading: Reading): readonly Pod[] {
  const { context, spec, specPath } = reading;
  const jobPath = [...specPath, 'jobTemplate'];
  const job = readMap(context, spec['jobTemplate'], jobPath);
  if (job === undefined || job === REFUSED) return [];
  const jobSpec = readMap(context, job['spec'], [...jobPath, 'spec']);
  if (jobSpec === undefined || jobSpec === REFUSED) return [];
  const inner: Reading = { ...reading, spec: jobSpec, specPath: [...jobPath, 'spec'] };
  return podsOfJob(inner, templateOf(inner), undefined);
}

/** Pods that an operator makes of its custom resource. */
export function readOperatorPods(context: ObjectContext, cache: LabelCache, object: NamedObject, operator: OperatorKind): readonly Pod[] {
  const specPath = [...object.path, 'spec'];
  const read = readMap(context, object.map['spec'], specPath);
  const spec = read === undefined || read === REFUSED ? {} : read;
  const reading: Reading = { context, cache, object, spec, specPath };
  const own = readLabels(context, cache, podLabelsOf(spec) as Value, [...specPath, 'podMetadata', 'labels']);
  const template = { ports: operator.ports(spec) satisfies readonly ContainerPort[], hostNetwork: spec['hostNetwork'] === true };
  const shards = operator.hasShards ? Math.min(replicasOf(reading, 'shards'), INDEXED_PODS_MAX) : 1;
  const pods: Pod[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const labels = withLabels(own, Object.entries(operator.labels(object.name, shard)));
    pods.push(
      ...indexedPods(reading, { ...template, labels }, {
        name: operator.statefulSetName(object.name, shard),
        count: replicasOf(reading, 'replicas'),
        start: 0,
        indexLabel: 'apps.kubernetes.io/pod-index',
        nameLabel: 'statefulset.kubernetes.io/pod-name',
        labels: [],
        unknownKeys: ['controller-revision-hash', ...operator.unknownKeys],
      }),
    );
  }
  return pods;
}
