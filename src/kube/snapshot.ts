// A snapshot: all objects of a cluster that have a say, as one JSON List; the same cluster gives the same bytes.
import { compareText } from '../base/finding.ts';
import { isPolicyKind } from '../read/values/kinds.ts';
import type { ClusterObject, Json } from './cluster-api.ts';

/** One object as the snapshot writes it, kept as text: it takes a fraction of the memory. */
export interface SnapshotEntry {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly text: string;
}

export function snapshotEntry(object: ClusterObject): SnapshotEntry {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name, text: objectText(object) };
}

export function compareEntries(a: SnapshotEntry, b: SnapshotEntry): number {
  return compareText(a.apiVersion, b.apiVersion) || compareText(a.kind, b.kind) || compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** Pieces of the text; `entries` are sorted. */
export function* snapshotText(entries: readonly SnapshotEntry[]): Generator<string> {
  yield '{"apiVersion":"v1","kind":"List","items":[';
  let isFirst = true;
  for (const { text } of entries) {
    yield isFirst ? '\n' : ',\n';
    yield text;
    isFirst = false;
  }
  yield '\n]}\n';
}

/** Policies over many lines, since findings and explanations point into them; of everything else, a line for each object. */
function objectText(object: ClusterObject): string {
  return JSON.stringify(sorted(object), undefined, isPolicyKind(object.kind) ? 2 : undefined);
}

/** Servers keep the order of keys in none of their maps. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const map = value as { readonly [key: string]: Json };
  return Object.fromEntries(Object.keys(map).sort(compareText).map((key) => [key, sorted(map[key]!)]));
}
