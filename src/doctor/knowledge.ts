// What is known of an engine or a provider: how it is recognized, what switches it off, what it can do, and what to type; its file is checked when it is read.
import * as v from 'valibot';

/** Where something is known from. */
export interface Source {
  readonly title: string;
  readonly url?: string;
  /** Year and month in which the source said so. */
  readonly date: string;
  /** Whether somebody has looked at the source for this; else it is hearsay, and said to be. */
  readonly isChecked: boolean;
}

/**
 * Where a value is read. `argument`, `env` and `image` are of the engine's own pod on the node, or of the Deployment named
 * in `of`. A flag without a value is `true`. `served` is `some`, `empty` or nothing. `annotationArgument` is a flag in an
 * annotation that holds a JSON list of arguments. A `path` goes into an object by field names.
 */
export type Signal =
  | { readonly argument: string; readonly container?: string; readonly deployment?: ObjectAt }
  | { readonly env: string; readonly container?: string }
  | { readonly container: string }
  | { readonly image: string }
  | { readonly configMap: ObjectAt; readonly key: string }
  | { readonly object: KindAt & { readonly name: string }; readonly path: string }
  | { readonly served: KindAt }
  | { readonly everyObject: KindAt; readonly path: string }
  | { readonly nodeLabel: string }
  | { readonly annotationArgument: string; readonly annotation: string }
  | { readonly node: 'providerId' | 'kernelVersion' | 'kubeletVersion' | 'os' };

export interface ObjectAt {
  /** Missing: where the engine's DaemonSet is. */
  readonly namespace?: string;
  readonly name: string;
}

export interface KindAt {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
}

/** One of the tests; a value that is missing is `default`, and where there is none, only `is: []` and `isNot` hold. */
export interface Condition {
  readonly signal: Signal;
  readonly default?: string;
  readonly is?: readonly string[];
  readonly isNot?: readonly string[];
  /** A regular expression. */
  readonly matches?: string;
  /** Versions are compared number by number. */
  readonly below?: string;
  readonly isMissing?: boolean;
}

/** `inert` and `unknown` are what the node then is; the others are said and change nothing. */
export type Meaning = 'inert' | 'unknown' | 'warning' | 'note';

export interface Check {
  readonly id: string;
  /** All of them. */
  readonly when: readonly Condition[];
  readonly means: Meaning;
  readonly says: string;
  readonly remedies?: readonly string[];
  readonly source: string;
}

export interface Remedy {
  readonly id: string;
  readonly title: string;
  /** Only there; missing: everywhere. */
  readonly providers?: readonly string[];
  /** Words such as `{CLUSTER}` are filled in where the cluster tells them. */
  readonly commands: readonly string[];
  readonly effects: string;
  readonly needs?: string;
  readonly deadline?: string;
  readonly source: string;
}

export const FEATURES = ['NetworkPolicy', 'endPort', 'named port', 'SCTP', 'except', 'IPv6', 'ClusterNetworkPolicy', 'AdminNetworkPolicy'] as const;
export type FeatureName = (typeof FEATURES)[number];

export interface Feature {
  readonly has: 'yes' | 'no' | 'partly' | 'unknown';
  readonly says?: string;
  readonly source: string;
}

export interface EngineKnowledge {
  readonly name: string;
  readonly title: string;
  /** `network`: it connects pods, and never judges. */
  readonly role: 'enforcer' | 'network';
  /** Any of them. Names and images are of DaemonSets; `images` are ends of a repository's path. `onNodes` is for what runs in no pod. */
  readonly recognized: {
    readonly daemonSets?: readonly string[];
    readonly images?: readonly string[];
    readonly onNodes?: readonly (readonly Condition[])[];
    /** By the objects that the agents of this very program write. */
    readonly reports?: true;
  };
  /** Where it is found, these are parts of it, and not counted beside it. */
  readonly includes?: readonly string[];
  /** The container whose image carries the version. */
  readonly versionFrom?: string;
  /** Nodes that it never serves. */
  readonly notOn?: readonly { readonly when: readonly Condition[]; readonly says: string; readonly source: string }[];
  /** Of nodes where its DaemonSet has no pod. */
  readonly noAgent?: { readonly says: string; readonly remedies: readonly string[]; readonly source: string };
  readonly checks: readonly Check[];
  readonly features: Readonly<Record<FeatureName, Feature>>;
  /** The word of `--engine` by which other commands note where it departs from the API. */
  readonly engineWord?: string;
  readonly remedies: readonly Remedy[];
  readonly sources: Readonly<Record<string, Source>>;
}

export interface ProviderKnowledge {
  readonly name: string;
  readonly title: string;
  /** Any of them, on any node. */
  readonly recognized: readonly Condition[];
  /** Words of commands that nodes tell. Only what fits `pattern` is taken; the first group, where there is one. */
  readonly values: Readonly<Record<string, { readonly signal: Signal; readonly pattern: string }>>;
  /** Where nothing enforces. */
  readonly remedies: readonly Remedy[];
  readonly sources: Readonly<Record<string, Source>>;
}

const text = v.pipe(v.string(), v.nonEmpty());
const texts = v.array(text);
const kindAt = { apiVersion: text, kind: text, resource: text };
const objectAt = v.strictObject({ namespace: v.exactOptional(text), name: text });
const signal: v.GenericSchema<unknown, Signal> = v.union([
  v.strictObject({ argument: text, container: v.exactOptional(text), deployment: v.exactOptional(objectAt) }),
  v.strictObject({ env: text, container: v.exactOptional(text) }),
  v.strictObject({ container: text }),
  v.strictObject({ image: text }),
  v.strictObject({ configMap: objectAt, key: text }),
  v.strictObject({ object: v.strictObject({ ...kindAt, name: text }), path: text }),
  v.strictObject({ served: v.strictObject(kindAt) }),
  v.strictObject({ everyObject: v.strictObject(kindAt), path: text }),
  v.strictObject({ nodeLabel: text }),
  v.strictObject({ annotationArgument: text, annotation: text }),
  v.strictObject({ node: v.picklist(['providerId', 'kernelVersion', 'kubeletVersion', 'os']) }),
]);
const condition: v.GenericSchema<unknown, Condition> = v.pipe(
  v.strictObject({ signal, default: v.exactOptional(text), is: v.exactOptional(texts), isNot: v.exactOptional(texts), matches: v.exactOptional(text), below: v.exactOptional(text), isMissing: v.exactOptional(v.boolean()) }),
  v.check(({ is, isNot, matches, below, isMissing }) => [is, isNot, matches, below, isMissing].filter((test) => test !== undefined).length === 1, 'a condition has one test'),
);
const conditions = v.pipe(v.array(condition), v.minLength(1));
const remedy = v.strictObject({ id: text, title: text, providers: v.exactOptional(texts), commands: v.pipe(texts, v.minLength(1)), effects: text, needs: v.exactOptional(text), deadline: v.exactOptional(text), source: text });
export const SOURCE_SCHEMA: v.GenericSchema<unknown, Source> = v.strictObject({ title: text, url: v.exactOptional(v.pipe(v.string(), v.startsWith('https://'))), date: v.pipe(v.string(), v.regex(/^20[0-9]{2}-[0-9]{2}$/)), isChecked: v.boolean() });
const feature = v.strictObject({ has: v.picklist(['yes', 'no', 'partly', 'unknown']), says: v.exactOptional(text), source: text });

export const ENGINE_SCHEMA: v.GenericSchema<unknown, EngineKnowledge> = v.strictObject({
  name: text,
  title: text,
  role: v.picklist(['enforcer', 'network']),
  recognized: v.strictObject({ daemonSets: v.exactOptional(texts), images: v.exactOptional(texts), onNodes: v.exactOptional(v.array(conditions)), reports: v.exactOptional(v.literal(true)) }),
  includes: v.exactOptional(texts),
  versionFrom: v.exactOptional(text),
  notOn: v.exactOptional(v.array(v.strictObject({ when: conditions, says: text, source: text }))),
  noAgent: v.exactOptional(v.strictObject({ says: text, remedies: texts, source: text })),
  checks: v.array(v.strictObject({ id: v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/)), when: conditions, means: v.picklist(['inert', 'unknown', 'warning', 'note']), says: text, remedies: v.exactOptional(texts), source: text })),
  features: v.strictObject({ NetworkPolicy: feature, endPort: feature, 'named port': feature, SCTP: feature, except: feature, IPv6: feature, ClusterNetworkPolicy: feature, AdminNetworkPolicy: feature }),
  engineWord: v.exactOptional(text),
  remedies: v.array(remedy),
  sources: v.record(text, SOURCE_SCHEMA),
});

export const PROVIDER_SCHEMA: v.GenericSchema<unknown, ProviderKnowledge> = v.strictObject({
  name: text,
  title: text,
  recognized: conditions,
  values: v.record(v.pipe(v.string(), v.regex(/^[A-Z_]+$/)), v.strictObject({ signal, pattern: text })),
  remedies: v.array(remedy),
  sources: v.record(text, SOURCE_SCHEMA),
});
