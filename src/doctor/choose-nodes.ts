// Which nodes a live probe asks: those named, else all that can run a probe pod, up to a bound.
import { nearestWord } from '../base/near-miss.ts';
import { WordError } from '../base/word-error.ts';
import type { StoredObject } from '../kube/cluster-api.ts';
import type { LiveNode } from './live.ts';
import { nodeFacts } from './keep-facts.ts';
import { mentionsOf } from './mentions.ts';

/** Each takes three pods. */
export const LIVE_NODES_MAX = 20;

export interface ChosenNodes {
  readonly asked: readonly string[];
  /** Those on which no probe pod can run, with the reason. */
  readonly unasked: readonly LiveNode[];
  /** How many more there are. */
  readonly leftOut: number;
}

/** Throws WordError for a name that no node has. */
export function chooseNodes(objects: readonly StoredObject[], named: readonly string[]): ChosenNodes {
  const nodes = objects.map((object) => nodeFacts(object, mentionsOf([], [])));
  for (const name of named) {
    if (nodes.some((node) => node.name === name)) continue;
    const near = nearestWord(name, nodes.map((node) => node.name));
    throw new WordError(`there is no node \`${name}\` in the cluster`, near === undefined ? 'kubectl get nodes lists them' : `did you mean \`${near}\`?`);
  }
  const wanted = nodes.filter(({ name }) => named.length === 0 || named.includes(name));
  const reasons = wanted.map(({ name, os, isReady }) => ({ name, reason: os !== 'linux' && os !== '' ? `it runs ${os}, and the probe pods are for Linux` : isReady ? undefined : 'it is not ready' }));
  const able = reasons.filter(({ reason }) => reason === undefined).map(({ name }) => name).sort();
  const asked = named.length > 0 ? able : able.slice(0, LIVE_NODES_MAX);
  const unasked = reasons.flatMap(({ name, reason }): readonly LiveNode[] => (reason === undefined ? [] : [{ node: name, standing: 'unknown', evidence: [reason] }]));
  return { asked, unasked, leftOut: able.length - asked.length };
}
