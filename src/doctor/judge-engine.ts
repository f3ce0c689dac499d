// What one engine does on one node: whether it runs there, and what its switches say.
import type { AgentPodFacts, ClusterFacts, DaemonSetFacts, NodeFacts } from './facts.ts';
import type { Check, EngineKnowledge, Meaning } from './knowledge.ts';
import { rightText } from './rights.ts';
import { allHold, type Place } from './signals.ts';
import { imageTag } from './versions.ts';

export type NodeStanding = 'enforced' | 'inert' | 'unknown';

/** Something that is said of nodes, the same thing by the same code. */
export interface Said {
  readonly code: string;
  readonly means: Meaning;
  readonly says: string;
  /** Of `engine`, by id. */
  readonly remedies: readonly string[];
  readonly engine: EngineKnowledge | undefined;
  /** Of `engine`, by id. */
  readonly source: string | undefined;
}

export interface EngineOnNode {
  readonly engine: EngineKnowledge;
  readonly standing: NodeStanding;
  readonly version: string | undefined;
  /** Whether anything of it is on the node. */
  readonly runs: boolean;
  readonly evidence: readonly string[];
  readonly said: readonly Said[];
}

/** `daemonSet` is missing for an engine that runs in no pod. */
export function judgeEngine({ facts, node }: { readonly facts: ClusterFacts; readonly node: NodeFacts }, engine: EngineKnowledge, { daemonSet }: { readonly daemonSet: DaemonSetFacts | undefined }): EngineOnNode {
  const excluded = (engine.notOn ?? []).find(({ when }) => allHold({ facts, node, pod: undefined }, when).kind === 'holds');
  if (excluded !== undefined) return { engine, standing: 'inert', version: undefined, runs: false, evidence: [excluded.says], said: [saying(engine, 'not-on', 'inert', excluded.says, excluded)] };
  if (daemonSet === undefined) return judgeSwitches({ facts, node, pod: undefined }, engine, ['it is part of the node']);
  const pod = podOn(facts, daemonSet, node);
  const place = `${daemonSet.namespace}/${daemonSet.name}`;
  if (pod === undefined) return judgeAbsence({ facts, engine, daemonSet, place });
  if (!pod.isReady) return { engine, standing: 'unknown', version: versionOf(engine, pod), runs: true, evidence: [`pod ${pod.namespace}/${pod.name} is not ready`], said: [saying(engine, 'not-ready', 'unknown', 'its pod is not ready: what it enforced before may still stand', {})] };
  return judgeSwitches({ facts, node, pod }, engine, [`pod ${pod.namespace}/${pod.name} is ready`]);
}

function podOn({ pods }: ClusterFacts, { namespace, name }: DaemonSetFacts, node: NodeFacts): AgentPodFacts | undefined {
  const meant = pods.filter((pod) => pod.node === node.name && pod.namespace === namespace && pod.daemonSet === name);
  return meant.find(({ isReady }) => isReady) ?? meant[0];
}

interface Absence {
  readonly facts: ClusterFacts;
  readonly engine: EngineKnowledge;
  readonly daemonSet: DaemonSetFacts;
  /** Namespace and name of the DaemonSet. */
  readonly place: string;
}

function judgeAbsence({ facts, engine, daemonSet, place }: Absence): EngineOnNode {
  const base = { engine, version: undefined, runs: false };
  const unread = facts.unread.find(({ resource, namespace }) => resource === 'pods' && namespace === daemonSet.namespace);
  if (unread !== undefined) return { ...base, standing: 'unknown', evidence: [`the pods of ${place} may not be listed`], said: [saying(engine, 'unread', 'unknown', `this user may not ${rightText(unread)}: whether it runs on each node is not known`, {})] };
  const { noAgent } = engine;
  const says = `the DaemonSet ${place} has no pod there${noAgent === undefined ? '' : `: ${noAgent.says}`}`;
  return { ...base, standing: 'inert', evidence: [`no pod of the DaemonSet ${place}`], said: [saying(engine, 'no-agent', 'inert', says, noAgent ?? {})] };
}

function judgeSwitches(place: Place, engine: EngineKnowledge, evidence: readonly string[]): EngineOnNode {
  const base = { engine, version: versionOf(engine, place.pod), runs: true };
  const said = engine.checks.flatMap((check) => sayCheck(place, engine, check));
  const inert = said.filter(({ means }) => means === 'inert');
  const unknown = said.filter(({ means }) => means === 'unknown');
  const standing = inert.length > 0 ? 'inert' : unknown.length > 0 ? 'unknown' : 'enforced';
  return { ...base, standing, evidence: [...evidence, ...[...inert, ...unknown].map(({ says }) => says)], said };
}

/** What decides and cannot be read leaves the node unknown; a mere note is left out. */
function sayCheck(place: Place, engine: EngineKnowledge, { id, when, means, says, remedies = [], source }: Check): readonly Said[] {
  const holding = allHold(place, when);
  if (holding.kind === 'fails') return [];
  if (holding.kind === 'holds') return [saying(engine, id, means, says, { remedies, source })];
  if (means === 'note' || means === 'warning') return [];
  return [saying(engine, `unread-${id}`, 'unknown', `this user may not ${rightText(holding.unread)}, which would tell whether ${says}`, {})];
}

function saying(engine: EngineKnowledge, id: string, means: Meaning, says: string, { remedies = [], source }: { readonly remedies?: readonly string[]; readonly source?: string }): Said {
  return { code: `${engine.name}/${id}`, means, says, remedies, engine, source };
}

function versionOf({ versionFrom }: EngineKnowledge, pod: AgentPodFacts | undefined): string | undefined {
  const image = pod?.containers.find(({ name }) => name === versionFrom)?.image;
  return image === undefined ? undefined : imageTag(image);
}
