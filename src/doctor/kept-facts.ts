// The facts of a cluster as an object of a snapshot, and back out of it.
import * as v from 'valibot';
import type { SnapshotEntry } from '../kube/snapshot.ts';
import type { ClusterFacts } from './facts.ts';

const API_VERSION = 'bulkhead.dev/v1alpha1';
const KIND = 'ClusterFacts';
const NAME = 'engines';

export function factsEntry(facts: ClusterFacts): SnapshotEntry {
  const { takenAt: _, ...kept } = facts;
  // The same cluster gives the same bytes: no time in it.
  return { apiVersion: API_VERSION, kind: KIND, namespace: '', name: NAME, text: JSON.stringify({ apiVersion: API_VERSION, kind: KIND, metadata: { name: NAME }, facts: sorted(kept) }) };
}

/** undefined: it has none, or none that can be read. A snapshot is a JSON List. */
export function factsInSnapshot(text: string): ClusterFacts | undefined {
  const items = itemsOf(text);
  for (const item of items) {
    const parsed = v.safeParse(ENTRY, item);
    if (parsed.success) return { takenAt: '', ...parsed.output.facts };
  }
  return undefined;
}

function itemsOf(text: string): readonly unknown[] {
  try {
    const list = JSON.parse(text) as { readonly items?: unknown } | null; // looked at here
    return Array.isArray(list?.items) ? list.items : [];
  } catch {
    return [];
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sorted(field)]));
}

const texts = v.record(v.string(), v.string());
const container = v.object({ name: v.string(), image: v.string(), arguments: texts, env: texts });
const counts = v.record(v.string(), v.number());
const FACTS: v.GenericSchema<unknown, Omit<ClusterFacts, 'takenAt'>> = v.object({
  nodes: v.array(v.object({ name: v.string(), labels: texts, annotations: texts, os: v.string(), kernelVersion: v.string(), kubeletVersion: v.string(), providerId: v.string(), isReady: v.boolean(), isSchedulable: v.boolean() })),
  daemonSets: v.array(v.object({ namespace: v.string(), name: v.string(), containers: v.array(container), desired: v.number(), ready: v.number() })),
  pods: v.array(v.object({ namespace: v.string(), name: v.string(), daemonSet: v.string(), node: v.string(), isReady: v.boolean(), containers: v.array(container) })),
  deployments: v.array(v.object({ namespace: v.string(), name: v.string(), containers: v.array(container) })),
  configMaps: v.array(v.object({ namespace: v.string(), name: v.string(), values: texts })),
  objects: v.array(v.object({ kind: v.string(), name: v.string(), values: texts })),
  served: v.record(v.string(), v.picklist(['some', 'empty'])),
  reports: v.record(v.string(), v.object({ standing: v.picklist(['ready', 'not-ready', 'silent']), isEnforcing: v.boolean(), version: v.string(), troubles: v.array(v.string()), audits: v.optional(v.array(v.string()), []) })),
  policies: counts,
  temporary: v.optional(v.array(v.object({ kind: v.string(), namespace: v.string(), name: v.string(), expires: v.string() })), []),
  unread: v.array(v.object({ verb: v.picklist(['get', 'list']), resource: v.string(), namespace: v.exactOptional(v.string()), name: v.exactOptional(v.string()), why: v.string() })),
});
const ENTRY = v.object({ apiVersion: v.literal(API_VERSION), kind: v.literal(KIND), facts: FACTS });
