// Reads from an API server the facts that tell what enforces its policies; nothing but reads, and nothing kept but what the knowledge names.
import { groupOf, qualifiedResource, type ClusterApi, type ServedKind, type StoredObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { expiresOf } from '../model/time-to-live.ts';
import { NODE_ENFORCEMENT, type EnforcementStatus } from '../status/node-enforcement.ts';
import { rolloutOf } from '../status/rollout.ts';
import type { AgentPodFacts, AgentReport, ClusterFacts, DaemonSetFacts, NodeFacts, TextMap, Unread } from './facts.ts';
import { containersOf, nodeFacts, podFacts, textAt } from './keep-facts.ts';
import type { EngineKnowledge, KindAt, ProviderKnowledge } from './knowledge.ts';
import { mentionsOf, type Mentions } from './mentions.ts';
import { enginesOf } from './recognize.ts';
import { refusedError } from './rights.ts';
import { allHold } from './signals.ts';

export interface Knowledge {
  readonly engines: readonly EngineKnowledge[];
  readonly providers: readonly ProviderKnowledge[];
}

const NODES: ServedKind = { apiVersion: 'v1', kind: 'Node', resource: 'nodes', isNamespaced: false };
const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };
const CONFIG_MAPS: ServedKind = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps', isNamespaced: true };
const DAEMON_SETS: ServedKind = { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets', isNamespaced: true };
const DEPLOYMENTS: ServedKind = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments', isNamespaced: true };
const POLICY_KINDS: readonly ServedKind[] = [
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies', isNamespaced: true },
  { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', resource: 'clusternetworkpolicies', isNamespaced: false },
  { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', resource: 'adminnetworkpolicies', isNamespaced: false },
  { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'BaselineAdminNetworkPolicy', resource: 'baselineadminnetworkpolicies', isNamespaced: false },
];

/** What of a cluster is read for this; a user who may not list nodes or DaemonSets learns nothing. Fails with ClusterError. */
export async function readFacts(api: ClusterApi, knowledge: Knowledge, now: Date): Promise<ClusterFacts> {
  const reader = new FactReader(api);
  const everything = mentionsOf(knowledge.engines, knowledge.providers);
  const nodes = await reader.require(NODES, (object) => nodeFacts(object, everything));
  const daemonSets = (await reader.require(DAEMON_SETS, (object) => daemonSetOf(object, everything))).filter(({ facts }) => enginesOf(facts, knowledge.engines).length > 0);
  const present = presentEngines(knowledge.engines, nodes, daemonSets.map(({ facts }) => facts));
  const pods = await podsOf(reader, daemonSets, everything);
  const wanted = mentionsOf(present, []);
  const namespaces = [...new Set(daemonSets.map(({ facts }) => facts.namespace))];
  return {
    takenAt: now.toISOString(),
    nodes,
    daemonSets: daemonSets.map(({ facts }) => facts),
    pods,
    deployments: await deploymentsOf(reader, wanted, everything),
    configMaps: await configMapsOf(reader, wanted, namespaces),
    objects: await objectsOf(reader, wanted),
    served: await servedOf(reader, wanted),
    reports: await reportsOf(reader, nodes, now),
    ...(await policiesOf(reader)),
    unread: reader.unread,
  };
}

/** A class, for it gathers what was refused. */
class FactReader {
  readonly #api: ClusterApi;
  readonly unread: Unread[] = [];

  constructor(api: ClusterApi) {
    this.#api = api;
  }

  /** Fails where it may not be listed. */
  async require<T>(kind: ServedKind, keep: (object: StoredObject) => T): Promise<readonly T[]> {
    try {
      return await this.#listed(kind, {}, keep);
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'forbidden') throw refusedError(this.#api.name, [{ verb: 'list', resource: qualifiedResource(kind), why: error.message }]);
      throw error;
    }
  }

  /** undefined: the kind is not served, or may not be listed, which is noted. */
  async list<T>(kind: ServedKind, options: { readonly namespace?: string; readonly labelSelector?: string }, keep: (object: StoredObject) => T): Promise<readonly T[] | undefined> {
    return this.#unlessRefused({ verb: 'list', resource: qualifiedResource(kind), ...(options.namespace === undefined ? {} : { namespace: options.namespace }) }, () => this.#listed(kind, options, keep));
  }

  /** undefined: it is not there, or may not be read, which is noted. */
  async get(kind: ServedKind, name: string, namespace?: string): Promise<StoredObject | undefined> {
    const where = namespace === undefined ? {} : { namespace };
    return this.#unlessRefused({ verb: 'get', resource: qualifiedResource(kind), name, ...where }, () => this.#api.get({ served: kind, name, ...where }));
  }

  async #listed<T>(kind: ServedKind, options: { readonly namespace?: string; readonly labelSelector?: string }, keep: (object: StoredObject) => T): Promise<readonly T[]> {
    let kept: T[] = [];
    for await (const event of this.#api.listWhole(kind, options)) {
      if (event.kind === 'restart') kept = [];
      else kept.push(keep(event.object));
    }
    return kept;
  }

  async #unlessRefused<T>(what: Omit<Unread, 'why'>, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ClusterError) || (error.code !== 'forbidden' && error.code !== 'not-found')) throw error;
      if (error.code === 'forbidden') this.unread.push({ ...what, why: error.message });
      return undefined;
    }
  }
}

interface FoundDaemonSet {
  readonly facts: DaemonSetFacts;
  /** As a selector of labels; empty where it has none that this reads. */
  readonly selector: string;
}

function daemonSetOf(object: StoredObject, mentions: Mentions): FoundDaemonSet {
  const labels = (object['spec'] as { readonly selector?: { readonly matchLabels?: TextMap } } | undefined)?.selector?.matchLabels ?? {}; // as a server stores it
  const count = (path: string): number => Number(textAt(object, path) ?? 0);
  return {
    facts: {
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name ?? '',
      containers: containersOf((object['spec'] as { readonly template?: unknown }).template, mentions), // a DaemonSet has one
      desired: count('status.desiredNumberScheduled'),
      ready: count('status.numberReady'),
    },
    selector: Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(','),
  };
}

function presentEngines(engines: readonly EngineKnowledge[], nodes: readonly NodeFacts[], daemonSets: readonly DaemonSetFacts[]): readonly EngineKnowledge[] {
  const bare: ClusterFacts = { takenAt: '', nodes, daemonSets, pods: [], deployments: [], configMaps: [], objects: [], served: {}, reports: {}, policies: {}, temporary: [], unread: [] };
  const byDaemonSet = new Set(daemonSets.flatMap((daemonSet) => enginesOf(daemonSet, engines)));
  return engines.filter((engine) => byDaemonSet.has(engine) || (engine.recognized.onNodes ?? []).some((conditions) => nodes.some((node) => allHold({ facts: bare, node, pod: undefined }, conditions).kind === 'holds')));
}

async function podsOf(reader: FactReader, daemonSets: readonly FoundDaemonSet[], mentions: Mentions): Promise<readonly AgentPodFacts[]> {
  const found: AgentPodFacts[] = [];
  for (const { facts, selector } of daemonSets) {
    const pods = await reader.list(PODS, { namespace: facts.namespace, ...(selector === '' ? {} : { labelSelector: selector }) }, (object) => podFacts(object, mentions));
    found.push(...(pods ?? []).flatMap((pod) => (pod !== undefined && pod.daemonSet === facts.name ? [pod] : [])));
  }
  return found;
}

async function deploymentsOf(reader: FactReader, { deployments }: Mentions, mentions: Mentions): Promise<ClusterFacts['deployments']> {
  const found = await Promise.all(deployments.map(async ({ namespace = 'kube-system', name }) => {
    const object = await reader.get(DEPLOYMENTS, name, namespace);
    return object === undefined ? [] : [{ namespace, name, containers: containersOf((object['spec'] as { readonly template?: unknown }).template, mentions) }]; // a Deployment has one
  }));
  return found.flat();
}

async function configMapsOf(reader: FactReader, { configMaps }: Mentions, agentNamespaces: readonly string[]): Promise<ClusterFacts['configMaps']> {
  const keys = new Map<string, Set<string>>();
  for (const { at, key } of configMaps) {
    for (const namespace of at.namespace === undefined ? agentNamespaces : [at.namespace]) keys.set(`${namespace}/${at.name}`, new Set([...(keys.get(`${namespace}/${at.name}`) ?? []), key]));
  }
  const found = await Promise.all([...keys].map(async ([place, wanted]) => {
    const [namespace, name] = place.split('/') as [string, string];
    const object = await reader.get(CONFIG_MAPS, name, namespace);
    const data = (object?.['data'] ?? {}) as TextMap; // as a server stores it
    return object === undefined ? [] : [{ namespace, name, values: Object.fromEntries([...wanted].flatMap((key) => (typeof data[key] === 'string' ? [[key, data[key]]] : []))) }];
  }));
  return found.flat();
}

async function objectsOf(reader: FactReader, { objects, everyObject }: Mentions): Promise<ClusterFacts['objects']> {
  const single = await Promise.all(objects.map(async ({ at, name, path }) => {
    const object = await reader.get(clusterKind(at), name);
    return object === undefined ? [] : [{ kind: nameOfKind(at), name, values: valuesAt(object, path) }];
  }));
  const all = await Promise.all(everyObject.map(async ({ at, path }) => (await reader.list(clusterKind(at), {}, (object) => ({ kind: nameOfKind(at), name: object.metadata.name ?? '', values: valuesAt(object, path) }))) ?? []));
  return [...single.flat(), ...all.flat()];
}

function valuesAt(object: StoredObject, path: string): TextMap {
  const value = textAt(object, path);
  return value === undefined ? {} : { [path]: value };
}

async function servedOf(reader: FactReader, { served }: Mentions): Promise<ClusterFacts['served']> {
  const found = await Promise.all(served.map(async (at): Promise<readonly (readonly [string, 'some' | 'empty'])[]> => {
    const listed = await reader.list(clusterKind(at), {}, () => true);
    return listed === undefined ? [] : [[nameOfKind(at), listed.length > 0 ? 'some' : 'empty']];
  }));
  return Object.fromEntries(found.flat());
}

async function reportsOf(reader: FactReader, nodes: readonly NodeFacts[], now: Date): Promise<ClusterFacts['reports']> {
  const enforcements = await reader.list(NODE_ENFORCEMENT, {}, (object) => object as Parameters<typeof rolloutOf>[0]['enforcements'][number]); // what is stored has a name
  const named = nodes.map(({ name }) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }));
  const standings = rolloutOf({ nodes: named, enforcements: enforcements ?? [], policies: [] }, now).nodes;
  const audits = new Map((enforcements ?? []).map(({ metadata, status }) => [metadata.name, ((status as Partial<EnforcementStatus> | undefined)?.audits ?? []).map(({ namespace }) => namespace)])); // an older or newer agent's
  return Object.fromEntries(standings.flatMap(({ node, standing, isEnforcing, version, troubles }): readonly (readonly [string, AgentReport])[] => (standing === 'no-agent' ? [] : [[node, { standing, isEnforcing: isEnforcing === true, version: version ?? '', troubles, audits: audits.get(node) ?? [] }]])));
}

async function policiesOf(reader: FactReader): Promise<Pick<ClusterFacts, 'policies' | 'temporary'>> {
  const lists = await Promise.all(POLICY_KINDS.map(async ({ kind, ...at }) => ({ kind, found: (await reader.list({ kind, ...at }, {}, ({ metadata }) => ({ kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '', expires: expiresOf(metadata) }))) ?? [] })));
  return {
    policies: Object.fromEntries(lists.filter(({ found }) => found.length > 0).map(({ kind, found }) => [kind, found.length])),
    temporary: lists.flatMap(({ found }) => found.flatMap(({ expires, ...policy }) => (expires === undefined ? [] : [{ ...policy, expires }]))),
  };
}

function clusterKind({ apiVersion, kind, resource }: KindAt): ServedKind {
  return { apiVersion, kind, resource, isNamespaced: false };
}

function nameOfKind({ apiVersion, resource }: KindAt): string {
  return `${resource}.${groupOf(apiVersion)}`;
}
