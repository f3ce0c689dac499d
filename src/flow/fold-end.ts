// Pods of one controller become one end of flows: what names or numbers a single one of them is left out.
import type { Workload } from '../model/cluster.ts';
import type { Labels } from '../model/selector.ts';
import type { FlowEnd, PodEnd } from './flow-record.ts';

/** Labels that controllers give to single pods, or to those of one revision (kubernetes.io, "Well-Known Labels, Annotations and Taints"). */
const OF_ONE_POD = new Set([
  'pod-template-hash', 'controller-revision-hash', 'pod-template-generation', 'statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/job-completion-index', 'controller-uid', 'batch.kubernetes.io/controller-uid',
]);
/** Of a Job that a CronJob made: another one next time. */
const OF_ONE_RUN = new Set(['job-name', 'batch.kubernetes.io/job-name']);

/** A pod without a controller stays one. */
export function foldEnd(end: FlowEnd): FlowEnd {
  if (end.kind === 'outside' || end.workload.kind === 'Pod') return end;
  const workload = foldWorkload(end.workload);
  const isRun = workload !== end.workload;
  const labels = [...end.labels].filter(([key]) => !OF_ONE_POD.has(key) && !(isRun && OF_ONE_RUN.has(key)));
  return { ...end, workload, pod: undefined, labels: new Map(labels) };
}

/** Labels that are no single pod's and no single run's. */
export function lastingLabels({ labels }: PodEnd): Labels {
  return new Map([...labels].filter(([key]) => !OF_ONE_POD.has(key) && !OF_ONE_RUN.has(key)));
}

/** Also over the nodes that they run on. */
export function foldNode(end: FlowEnd): FlowEnd {
  const folded = foldEnd(end);
  if (folded.kind === 'outside' || folded.node === undefined) return folded;
  const { node: _, ...rest } = folded;
  return rest;
}

/** The CronJob controller names its Jobs by the minute of their schedule since 1970 (kubernetes/kubernetes, pkg/controller/cronjob/utils.go). */
function foldWorkload(workload: Workload): Workload {
  const template = workload.kind === 'Job' ? /^(.+)-[0-9]{8,9}$/.exec(workload.name)?.[1] : undefined;
  return template === undefined ? workload : { ...workload, kind: 'CronJob', name: template };
}

/** Labels that the pods of a folded end have with values that nobody wrote down. */
export function unknownKeysOf(end: FlowEnd): ReadonlySet<string> {
  return end.kind === 'pod' && end.pod === undefined ? new Set([...(KEYS_OF_KIND[end.workload.kind] ?? [])].filter((key) => !end.labels.has(key))) : new Set();
}

const KEYS_OF_KIND: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['pod-template-hash'],
  ReplicaSet: ['pod-template-hash'],
  DaemonSet: ['controller-revision-hash', 'pod-template-generation'],
  StatefulSet: ['controller-revision-hash', 'statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index'],
  Job: ['controller-uid', 'batch.kubernetes.io/controller-uid'],
  CronJob: ['controller-uid', 'batch.kubernetes.io/controller-uid', 'job-name', 'batch.kubernetes.io/job-name'],
};
