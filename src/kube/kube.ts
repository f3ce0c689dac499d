// Reads a cluster through `ClusterApi`: all objects that decide about traffic, whoever serves them, or says which it may not read.
import { compareText } from '../base/finding.ts';
import { WordError } from '../base/word-error.ts';
import { qualifiedResource, type ClusterApi, type ServedKind } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import { compareKinds } from './served-kinds.ts';
import { compareEntries, snapshotEntry, type SnapshotEntry } from './snapshot.ts';

export interface ReadClusterOptions {
  /** Only this namespace, with what of the whole cluster decides about it. */
  readonly namespace?: string;
  /** Leaves out what may not be read, in place of failing; the result names it. */
  readonly lenient?: boolean;
  /** Besides, the kinds that say who calls pods, as far as they may be listed. */
  readonly withCallers?: boolean;
}

export interface ReadCluster {
  /** Sorted. */
  readonly entries: readonly SnapshotEntry[];
  /** Kinds that the cluster does not let this user list; empty unless lenient. */
  readonly refused: readonly ServedKind[];
  /** Kinds that say who calls pods and that may not be listed. Sorted. */
  readonly unheard: readonly ServedKind[];
  /** API groups whose server does not answer; none that policies are known to live in. */
  readonly silentGroups: readonly string[];
}

/** Lists that go on at the same time. */
const LISTS_AT_ONCE = 4;

/**
 * The lists are made one after another, so what changes meanwhile may be seen half. Fails with ClusterError; what may not
 * be listed is one failure that names all of it and says how to grant it.
 */
export async function readCluster(api: ClusterApi, { namespace, lenient = false, withCallers = false }: ReadClusterOptions = {}): Promise<ReadCluster> {
  const { kinds, callers, silentGroups } = await api.discover();
  const entries: SnapshotEntry[] = [];
  const refusals: Refusal[] = [];
  await eachAtOnce(kinds, LISTS_AT_ONCE, async (kind) => {
    const listed = await listKind(api, kind, namespace);
    if (listed.kind === 'refused') refusals.push({ served: kind, error: listed.error });
    else for (const entry of listed.entries) entries.push(entry);
  });
  const unheard: ServedKind[] = [];
  await eachAtOnce(withCallers ? callers : [], LISTS_AT_ONCE, async (kind) => {
    const listed = await listKind(api, kind, namespace);
    if (listed.kind === 'refused') unheard.push(kind);
    else for (const entry of listed.entries) entries.push(entry);
  });
  refusals.sort((a, b) => compareText(qualifiedResource(a.served), qualifiedResource(b.served)));
  if (refusals.length > 0 && !lenient) throw refusalError(api, refusals, namespace);
  return { entries: entries.sort(compareEntries), refused: refusals.map(({ served }) => served), unheard: unheard.sort(compareKinds), silentGroups };
}

interface Refusal {
  readonly served: ServedKind;
  readonly error: ClusterError;
}

type ListedKind = { readonly kind: 'listed'; readonly entries: readonly SnapshotEntry[] } | { readonly kind: 'refused'; readonly error: ClusterError };

async function listKind(api: ClusterApi, kind: ServedKind, namespace: string | undefined): Promise<ListedKind> {
  let entries: SnapshotEntry[] = [];
  try {
    for await (const event of api.list(kind, namespace === undefined ? {} : { namespace })) {
      if (event.kind === 'restart') entries = [];
      else entries.push(snapshotEntry(event.object));
    }
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'forbidden') return { kind: 'refused', error };
    if (error instanceof ClusterError && error.code === 'not-found' && kind.kind === 'Namespace') {
      throw new WordError(`there is no namespace \`${namespace}\` in the cluster ${api.name}`, 'kubectl get namespaces lists them');
    }
    throw error;
  }
  return { kind: 'listed', entries };
}

function refusalError(api: ClusterApi, refusals: readonly Refusal[], namespace: string | undefined): ClusterError {
  const resources = refusals.map(({ served }) => qualifiedResource(served));
  const user = /User "([^"]+)"/.exec(refusals[0]!.error.message)?.[1];
  const scope = namespace === undefined ? '' : ` of the namespace ${namespace}, or of the whole cluster`;
  return new ClusterError('forbidden', `${user === undefined ? 'this user' : `\`${user}\``} may not list ${resources.join(', ')}${scope} in the cluster ${api.name}, and without them the answer could be wrong`, {
    help: `grant it: kubectl create clusterrole bulkhead-read --verb=get,list --resource=${resources.join(',')} && kubectl create clusterrolebinding bulkhead-read --clusterrole=bulkhead-read ${subjectWords(user)}; or leave them out with --lenient`,
    cause: refusals[0]!.error,
  });
}

/** `system:serviceaccount:NAMESPACE:NAME` is how the server calls a service account. */
function subjectWords(user: string | undefined): string {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user ?? '');
  return account === null ? `--user=${user ?? 'YOU'}` : `--serviceaccount=${account[1]}:${account[2]}`;
}

/** The first failure ends it; what is going on then is left to end by itself. */
async function eachAtOnce<T>(items: readonly T[], atOnce: number, act: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let isFailed = false;
  const work = async (): Promise<void> => {
    while (next < items.length && !isFailed) {
      try {
        await act(items[next++]!);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
}
