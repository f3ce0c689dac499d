// The value of a signal on a node, and whether conditions hold there; what may not be read is neither.
import { groupOf } from '../kube/cluster-api.ts';
import type { AgentPodFacts, ClusterFacts, ContainerFacts, NodeFacts, Unread } from './facts.ts';
import type { Condition, ObjectAt, Signal } from './knowledge.ts';
import { imageTag, isOlder } from './versions.ts';

/** Where a signal is read: on a node, of the agent that runs there. */
export interface Place {
  readonly facts: ClusterFacts;
  readonly node: NodeFacts;
  readonly pod: AgentPodFacts | undefined;
}

export type Reading = { readonly kind: 'value'; readonly value: string | undefined } | { readonly kind: 'unread'; readonly unread: Unread };

/** `unread` where one of them cannot be told, and none is refuted. */
export type Holding = { readonly kind: 'holds' } | { readonly kind: 'fails' } | { readonly kind: 'unread'; readonly unread: Unread };

export function allHold(place: Place, conditions: readonly Condition[]): Holding {
  let unread: Unread | undefined;
  for (const condition of conditions) {
    const reading = readSignal(place, condition.signal);
    if (reading.kind === 'unread') unread ??= reading.unread;
    else if (!passes(condition, reading.value)) return { kind: 'fails' };
  }
  return unread === undefined ? { kind: 'holds' } : { kind: 'unread', unread };
}

function passes({ default: otherwise, is, isNot, matches, below, isMissing }: Condition, read: string | undefined): boolean {
  if (isMissing !== undefined) return (read === undefined) === isMissing;
  const value = read ?? otherwise;
  if (isNot !== undefined) return value === undefined || !isNot.includes(value);
  if (value === undefined) return false;
  if (is !== undefined) return is.includes(value);
  if (matches !== undefined) return new RegExp(matches).test(value);
  return below !== undefined && isOlder(value, below) === true;
}

export function readSignal(place: Place, signal: Signal): Reading {
  const { facts, node, pod } = place;
  if ('argument' in signal) return signal.deployment === undefined ? ofContainers(pod?.containers, signal, ({ arguments: held }) => held[signal.argument]) : ofDeployment(place, signal.deployment, signal.argument);
  if ('env' in signal) return ofContainers(pod?.containers, signal, ({ env }) => env[signal.env]);
  if ('container' in signal) return value(pod?.containers.some(({ name }) => name === signal.container) === true ? signal.container : undefined);
  if ('image' in signal) return ofContainers(pod?.containers, { container: signal.image }, ({ image }) => imageTag(image));
  if ('configMap' in signal) return ofConfigMap(place, signal.configMap, signal.key);
  if ('object' in signal) return ofObject(facts, `${signal.object.resource}.${groupOf(signal.object.apiVersion)}`, (found) => found.find(({ name }) => name === signal.object.name)?.values[signal.path]);
  if ('everyObject' in signal) return ofObject(facts, `${signal.everyObject.resource}.${groupOf(signal.everyObject.apiVersion)}`, (found) => common(found.map(({ values }) => values[signal.path])));
  if ('served' in signal) return ofServed(facts, `${signal.served.resource}.${groupOf(signal.served.apiVersion)}`);
  if ('nodeLabel' in signal) return value(node.labels[signal.nodeLabel]);
  if ('annotationArgument' in signal) return value(ofAnyNode(place, `${signal.annotation} ${signal.annotationArgument}`));
  return value(node[signal.node] === '' ? undefined : node[signal.node]);
}

function value(read: string | undefined): Reading {
  return { kind: 'value', value: read };
}

/** The first container that has it, of the one that is named or of all. */
function ofContainers(containers: readonly ContainerFacts[] | undefined, { container }: { readonly container?: string }, pick: (one: ContainerFacts) => string | undefined): Reading {
  const meant = (containers ?? []).filter(({ name }) => container === undefined || name === container);
  return value(meant.map(pick).find((found) => found !== undefined));
}

function ofDeployment({ facts }: Place, at: ObjectAt, argument: string): Reading {
  const unread = facts.unread.find(({ resource, name }) => resource === 'deployments.apps' && name === at.name);
  if (unread !== undefined) return { kind: 'unread', unread };
  return ofContainers(facts.deployments.find(({ name }) => name === at.name)?.containers, {}, ({ arguments: held }) => held[argument]);
}

function ofConfigMap({ facts, pod }: Place, at: ObjectAt, key: string): Reading {
  const namespace = at.namespace ?? pod?.namespace;
  const unread = facts.unread.find((one) => one.resource === 'configmaps' && one.name === at.name && one.namespace === namespace);
  if (unread !== undefined) return { kind: 'unread', unread };
  return value(facts.configMaps.find((one) => one.name === at.name && one.namespace === namespace)?.values[key]);
}

function ofObject(facts: ClusterFacts, resource: string, pick: (found: ClusterFacts['objects']) => string | undefined): Reading {
  const unread = facts.unread.find((one) => one.resource === resource);
  return unread === undefined ? value(pick(facts.objects.filter(({ kind }) => kind === resource))) : { kind: 'unread', unread };
}

function ofServed(facts: ClusterFacts, resource: string): Reading {
  const unread = facts.unread.find((one) => one.resource === resource);
  return unread === undefined ? value(facts.served[resource]) : { kind: 'unread', unread };
}

/** What one node was started with may hold for all of them: servers of K3s have flags that their agents follow. */
function ofAnyNode({ facts, node }: Place, key: string): string | undefined {
  return node.annotations[key] ?? facts.nodes.map(({ annotations }) => annotations[key]).find((found) => found !== undefined);
}

/** `mixed` where they are not alike. */
function common(values: readonly (string | undefined)[]): string | undefined {
  const [first] = values;
  return values.every((one) => one === first) ? first : 'mixed';
}
