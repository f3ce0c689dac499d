// The entries of a snapshot out of manifests: what is read of them, with the namespace that they would get.
import type { ReadFile } from '../read/read.ts';
import { createFindingList } from '../read/values/finding-list.ts';
import type { LooseObject } from '../read/values/loose-object.ts';
import { readObjects } from '../read/documents/read-documents.ts';
import { settleOptions } from '../read/values/read-settings.ts';
import { isClusterScoped } from '../read/objects/read-object.ts';
import { isMap } from '../read/text/yaml-value.ts';
import { compareEntries, snapshotEntry, type SnapshotEntry } from './snapshot.ts';
import { trimObject } from './trim-object.ts';

/** The files have been read without errors before; of objects that stand in them twice the first counts, and files before bases. */
export function entriesOfFiles(files: readonly ReadFile[], { defaultNamespace = 'default' }: { readonly defaultNamespace?: string } = {}): readonly SnapshotEntry[] {
  const entries = new Map<string, SnapshotEntry>();
  for (const file of [...files.filter(({ isBase }) => isBase !== true), ...files.filter(({ isBase }) => isBase === true)]) {
    for (const loose of readObjects(file, settleOptions({}), createFindingList())) {
      const entry = entryOf(loose, defaultNamespace);
      if (entry === undefined) continue;
      const key = `${entry.kind}/${entry.namespace}/${entry.name}`;
      if (!entries.has(key)) entries.set(key, entry);
    }
  }
  return [...entries.values()].sort(compareEntries);
}

function entryOf({ value, listKind, listApiVersion }: LooseObject, defaultNamespace: string): SnapshotEntry | undefined {
  if (!isMap(value)) return undefined;
  const kind = value['kind'] ?? listKind;
  const apiVersion = value['apiVersion'] ?? listApiVersion;
  const metadata = isMap(value['metadata']) ? value['metadata'] : {};
  // A Kustomization, an empty List.
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || kind === 'List') return undefined;
  const name = metadata['name'] ?? metadata['generateName'];
  const namespace = isClusterScoped(kind) ? undefined : typeof metadata['namespace'] === 'string' && metadata['namespace'] !== '' ? metadata['namespace'] : defaultNamespace;
  const object = trimObject({ apiVersion, kind }, { ...value, metadata: { ...metadata, ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) } });
  return object === undefined ? undefined : snapshotEntry(object);
}
