// Where on an API server the objects of a kind are: the paths of its requests.
import type { ListOptions, ObjectPlace, ServedKind, WatchOptions } from './cluster-api.ts';

type Query = Readonly<Record<string, string | undefined>>;

export function versionPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** All objects of the kind, or of the kind in a namespace; what is undefined stays away. */
export function kindPath({ apiVersion, resource, isNamespaced }: ServedKind, { namespace }: ListOptions, query: Query = {}): string {
  const scope = isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return withQuery(`${versionPath(apiVersion)}${scope}/${resource}`, query);
}

export function objectPath({ served, namespace, name }: ObjectPlace, subresource?: 'status'): string {
  const path = `${kindPath(served, namespace === undefined ? {} : { namespace })}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Which of a kind's objects a watch asks for, however it asks. */
export function watchedScope(kind: ServedKind, { namespace, fieldSelector, labelSelector }: WatchOptions): Query {
  // Who may read one namespace watches it by its name.
  const ofOne = kind.kind === 'Namespace' && kind.apiVersion === 'v1' && namespace !== undefined ? `metadata.name=${namespace}` : undefined;
  const fields = [ofOne, fieldSelector].filter((selector) => selector !== undefined && selector !== '').join(',');
  return { fieldSelector: fields === '' ? undefined : fields, labelSelector: labelSelector === '' ? undefined : labelSelector };
}

export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}
