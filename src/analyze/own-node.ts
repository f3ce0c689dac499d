// What is never judged because it stays on one node: traffic between a pod and the host network of the node it runs on.
import type { Program } from '../compile/program.ts';
import type { PlacedEndpoint } from './endpoints.ts';

/** For a source endpoint, the targets of which some pod shares a node with one of its pods through host network; needs known nodes. */
export function ownNodeFinder(program: Program, placed: readonly PlacedEndpoint[]): (source: number) => readonly number[] {
  const { pods } = program.cluster;
  if (!pods.some((pod) => pod.hostNetwork && pod.nodeName !== undefined)) return () => [];
  const all = new Map<string, Set<number>>();
  const onHost = new Map<string, Set<number>>();
  const eachPod = (endpoint: number, visit: (node: string, hostNetwork: boolean) => void): void => {
    for (const index of placed[endpoint]!.podIndices) {
      const { nodeName, hostNetwork } = pods[index]!;
      if (nodeName !== undefined) visit(nodeName, hostNetwork);
    }
  };
  for (const endpoint of placed.keys()) {
    eachPod(endpoint, (node, hostNetwork) => {
      add(all, node, endpoint);
      if (hostNetwork) add(onHost, node, endpoint);
    });
  }
  return (source) => {
    const targets = new Set<number>();
    eachPod(source, (node, hostNetwork) => {
      for (const target of (hostNetwork ? all : onHost).get(node) ?? []) if (target !== source) targets.add(target);
    });
    return [...targets];
  };
}

function add(map: Map<string, Set<number>>, key: string, value: number): void {
  map.set(key, (map.get(key) ?? new Set()).add(value));
}
