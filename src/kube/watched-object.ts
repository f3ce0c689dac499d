// An object as a watch tells it: trimmed, and with what tells which object and which state of it it is.
import type { ClusterObject, ServedKind } from './cluster-api.ts';
import { trimObject } from './trim-object.ts';

/** undefined: it has no name. */
export function watchedObject(kind: Pick<ServedKind, 'apiVersion' | 'kind'>, object: unknown): ClusterObject | undefined {
  const trimmed = trimObject(kind, object);
  if (trimmed === undefined) return undefined;
  const { metadata } = object as { readonly metadata: { readonly [field: string]: unknown } }; // it has a name
  return { ...trimmed, metadata: { ...trimmed.metadata, ...textField(metadata, 'uid'), ...textField(metadata, 'resourceVersion'), ...(typeof metadata['generation'] === 'number' ? { generation: metadata['generation'] } : {}) } };
}

function textField(metadata: { readonly [field: string]: unknown }, name: string): { readonly [field: string]: string } {
  const value = metadata[name];
  return typeof value === 'string' ? { [name]: value } : {};
}
