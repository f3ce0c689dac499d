// What is kept of a node, of a pod and of its containers: the fields that the knowledge names, and no other.
import type { StoredObject } from '../kube/cluster-api.ts';
import type { AgentPodFacts, ContainerFacts, NodeFacts, TextMap } from './facts.ts';
import type { Mentions } from './mentions.ts';

type Loose = { readonly [field: string]: unknown };

export function nodeFacts(object: StoredObject, { nodeLabels, annotations }: Mentions): NodeFacts {
  const { labels, annotations: written } = object.metadata as { readonly labels?: TextMap; readonly annotations?: TextMap }; // as a server stores them
  const info = (field: string): string => textAt(object, `status.nodeInfo.${field}`) ?? '';
  const conditions = listAt(object, 'status.conditions').map(fieldsOf);
  return {
    name: object.metadata.name ?? '',
    labels: Object.fromEntries(Object.entries(labels ?? {}).filter(([key]) => nodeLabels.has(key))),
    annotations: Object.fromEntries([...annotations].flatMap(([annotation, flags]) => [...flags].flatMap((flag) => entry(`${annotation} ${flag}`, argumentIn(listIn(written?.[annotation]), flag))))),
    os: labels?.['kubernetes.io/os'] ?? info('operatingSystem'),
    kernelVersion: info('kernelVersion'),
    kubeletVersion: info('kubeletVersion'),
    providerId: textAt(object, 'spec.providerID') ?? '',
    isReady: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    isSchedulable: textAt(object, 'spec.unschedulable') !== 'true',
  };
}

/** undefined: it runs on no node, or no DaemonSet made it. */
export function podFacts(object: StoredObject, mentions: Mentions): AgentPodFacts | undefined {
  const owner = listAt(object, 'metadata.ownerReferences').map(fieldsOf).find(({ kind, controller }) => kind === 'DaemonSet' && controller === true);
  const node = textAt(object, 'spec.nodeName');
  if (owner === undefined || node === undefined || textAt(object, 'metadata.deletionTimestamp') !== undefined) return undefined;
  const conditions = listAt(object, 'status.conditions').map(fieldsOf);
  return {
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    daemonSet: String(owner['name']),
    node,
    isReady: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    containers: containersOf(object, mentions),
  };
}

/** Of a pod, or of the template of pods. */
export function containersOf(pod: unknown, mentions: Mentions): readonly ContainerFacts[] {
  return listAt(pod, 'spec.containers').map(fieldsOf).map((container): ContainerFacts => {
    const words = [...listAt(container, 'command'), ...listAt(container, 'args')].filter((word) => typeof word === 'string');
    const env = listAt(container, 'env').map(fieldsOf).filter(({ name, value }) => typeof name === 'string' && typeof value === 'string' && mentions.env.has(name));
    return {
      name: textAt(container, 'name') ?? '',
      image: textAt(container, 'image') ?? '',
      arguments: Object.fromEntries([...mentions.arguments].flatMap((flag) => entry(flag, argumentIn(words, flag)))),
      env: Object.fromEntries(env.map(({ name, value }) => [name, value] as [string, string])), // both are texts
    };
  });
}

/** `--flag=value`, `--flag value`, or `--flag` alone, which is `true`; the last one counts. One dash is as good as two, as Go's flags have it. */
export function argumentIn(words: readonly string[], flag: string): string | undefined {
  let found: string | undefined;
  const name = flag.replace(/^-+/, '');
  words.forEach((word, index) => {
    const parts = /^--?([^=]+)(?:=(.*))?$/s.exec(word);
    if (parts === null || parts[1] !== name) return;
    const next = words[index + 1];
    found = parts[2] ?? (next !== undefined && /^(true|false)$/.test(next) ? next : 'true');
  });
  return found;
}

function entry(key: string, value: string | undefined): readonly (readonly [string, string])[] {
  return value === undefined ? [] : [[key, value]];
}

/** The list of texts that an annotation holds as JSON. */
function listIn(text: string | undefined): readonly string[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list.filter((word) => typeof word === 'string') : [];
  } catch {
    return [];
  }
}

/** Numbers and booleans as text. */
export function textAt(object: unknown, path: string): string | undefined {
  const value = valueAt(object, path);
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function listAt(object: unknown, path: string): readonly unknown[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value : [];
}

function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const key of path.split('.')) value = fieldsOf(value)[key];
  return value;
}

function fieldsOf(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}
