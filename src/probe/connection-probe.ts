// ConnectionProbe, by which a prober on a node is asked: its fields, as `deploy/crds/connectionprobes.yaml` has them, and how they are read.
import * as v from 'valibot';
import { SOURCES_MAX } from '../kernel/pod-network.ts';
import type { ServedKind, StoredObject } from '../kube/cluster-api.ts';

export const CONNECTION_PROBE: ServedKind = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'ConnectionProbe', resource: 'connectionprobes', isNamespaced: false };

/** By which a prober finds what is meant for its node; the spec's `node` decides. */
export const NODE_LABEL = 'bulkhead.dev/probed-node';

/** Of one probe, each of both lists. */
export const ENTRIES_MAX = 200;

export const TTL_SECONDS_MAX = 60;

export interface ProbeSpec {
  readonly node: string;
  /** 16 hexadecimal digits. */
  readonly mark: string;
  readonly ttlSeconds: number;
  readonly listen: readonly ListenEntry[];
  readonly attempts: readonly AttemptEntry[];
}

export interface ProbedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface ListenEntry {
  readonly pod: ProbedPod;
  /** One of the pod's. */
  readonly address: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  readonly sources: readonly string[];
}

export interface AttemptEntry {
  readonly pod: ProbedPod;
  readonly address: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  readonly control?: boolean | undefined;
}

export interface ProbeStatus {
  readonly state: 'Working' | 'Listening' | 'Done' | 'Refused';
  readonly message?: string | undefined;
  /** By position of the spec's. */
  readonly listen: readonly ListenResult[];
  readonly attempts: readonly AttemptResult[];
}

export interface ListenResult {
  readonly result: 'listening' | 'served' | 'failed';
  readonly message?: string | undefined;
}

export interface AttemptResult {
  readonly answer: (typeof ANSWERS)[number];
  /** Of the node's own try, where it was asked for and made. */
  readonly control?: (typeof ANSWERS)[number] | undefined;
  readonly errno?: number | undefined;
  readonly message?: string | undefined;
}

const ANSWERS = ['connected', 'replied', 'refused', 'arrived', 'silent', 'failed', 'skipped'] as const;

const pod = v.object({ namespace: v.string(), name: v.string(), uid: v.string() });
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const protocol = v.picklist(['TCP', 'UDP']);

const spec: v.GenericSchema<unknown, ProbeSpec> = v.object({
  node: v.string(),
  mark: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  ttlSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(TTL_SECONDS_MAX)),
  listen: v.optional(v.pipe(v.array(v.object({ pod, address: v.string(), protocol, port, sources: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(SOURCES_MAX)) })), v.maxLength(ENTRIES_MAX)), []),
  attempts: v.optional(v.pipe(v.array(v.object({ pod, address: v.string(), protocol, port, control: v.optional(v.boolean()) })), v.maxLength(ENTRIES_MAX)), []),
});

const status: v.GenericSchema<unknown, ProbeStatus> = v.object({
  state: v.picklist(['Working', 'Listening', 'Done', 'Refused']),
  message: v.optional(v.string()),
  listen: v.optional(v.array(v.object({ result: v.picklist(['listening', 'served', 'failed']), message: v.optional(v.string()) })), []),
  attempts: v.optional(v.array(v.object({ answer: v.picklist(ANSWERS), control: v.optional(v.picklist(ANSWERS)), errno: v.optional(v.number()), message: v.optional(v.string()) })), []),
});

/** undefined: nothing that this version understands. */
export function readProbeSpec(object: StoredObject): ProbeSpec | undefined {
  const read = v.safeParse(spec, object['spec']);
  return read.success ? read.output : undefined;
}

/** undefined: nobody has answered yet. `Refused` where the answer is not understood. */
export function readProbeStatus(object: StoredObject): ProbeStatus | undefined {
  if (object['status'] === undefined) return undefined;
  const read = v.safeParse(status, object['status']);
  return read.success ? read.output : { state: 'Refused', message: 'the prober answers in a way that this version does not understand', listen: [], attempts: [] };
}

/** A label takes 63 signs, a node's name 253. */
export function nodeLabel(node: string): string {
  return node.slice(0, 63).replace(/[^a-z0-9]+$/i, '');
}
