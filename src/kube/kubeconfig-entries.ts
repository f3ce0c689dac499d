// The entries of kubeconfig files, merged as kubectl merges them; nothing of them has been looked at.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { load } from 'js-yaml';
import { ClusterError } from './cluster-error.ts';

export type ConfigFields = { readonly [field: string]: unknown };

export interface ConfigEntries {
  /** By name. */
  readonly clusters: ReadonlyMap<string, ConfigFields>;
  readonly users: ReadonlyMap<string, ConfigFields>;
  readonly contexts: ReadonlyMap<string, ConfigFields>;
  readonly currentContext: string | undefined;
}

/** Of two entries of one name the first counts, and so does the first current context. Throws ClusterError for a file that is no kubeconfig. */
export function readConfigFiles(files: readonly string[]): ConfigEntries {
  const all = files.map(readConfigFile);
  const merge = (part: 'clusters' | 'users' | 'contexts'): ReadonlyMap<string, ConfigFields> => firstOfEach(all.flatMap((entries) => [...entries[part]]));
  return { clusters: merge('clusters'), users: merge('users'), contexts: merge('contexts'), currentContext: all.map(({ currentContext }) => currentContext).find((name) => name !== undefined) };
}

function readConfigFile(file: string): ConfigEntries {
  const document = parseFile(file);
  const current = document['current-context'];
  return {
    clusters: entriesOf(document['clusters'], 'cluster', (cluster) => withPaths(cluster, ['certificate-authority'], file)),
    users: entriesOf(document['users'], 'user', (user) => withPaths(user, ['client-certificate', 'client-key', 'tokenFile'], file)),
    contexts: entriesOf(document['contexts'], 'context', (context) => context),
    currentContext: typeof current === 'string' && current !== '' ? current : undefined,
  };
}

function parseFile(file: string): ConfigFields {
  try {
    const document: unknown = load(readFileSync(file, 'utf8')) ?? {};
    if (!isFields(document)) throw new Error('it holds no map');
    return document;
  } catch (cause) {
    throw new ClusterError('no-cluster', `the kubeconfig \`${file}\` cannot be read: ${firstLine(cause)}`, { cause });
  }
}

/** One entry that nobody asks for must not be in the way: what has no name is passed over. */
function entriesOf(list: unknown, field: string, settle: (fields: ConfigFields) => ConfigFields): ReadonlyMap<string, ConfigFields> {
  const entries = (Array.isArray(list) ? list : []).filter(isFields);
  return firstOfEach(entries.flatMap(({ name, [field]: fields }) => (typeof name === 'string' && name !== '' ? [[name, settle(isFields(fields) ? fields : {})] as const] : [])));
}

function firstOfEach(named: readonly (readonly [name: string, fields: ConfigFields])[]): ReadonlyMap<string, ConfigFields> {
  const entries = new Map<string, ConfigFields>();
  for (const [name, fields] of named) if (!entries.has(name)) entries.set(name, fields);
  return entries;
}

/** Paths are meant from the file's folder. */
function withPaths(fields: ConfigFields, keys: readonly string[], file: string): ConfigFields {
  const paths = keys.flatMap((key) => (typeof fields[key] === 'string' && fields[key] !== '' ? [[key, resolve(dirname(file), fields[key])] as const] : []));
  return { ...fields, ...Object.fromEntries(paths) };
}

export function isFields(value: unknown): value is ConfigFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.trim().split('\n')[0] || 'no reason is given';
}
