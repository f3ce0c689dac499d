// What is kept of a release: each revision in a ConfigMap of its own, small and whole, so that it can be resumed and taken back.
import * as v from 'valibot';
import type { ObjectPlace, ServedKind, StoredObject, WantedObject } from '../kube/cluster-api.ts';
import { ReleaseError } from './release-error.ts';
import { placeOfObject } from './release-object.ts';

export const CONFIG_MAP: ServedKind = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps', isNamespaced: true };

/** Of `gaps`: beyond it none are kept. */
const GAPS_MAX = 5000;

/** On everything that we write for a release. */
export const RELEASE_LABEL = 'bulkhead.dev/release';
const REVISION_LABEL = 'bulkhead.dev/revision';

/** Of the packed record; an API server takes 1 MiB of one ConfigMap. */
const PACKED_BYTES_MAX = 700_000;

/**
 * `writing`: begun, and not at its end. `written`: all of it is in the API server. `failed`: written, and then it did not do
 * what it should. `rolled-back`: taken away again. `resumed`: broken off, and a later revision went on from there.
 */
export const STATES = ['writing', 'written', 'failed', 'rolled-back', 'resumed'] as const;
export type ReleaseState = (typeof STATES)[number];

const named = v.looseObject({ apiVersion: v.string(), kind: v.string(), metadata: v.looseObject({ name: v.string(), namespace: v.optional(v.string()) }) });
const recordSchema = v.object({
  version: v.literal(1),
  release: v.string(),
  revision: v.number(),
  action: v.picklist(['apply', 'rollback']),
  /** ISO 8601. */
  at: v.string(),
  reason: v.optional(v.string()),
  expires: v.optional(v.string()),
  undoes: v.optional(v.number()),
  changes: v.array(v.object({ before: v.nullable(named), after: v.nullable(named), object: v.optional(named) })),
  members: v.array(named),
  helpers: v.array(named),
  gaps: v.optional(v.array(v.string())),
});

export interface RecordedChange {
  /** As its authors had it; null: it was not there. */
  readonly before: WantedObject | null;
  /** As the server answered; null: it was taken away. */
  readonly after: WantedObject | null;
  /** Where both are null: what a revision that broke off had made, and this one takes away. */
  readonly object?: NamedObject | undefined;
}

export function placeOfChange({ before, after, object }: RecordedChange): ObjectPlace {
  return placeOfObject((before ?? after ?? object)!); // one of the three is there
}

export type NamedObject = Pick<WantedObject, 'apiVersion' | 'kind' | 'metadata'>;

export interface ReleaseRecord {
  readonly version: 1;
  readonly release: string;
  /** 1 and up. */
  readonly revision: number;
  readonly action: 'apply' | 'rollback';
  readonly at: string;
  readonly reason?: string | undefined;
  /** Until then it stands. */
  readonly expires?: string | undefined;
  /** Of a rollback, the revision that it takes back. */
  readonly undoes?: number | undefined;
  readonly changes: readonly RecordedChange[];
  /** All that belongs to the release behind it. */
  readonly members: readonly NamedObject[];
  /** Policies that stand only while it is written. */
  readonly helpers: readonly NamedObject[];
  /** What was amiss behind it: workloads that no policy governs, policies that select nothing, in words that stay the same. undefined: not kept. */
  readonly gaps?: readonly string[] | undefined;
}

/** What is kept of them: all or none. */
export function keptGaps(gaps: readonly string[]): Pick<ReleaseRecord, 'gaps'> {
  return gaps.length > GAPS_MAX ? {} : { gaps };
}

export interface KeptRelease {
  readonly record: ReleaseRecord;
  readonly state: ReleaseState;
  readonly stored: StoredObject;
}

export function recordName(release: string, revision: number): string {
  return `bulkhead-release-${release}.${revision}`;
}

export function recordPlace(namespace: string, release: string, revision: number): ObjectPlace {
  return { served: CONFIG_MAP, namespace, name: recordName(release, revision) };
}

export function placesOf(objects: readonly NamedObject[]): readonly ObjectPlace[] {
  return objects.map(placeOfObject);
}

/** Throws ReleaseError where it is larger than a cluster keeps. */
export async function recordObject(namespace: string, record: ReleaseRecord, state: ReleaseState): Promise<WantedObject> {
  const packed = await packFitting(record);
  if (packed.length > PACKED_BYTES_MAX) {
    throw new ReleaseError('too-large', `what is there now and what comes is ${packed.length} bytes packed, more than the ${PACKED_BYTES_MAX} that a cluster keeps of one release`, 'apply it as several releases: --release NAME for each');
  }
  return {
    apiVersion: CONFIG_MAP.apiVersion,
    kind: CONFIG_MAP.kind,
    metadata: { name: recordName(record.release, record.revision), namespace, labels: { [RELEASE_LABEL]: record.release, [REVISION_LABEL]: `${record.revision}`, 'app.kubernetes.io/managed-by': 'bulkhead' } },
    data: { state },
    binaryData: { record: packed },
  };
}

/** The gaps stay behind where they find no room: no release is refused for them. */
async function packFitting(record: ReleaseRecord): Promise<string> {
  const packed = await pack(JSON.stringify(record));
  return packed.length <= PACKED_BYTES_MAX || record.gaps === undefined ? packed : await pack(JSON.stringify({ ...record, gaps: undefined }));
}

/** undefined: it is none of ours, or of a version that this one does not know. */
export async function readRecord(stored: StoredObject): Promise<KeptRelease | undefined> {
  const { data, binaryData } = stored as { readonly data?: { readonly state?: unknown }; readonly binaryData?: { readonly record?: unknown } };
  const state = STATES.find((one) => one === data?.state);
  if (state === undefined || typeof binaryData?.record !== 'string') return undefined;
  const text = await unpack(binaryData.record).catch(() => undefined);
  const parsed = v.safeParse(recordSchema, text === undefined ? undefined : parsedJson(text));
  return parsed.success ? { record: parsed.output as ReleaseRecord, state, stored } : undefined; // the schema is its type, as loose as JSON
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** gzip in base64. */
async function pack(text: string): Promise<string> {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream('gzip'));
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

async function unpack(packed: string): Promise<string> {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(await through(bytes, new DecompressionStream('gzip')));
}

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
