// What `--cluster` and `--snapshot` name: the objects of a cluster, onto which the manifests of `-f` are applied.
import type { Finding } from '../base/finding.ts';
import type { ReadFile } from '../read/read.ts';
import type { ReadCluster } from '../kube/kube.ts';
import type { SnapshotEntry } from '../kube/snapshot.ts';
import { UsageError } from '../terminal/failures.ts';
import type { InputOptions } from './input-options.ts';
import { listInputs } from './list-inputs.ts';
import { openFiles, type OpenedFiles } from './open-files.ts';

export interface BaseOptions extends InputOptions {
  /** Also of a cluster, what says who calls pods. */
  readonly withCallers?: boolean;
}

/** undefined: neither option is given. Fails with ClusterError where the cluster says no. */
export async function openBase(options: BaseOptions): Promise<OpenedFiles | undefined> {
  checkChoice(options);
  if (options.snapshot !== undefined) return openSnapshot(options.snapshot);
  return options.cluster === true ? openCluster(options) : undefined;
}

/** Whether one of the options names a cluster. */
export function hasBase({ cluster, snapshot }: InputOptions): boolean {
  return cluster === true || snapshot !== undefined;
}

/** A plain user's lab has a network of its own, and no way from there to a cluster. */
export function refuseClusterFromInside({ cluster }: InputOptions): void {
  if (cluster !== true) return;
  throw new UsageError('a lab of a plain user cannot call a cluster: it has a network of its own', 'keep it in a file first: bulkhead snapshot --cluster > cluster.json, then --snapshot cluster.json; or run as root');
}

export async function openCluster(options: BaseOptions): Promise<OpenedFiles> {
  const { name, read } = await fetchCluster(options);
  return openedCluster(name, read);
}

/** A cluster that was read, as files. */
export async function openedCluster(name: string, read: ReadCluster): Promise<OpenedFiles> {
  return { ...clusterFiles(name, read.entries), findings: await leftOutFindings(name, read) };
}

/** Loaded here, since the client of a cluster is heavy. */
export async function fetchCluster({ context, kubeconfig, namespace, lenient, withCallers = false }: BaseOptions): Promise<{ readonly name: string; readonly read: ReadCluster }> {
  const [{ openKubeApi }, { readCluster }] = await Promise.all([import('../kube/kube-api.ts'), import('../kube/kube.ts')]);
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const read = await readCluster(api, { ...(namespace === undefined ? {} : { namespace }), ...(lenient === undefined ? {} : { lenient }), withCallers });
  return { name: api.name, read };
}

function checkChoice({ cluster, snapshot, context, kubeconfig, allNamespaces, namespace }: InputOptions): void {
  if (cluster === true && snapshot !== undefined) throw new UsageError('--cluster and --snapshot are two clusters', 'choose one; bulkhead diff compares them');
  if (cluster !== true && (context !== undefined || kubeconfig !== undefined)) throw new UsageError(`${context === undefined ? '--kubeconfig' : '--context'} says which cluster, and no cluster is asked for`, 'add --cluster');
  if (allNamespaces === true && namespace !== undefined) throw new UsageError('-A is every namespace, and -n is one', 'choose one of the two');
}

/** A snapshot is a file like others; findings point into it. */
function openSnapshot(word: string): OpenedFiles {
  const opened = openFiles(listInputs([word]));
  return { ...opened, readFiles: opened.readFiles.map((file): ReadFile => ({ ...file, isBase: true })) };
}

/** Kinds of which there may be very many are one file each; every other object is one, so that a place is an object and a line of it. */
const CROWDED_KINDS: ReadonlySet<string> = new Set(['Pod', 'EndpointSlice', 'Endpoints', 'ReplicaSet', 'Job']);

function clusterFiles(cluster: string, entries: readonly SnapshotEntry[]): OpenedFiles {
  const texts = new Map<string, SnapshotEntry[]>();
  for (const entry of entries) {
    const name = fileName(cluster, entry);
    const known = texts.get(name);
    if (known === undefined) texts.set(name, [entry]);
    else known.push(entry);
  }
  const readFiles = [...texts].map(([name, members]): ReadFile => ({ name, isBase: true, chunks: () => encodeEach(members) }));
  const lineOf = (file: string, line: number): string | undefined => texts.get(file)?.flatMap(({ text }) => text.split('\n'))[line - 1];
  return { readFiles, lineOf };
}

function fileName(cluster: string, { kind, namespace, name }: SnapshotEntry): string {
  if (CROWDED_KINDS.has(kind)) return `cluster ${cluster}, ${kind}`;
  return `cluster ${cluster}, ${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

function* encodeEach(entries: readonly SnapshotEntry[]): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const { text } of entries) yield encoder.encode(`${text}\n`);
}

async function leftOutFindings(cluster: string, { refused, unheard, silentGroups }: ReadCluster): Promise<readonly Finding[]> {
  const { qualifiedResource } = await import('../kube/cluster-api.ts');
  return [
    ...refused.map((kind): Finding => ({
      code: 'not-listed',
      severity: 'warning',
      message: `the cluster ${cluster} does not let this user list ${qualifiedResource(kind)}: the answer is as if there were none`,
      help: 'grant the verbs get and list on it',
    })),
    ...unheard.map((kind): Finding => ({
      code: 'not-listed',
      severity: 'info',
      message: `the cluster ${cluster} does not let this user list ${qualifiedResource(kind)}: whom they let call pods is not known`,
      help: 'grant the verbs get and list on it',
    })),
    ...silentGroups.map((group): Finding => ({
      code: 'not-listed',
      severity: 'info',
      message: `the API group ${group} of the cluster ${cluster} does not answer: what it holds takes no part in the answer`,
      help: 'look at its server with kubectl get apiservices',
    })),
  ];
}
