// How a wall of an impact would be built: a policy to add where nothing isolates the pods, else the rules to narrow.
import type { Program, RuleReference } from '../compile/program.ts';
import { explain } from './explain.ts';
import type { Wall } from './impact.ts';

export type WallAdvice =
  /** `labels`: select these pods and, if there are any labels that do, no others of the namespace. */
  | { readonly kind: 'add-policy'; readonly namespace: string; readonly labels: readonly (readonly [key: string, value: string])[] }
  /** Ingress rules that let in whoever reaches the pods first on the way. */
  | { readonly kind: 'narrow-rules'; readonly rules: readonly RuleReference[] }
  /** No policy governs the pods: they use the network of their node. */
  | { readonly kind: 'host-network' }
  /** Something other than a NetworkPolicy lets it in, such as the Admin tier. */
  | { readonly kind: 'other' };

export function adviseWall(program: Program, { podIndices, firstHop: { source, target } }: Wall): WallAdvice {
  const { pods } = program.cluster;
  if (pods[target]!.hostNetwork) return { kind: 'host-network' };
  const { ingress } = explain(program, { source: { kind: 'pod', pod: source }, target: { kind: 'pod', pod: target } });
  if (ingress.isolatedBy.length === 0) return { kind: 'add-policy', namespace: pods[target]!.namespace, labels: chooseLabels(program, podIndices) };
  return ingress.allowedBy.length === 0 ? { kind: 'other' } : { kind: 'narrow-rules', rules: ingress.allowedBy };
}

/** One label that all of the pods have and no other pod of the namespace, else all that they have in common. */
function chooseLabels({ cluster }: Program, indices: readonly number[]): [string, string][] {
  const pods = indices.map((index) => cluster.pods[index]!);
  const [first] = pods;
  if (first === undefined) return [];
  const common = [...first.labels].filter(([key, value]) => pods.every(({ labels }) => labels.get(key) === value));
  const own = new Set(indices);
  const others = cluster.pods.filter((pod, index) => pod.namespace === first.namespace && !own.has(index));
  const telling = common.find(([key, value]) => others.every(({ labels }) => labels.get(key) !== value));
  return telling === undefined ? common : [telling];
}
