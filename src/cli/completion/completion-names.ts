// Names for a command line that is being typed: of the inputs that it names, else of the current cluster. Bounded in time and size; what cannot be had is left out.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endName, type FlowEnd } from '../../flow/flow-record.ts';
import { foldEnd } from '../../flow/fold-end.ts';
import { readFlow } from '../../flow/read-flow.ts';
import type { ServedKind } from '../../kube/cluster-api.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { contextNames } from '../../kube/kube-config.ts';
import { findLab } from '../../lab/lab-state.ts';
import { readLabFlows } from '../../lab/lab-records.ts';
import type { Cluster } from '../../model/cluster.ts';
import { readManifests, sourceFromText } from '../../read/read.ts';
import { listInputs } from '../../input/list-inputs.ts';
import { openFiles } from '../../input/open-files.ts';
import { openSettings } from '../../input/settings-file.ts';
import type { CompletionPoint, NameKind } from './completion-point.ts';

/** Of manifests; more would let somebody wait who only pressed Tab. */
const MANIFEST_BYTES_MAX = 16 << 20;
/** The first of each file of flows. */
const FLOW_BYTES_MAX = 2 << 20;
/** For the answers of a cluster. */
const CLUSTER_MS = 1500;
const PODS_MAX = 5000;

/** Verbs whose flows are those of a lab where no files are named. */
const OF_LAB: ReadonlySet<string> = new Set(['flows', 'denied', 'replay']);

interface Names {
  readonly namespaces: Set<string>;
  /** `namespace/name` of workloads. */
  readonly workloads: Set<string>;
  /** `svc/namespace/name`. */
  readonly services: Set<string>;
  /** Nodes, DNS names and addresses that flows have. */
  readonly others: Set<string>;
}

/** Never fails: an input that cannot be read has no names. */
export async function completionNames(kind: Exclude<NameKind, 'file'>, point: CompletionPoint): Promise<readonly string[]> {
  const { given } = point;
  if (kind === 'context') return attempt(() => contextNames(choiceOf(point)), []);
  const names: Names = { namespaces: new Set(), workloads: new Set(), services: new Set(), others: new Set() };
  const words = await inputWords(point);
  attempt(() => addManifests(names, words), undefined);
  attempt(() => addFlows(names, point), undefined);
  const isNamed = words.length > 0 || names.workloads.size > 0;
  if (given.has('--cluster') || !isNamed) await addCluster(names, point).catch(() => undefined);
  switch (kind) {
    case 'namespace':
      return [...names.namespaces];
    case 'pod':
      return [...names.workloads];
    case 'end':
    case 'target':
      return [...(kind === 'target' ? names.services : []), ...names.workloads, ...[...names.namespaces].flatMap((name) => [`${name}/*`, `namespace=${name}`]), ...names.others, 'internet'];
  }
}

/** What `-f`, `--snapshot`, the paths behind the verb or the settings file name. */
async function inputWords({ given }: CompletionPoint): Promise<readonly string[]> {
  const words = ['--file', '--snapshot', 'PATH'].flatMap((name) => given.get(name) ?? []).filter((word) => word !== '-');
  if (words.length > 0 || given.has('--cluster')) return words;
  const config = given.get('--config')?.[0];
  return (await openSettings(config === undefined ? {} : { config }).catch(() => undefined))?.inputs ?? [];
}

function addManifests(names: Names, words: readonly string[]): void {
  const files = listInputs(words).filter((file) => file.kind === 'file' && sizeOf(file.name) <= MANIFEST_BYTES_MAX);
  let left = MANIFEST_BYTES_MAX;
  const taken = files.filter((file) => (left -= sizeOf(file.name)) >= 0);
  if (taken.length > 0) addClusterNames(names, readManifests(openFiles(taken).readFiles, { lenient: true }).cluster);
}

function addClusterNames({ namespaces, workloads, services }: Names, cluster: Cluster): void {
  for (const { name } of cluster.namespaces) namespaces.add(name);
  for (const { namespace, name } of cluster.services) services.add(`svc/${namespace}/${name}`);
  for (const { workload } of cluster.pods) workloads.add(`${workload.namespace}/${workload.name}`);
}

function addFlows(names: Names, { given, verb }: CompletionPoint): void {
  const files = given.get('--flows') ?? given.get('FLOWS');
  const pid = given.get('--pid')?.[0];
  const texts = files === undefined ? (OF_LAB.has(verb) ? [readLabFlows(findLab(pid === undefined ? undefined : Number(pid)))] : []) : files.filter((file) => file !== '-').map(firstOf);
  for (const line of texts.join('\n').split('\n')) {
    const read = readFlow(line);
    if (read.kind !== 'flow') continue;
    const { source, target, service } = read.record;
    for (const end of [source, target]) addEnd(names, foldEnd(end));
    if (service !== undefined) names.services.add(`svc/${service}`);
  }
}

function addEnd({ namespaces, workloads, others }: Names, end: FlowEnd): void {
  if (end.kind === 'outside') return void others.add(endName(end));
  namespaces.add(end.namespace);
  if (end.isUntold === true) return; // its workload has another name
  workloads.add(endName(end));
}

const NAMESPACES: ServedKind = { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces', isNamespaced: false };
const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };

/** What has come until the time is over. */
async function addCluster(names: Names, point: CompletionPoint): Promise<void> {
  const texts: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLUSTER_MS)));
  await Promise.race([over, listObjects(texts, point).catch(() => undefined)]);
  clearTimeout(timer);
  if (texts.length > 0) addClusterNames(names, readManifests([sourceFromText('cluster', texts.join('\n'))], { lenient: true }).cluster);
}

async function listObjects(texts: string[], point: CompletionPoint): Promise<void> {
  const api = await openKubeApi(choiceOf(point));
  const namespace = point.given.get('--namespace')?.[0];
  const list = async (kind: ServedKind): Promise<void> => {
    for await (const event of api.list(kind, namespace === undefined || !kind.isNamespaced ? {} : { namespace })) {
      if (event.kind === 'object') texts.push(`---\n${JSON.stringify(event.object)}`);
      if (texts.length >= PODS_MAX) return;
    }
  };
  await Promise.all([list(NAMESPACES), list(PODS)]);
}

function choiceOf({ given }: CompletionPoint): { readonly context?: string; readonly kubeconfig?: string } {
  const [context, kubeconfig] = [given.get('--context')?.[0], given.get('--kubeconfig')?.[0]];
  return { ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) };
}

function attempt<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}

function sizeOf(file: string): number {
  return withFile(file, (descriptor) => fstatSync(descriptor).size);
}

function firstOf(file: string): string {
  const buffer = Buffer.alloc(FLOW_BYTES_MAX);
  return withFile(file, (descriptor) => buffer.toString('utf8', 0, readSync(descriptor, buffer)));
}

function withFile<T>(file: string, act: (descriptor: number) => T): T {
  const descriptor = openSync(file, 'r');
  try {
    return act(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
