// Which notes about an engine stand beside one explanation: those of the policies that it names, and those that hold everywhere and weigh.
import type { Finding } from '../base/finding.ts';
import type { DirectionReason, Explanation } from '../analyze/explain.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Engine } from './engines/engine.ts';
import { lintEngine } from './checks/lint-engine.ts';
import { createPodIndex } from './context/pod-index.ts';

/** Works out all notes once, and gives those of one explanation. */
export function engineNotes(cluster: Cluster, engine: Engine): (explanation: Explanation) => readonly Finding[] {
  const notes = lintEngine({ cluster, index: createPodIndex(cluster) }, engine);
  return ({ egress, ingress }) => {
    const named = new Set([...policiesOf(egress), ...policiesOf(ingress)]);
    return notes.filter(({ object, severity }) => (object === undefined ? severity === 'warning' : named.has(`${object.kind} ${object.namespace} ${object.name}`)));
  };
}

function policiesOf({ admin, baseline, isolatedBy }: DirectionReason): string[] {
  return [...isolatedBy.map(({ kind, namespace, name }) => `${kind} ${namespace} ${name}`), ...[...admin, ...baseline].map(({ policy }) => `${policy.kind}  ${policy.name}`)];
}
