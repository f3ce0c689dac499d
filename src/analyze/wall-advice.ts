// How a wall of an impact would be built: a policy to add where nothing isolates the pods, else the rules to narrow.
import type { Program, RuleReference } from '../compile/program.ts';
import type { EndpointRef } from './endpoint.ts';
import { listEndpoints } from './endpoints.ts';
import { explain } from './explain.ts';
import type { Impact, Wall } from './impact.ts';

export type WallAdvice =
  /** `labels`: select these pods and, if there are any labels that do, no others of the namespace. */
  | { readonly kind: 'add-policy'; readonly namespace: string; readonly labels: readonly (readonly [key: string, value: string])[] }
  /** Ingress rules that let in whoever reaches the pods first on the way. */
  | { readonly kind: 'narrow-rules'; readonly rules: readonly RuleReference[] }
  /** No policy governs the pods: they use the network of their node. */
  | { readonly kind: 'host-network' }
  /** Something other than a NetworkPolicy lets it in, such as the Admin tier. */
  | { readonly kind: 'other' };

/** `pod` is the compromised one. */
export function adviseWall(program: Program, { pod, impact, wall }: { readonly pod: number; readonly impact: Impact; readonly wall: Wall }): WallAdvice {
  const podsOf = podsByEndpoint(program);
  const [target] = podsOf(wall.endpoint.id);
  const reached = impact.reached.find(({ endpoint }) => endpoint.id === wall.endpoint.id);
  if (target === undefined || reached === undefined) return { kind: 'other' };
  if (program.cluster.pods[target]!.hostNetwork) return { kind: 'host-network' };
  const sources = reached.via === undefined ? [pod] : podsOf(reached.via.id);
  const source = sources.find((candidate) => candidate !== target) ?? pod;
  const { ingress } = explain(program, { source: ref(source), target: ref(target) });
  if (ingress.isolatedBy.length === 0) return { kind: 'add-policy', namespace: program.cluster.pods[target]!.namespace, labels: chooseLabels(program, podsOf(wall.endpoint.id)) };
  return ingress.allowedBy.length === 0 ? { kind: 'other' } : { kind: 'narrow-rules', rules: ingress.allowedBy };
}

function ref(pod: number): EndpointRef {
  return { kind: 'pod', pod };
}

function podsByEndpoint(program: Program): (id: string) => readonly number[] {
  const pods = new Map(listEndpoints(program, 'workload').map(({ endpoint, podIndices }) => [endpoint.id, podIndices]));
  return (id) => pods.get(id) ?? [];
}

/** One label that all of the pods have and no other pod of the namespace, else all that they have in common. */
function chooseLabels({ cluster }: Program, indices: readonly number[]): [string, string][] {
  const pods = indices.map((index) => cluster.pods[index]!);
  const [first] = pods;
  if (first === undefined) return [];
  const common = [...first.labels].filter(([key, value]) => pods.every(({ labels }) => labels.get(key) === value));
  const others = cluster.pods.filter((pod, index) => pod.namespace === first.namespace && !indices.includes(index));
  const telling = common.find(([key, value]) => others.every(({ labels }) => labels.get(key) !== value));
  return telling === undefined ? common : [telling];
}
