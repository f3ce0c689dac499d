// Which pods ask the API server: those whose service account somebody gave rights to.
import type { ClusterApi, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { SnapshotEntry } from '../kube/snapshot.ts';

const BINDINGS: readonly ServedKind[] = [
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', resource: 'clusterrolebindings', isNamespaced: false },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', resource: 'rolebindings', isNamespaced: true },
];

interface Subject {
  readonly kind?: unknown;
  readonly name?: unknown;
  readonly namespace?: unknown;
}

/** As `namespace/name` of pods. undefined: this user may not list who was given rights. The account `default` counts only where it was given some. */
export async function findApiCallers(api: Pick<ClusterApi, 'list'>, entries: readonly SnapshotEntry[]): Promise<ReadonlySet<string> | undefined> {
  const accounts = await accountsWithRights(api);
  if (accounts === undefined) return undefined;
  const pods = entries.filter(({ kind, apiVersion }) => kind === 'Pod' && apiVersion === 'v1');
  return new Set(pods.filter((pod) => accounts.has(`${pod.namespace}/${accountOf(pod)}`)).map(({ namespace, name }) => `${namespace}/${name}`));
}

function accountOf({ text }: SnapshotEntry): string {
  const { spec } = JSON.parse(text) as { readonly spec?: { readonly serviceAccountName?: string } }; // as `trimObject` wrote it
  return spec?.serviceAccountName ?? 'default';
}

async function accountsWithRights(api: Pick<ClusterApi, 'list'>): Promise<ReadonlySet<string> | undefined> {
  const accounts = new Set<string>();
  try {
    for (const kind of BINDINGS) {
      for await (const event of api.list(kind)) {
        if (event.kind !== 'object') continue;
        for (const { kind: what, name, namespace } of (event.object['subjects'] ?? []) as readonly Subject[]) if (what === 'ServiceAccount') accounts.add(`${String(namespace)}/${String(name)}`);
      }
    }
  } catch (error) {
    if (error instanceof ClusterError && (error.code === 'forbidden' || error.code === 'not-found')) return undefined;
    throw error;
  }
  return accounts;
}
