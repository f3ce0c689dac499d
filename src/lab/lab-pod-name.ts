// Names of the pods of a lab: a replica is numbered, and no two pods of a namespace share a name.
import type { Pod } from '../model/cluster.ts';

/** One name for each replica, without the namespace; replicas of one pod stand together. */
export function namePods(pods: readonly Pod[], replicas: readonly { readonly pod: number }[]): string[] {
  const taken = new Set<string>();
  // A pod that bears its own name keeps it; what is made up gives way.
  for (const pod of pods) if (pod.replicas === 1 && pod.workload.kind === 'Pod') taken.add(`${pod.namespace}/${pod.name}`);
  const kept = new Set<string>();
  let number = 0;
  return replicas.map(({ pod: index }, position) => {
    const pod = pods[index]!;
    number = position > 0 && replicas[position - 1]!.pod === index ? number + 1 : 0;
    const suffix = pod.replicas > 1 ? `-${number}` : '';
    const own = `${pod.namespace}/${pod.name}`;
    if (suffix === '' && pod.workload.kind === 'Pod' && !kept.has(own)) {
      kept.add(own);
      return pod.name;
    }
    const name = [`${pod.name}${suffix}`, `${pod.name}-${pod.workload.kind.toLowerCase()}${suffix}`].find(isFree) ?? numbered(pod, suffix);
    taken.add(`${pod.namespace}/${name}`);
    return name;

    function isFree(candidate: string): boolean {
      return !taken.has(`${pod.namespace}/${candidate}`);
    }
  });

  function numbered(pod: Pod, suffix: string): string {
    for (let count = 2; ; count++) {
      const name = `${pod.name}${suffix}-${count}`;
      if (!taken.has(`${pod.namespace}/${name}`)) return name;
    }
  }
}
