// What somebody may not do in a cluster, as the one rule that would let him.
import type { ClusterApi, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';

export interface MissingRight {
  /** undefined: the server did not say. */
  readonly user: string | undefined;
  readonly verb: string;
  /** `networkpolicies.networking.k8s.io`. */
  readonly resource: string;
  readonly namespace: string | undefined;
}

/** Of the words of a server (`kube-apiserver`, RBAC); undefined: it is no such answer. */
export function readMissingRight(error: unknown): MissingRight | undefined {
  if (!(error instanceof ClusterError) || error.code !== 'forbidden') return undefined;
  const found = /User "([^"]+)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(error.message);
  if (found === null) return undefined;
  const [, user, verb, resource, group, namespace] = found;
  return { user, verb: verb!, resource: group === '' ? resource! : `${resource}.${group}`, namespace };
}

const REVIEW: ServedKind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', resource: 'selfsubjectaccessreviews', isNamespaced: false };

/** What it takes to keep the history of releases in a namespace, and to lock one. */
const KEEPING = [
  { group: '', resource: 'configmaps' },
  { group: 'coordination.k8s.io', resource: 'leases' },
] as const;

/** Asked beforehand, for a dry run of a change needs an object. A server that takes no such questions is believed to grant it. */
export async function missingToKeep(api: Pick<ClusterApi, 'create'>, namespace: string): Promise<readonly MissingRight[]> {
  const missing: MissingRight[] = [];
  for (const { group, resource } of KEEPING) {
    for (const verb of ['get', 'list', 'create', 'update', 'delete']) {
      const spec = { resourceAttributes: { namespace, verb, group, resource } };
      const answer = await api.create(REVIEW, { apiVersion: REVIEW.apiVersion, kind: REVIEW.kind, spec }).catch(unlessUnknown);
      const { allowed } = (answer?.['status'] ?? {}) as { readonly allowed?: unknown };
      if (allowed === false) missing.push({ user: undefined, verb, resource: group === '' ? resource : `${resource}.${group}`, namespace });
    }
  }
  return missing;
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof ClusterError && (error.code === 'not-found' || error.code === 'invalid' || error.code === 'forbidden')) return undefined;
  throw error;
}

/** The same failure in words that say what to grant, where it is a right that is missing. */
export async function sayingRights<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    const right = readMissingRight(error);
    throw right === undefined ? error : missingRightsError([right], error);
  }
}

/** One failure for all of them, with the commands that grant it. */
export function missingRightsError(rights: readonly MissingRight[], cause?: unknown): ClusterError {
  const user = rights.find((right) => right.user !== undefined)?.user;
  const named = [...Map.groupBy(rights, ({ resource, namespace }) => `${resource}${namespace === undefined ? '' : ` in ${namespace}`}`)].map(([what, own]) => `${[...new Set(own.map(({ verb }) => verb))].join(', ')} ${what}`);
  const commands = [...Map.groupBy(rights, ({ namespace, resource }) => `${namespace ?? ''} ${resource}`).values()].map((own) => grant(own, user));
  return new ClusterError('forbidden', `${user === undefined ? 'this user' : `\`${user}\``} may not ${named.join('; ')}: nothing was written`, { help: `grant it: ${commands.join('; ')}`, cause });
}

function grant(rights: readonly MissingRight[], user: string | undefined): string {
  const { namespace, resource } = rights[0]!;
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user ?? '');
  const subject = account === null ? `--user=${user ?? 'YOU'}` : `--serviceaccount=${account[1]}:${account[2]}`;
  const [role, place] = namespace === undefined ? ['clusterrole', ''] : ['role', ` -n ${namespace}`];
  const name = `bulkhead-apply-${resource.split('.')[0]}`;
  return `kubectl create ${role} ${name}${place} --verb=${[...new Set(rights.map(({ verb }) => verb))].join(',')} --resource=${resource} && kubectl create ${role}binding ${name}${place} --${role}=${name} ${subject}`;
}
