// What a server answers about its API, in the new form (one document) and in the old one (a document for each group version).
import type { ServedResource } from './served-kinds.ts';

/** Aggregated discovery (Kubernetes 1.27 on as v2beta1, 1.30 as v2); a server that does not know it answers in the old form. */
export const DISCOVERY_ACCEPT: string = ['v2', 'v2beta1'].map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`).concat('application/json').join(',');

export interface Discovered {
  readonly resources: readonly ServedResource[];
  /** Groups of which the server knows that they exist, and nothing more. */
  readonly silentGroups: readonly string[];
}

type Loose = { readonly [key: string]: unknown };

/** undefined: the answer is in the old form. */
export function readAggregated(document: unknown): Discovered | undefined {
  const { kind, items } = fieldsOf(document);
  if (kind !== 'APIGroupDiscoveryList') return undefined;
  const resources: ServedResource[] = [];
  const silentGroups: string[] = [];
  for (const item of listOf(items)) {
    const group = textOf(fieldsOf(fieldsOf(item)['metadata'])['name']);
    for (const entry of listOf(fieldsOf(item)['versions'])) {
      const { version, freshness, resources: served } = fieldsOf(entry);
      const apiVersion = group === '' ? textOf(version) : `${group}/${textOf(version)}`;
      // A stale version's resources are those of the last time that its server answered.
      if (freshness === 'Stale' && listOf(served).length === 0) silentGroups.push(group);
      for (const resource of listOf(served)) resources.push(aggregatedResource(apiVersion, fieldsOf(resource)));
    }
  }
  return { resources, silentGroups };
}

function aggregatedResource(apiVersion: string, { resource, responseKind, scope, verbs }: Loose): ServedResource {
  return { apiVersion, kind: textOf(fieldsOf(responseKind)['kind']), resource: textOf(resource), isNamespaced: scope === 'Namespaced', verbs: listOf(verbs).map(textOf) };
}

/** Of `APIGroupList`: the group versions, of each group the preferred one first. */
export function readGroupVersions(document: unknown): readonly string[] {
  return listOf(fieldsOf(document)['groups']).flatMap((item) => {
    const { preferredVersion, versions } = fieldsOf(item);
    const preferred = textOf(fieldsOf(preferredVersion)['groupVersion']);
    return [preferred, ...listOf(versions).map((version) => textOf(fieldsOf(version)['groupVersion']))].filter((version, index, all) => version !== '' && all.indexOf(version) === index);
  });
}

/** Of `APIResourceList`. */
export function readResourceList(apiVersion: string, document: unknown): readonly ServedResource[] {
  return listOf(fieldsOf(document)['resources']).map((item) => {
    const { name, kind, namespaced, verbs } = fieldsOf(item);
    return { apiVersion, kind: textOf(kind), resource: textOf(name), isNamespaced: namespaced === true, verbs: listOf(verbs).map(textOf) };
  });
}

function fieldsOf(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
