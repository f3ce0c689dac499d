// Writes objects to a real API server the way the tests want it: strictly validated, one request each.
import { groupOf, type WantedObject } from '../../src/kube/cluster-api.ts';
import type { Connection } from '../../src/kube/kube-config.ts';
import { AnswerError, askServer, type KubeRequest } from '../../src/kube/kube-request.ts';
import { REAL_PACING, withRetries } from '../../src/kube/retry.ts';

const RESOURCES: Readonly<Record<string, readonly [name: string, isNamespaced: boolean]>> = {
  Namespace: ['namespaces', false],
  Node: ['nodes', false],
  Pod: ['pods', true],
  NetworkPolicy: ['networkpolicies', true],
  ClusterNetworkPolicy: ['clusternetworkpolicies', false],
  AdminNetworkPolicy: ['adminnetworkpolicies', false],
  BaselineAdminNetworkPolicy: ['baselineadminnetworkpolicies', false],
  StagedPolicy: ['stagedpolicies', true],
  StagedClusterPolicy: ['stagedclusterpolicies', false],
  NodeEnforcement: ['nodeenforcements', false],
};

/** Makes the object, or puts it in place of the one of its name. */
export async function applyObject(connection: Connection, object: WantedObject): Promise<void> {
  const body = { type: 'application/json', text: JSON.stringify(object) };
  try {
    await askServer(connection, { path: `${pathOf(object)}?fieldValidation=Strict`, method: 'POST', body });
  } catch (error) {
    const isThere = error instanceof AnswerError && error.status === 409;
    if (!isThere) throw error;
    await askServer(connection, { path: `${pathOf(object)}/${object.metadata.name}?fieldValidation=Strict`, method: 'PUT', body });
  }
}

export async function deleteObject(connection: Connection, object: WantedObject): Promise<void> {
  await askServer(connection, { path: `${pathOf(object)}/${object.metadata.name}`, method: 'DELETE' });
}

/** Whether the server would take the text, as it is written: undefined, or what it says against it. */
export async function refusalOf(connection: Connection, object: Pick<WantedObject, 'apiVersion' | 'kind' | 'metadata'>, text: string): Promise<string | undefined> {
  const request: KubeRequest = { path: `${pathOf(object)}?dryRun=All&fieldValidation=Strict`, method: 'POST', body: { type: 'application/yaml', text } };
  try {
    await withRetries(() => askServer(connection, request), (error) => (isRefusal(error) ? undefined : 0), REAL_PACING);
    return undefined;
  } catch (error) {
    if (isRefusal(error)) return error.message;
    throw error;
  }
}

/** What a server that is busy or gone answers says nothing about the text. */
function isRefusal(error: unknown): error is AnswerError {
  return error instanceof AnswerError && REFUSING_STATUSES.has(error.status);
}

const REFUSING_STATUSES: ReadonlySet<number> = new Set([400, 413, 415, 422]);

function pathOf({ apiVersion, kind, metadata: { namespace = 'default' } }: Pick<WantedObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  const [name, isNamespaced] = RESOURCES[kind] ?? [`${kind.toLowerCase()}s`, true];
  const root = groupOf(apiVersion) === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  return `${root}${isNamespaced ? `/namespaces/${namespace}` : ''}/${name}`;
}
