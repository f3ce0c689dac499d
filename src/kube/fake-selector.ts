// Selectors of objects in the fake, by field and by label: equality, inequality, and whether a label is there.
import { ClusterError } from './cluster-error.ts';
import type { StoredObject } from './cluster-api.ts';

/** Throws ClusterError for a form that the fake does not know. */
export function meetsSelectors(object: StoredObject, { fieldSelector = '', labelSelector = '' }: { readonly fieldSelector?: string; readonly labelSelector?: string }): boolean {
  const labels = object.metadata['labels'] as Readonly<Record<string, string>> | undefined; // as a server stores them
  return partsOf(fieldSelector).every((part) => meetsPart(part, (path) => fieldAt(object, path) ?? '')) && partsOf(labelSelector).every((part) => meetsPart(part, (key) => labels?.[key]));
}

function partsOf(text: string): readonly string[] {
  return text.split(',').filter((part) => part !== '');
}

function meetsPart(part: string, valueOf: (key: string) => string | undefined): boolean {
  const found = /^(!?)([\w./-]+)(?:(!=|==|=)([\w.:/-]*))?$/.exec(part);
  if (found === null) throw new ClusterError('invalid', `unable to parse the selector: ${part}`);
  const [, not, key, operator, wanted] = found;
  const value = valueOf(key!);
  if (operator === undefined) return (value !== undefined) === (not === '');
  return operator === '!=' ? value !== wanted : value === wanted;
}

function fieldAt(object: unknown, path: string): string | undefined {
  let value = object;
  for (const key of path.split('.')) value = typeof value === 'object' && value !== null ? (value as { readonly [field: string]: unknown })[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
