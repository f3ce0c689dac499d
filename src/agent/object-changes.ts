// One object of the API server as changes of a cluster.
import type { ClusterChange } from '../compile/cluster-change.ts';
import type { ClusterObject } from '../kube/cluster-api.ts';
import { hasErrors, type Finding } from '../base/finding.ts';
import type { Pod } from '../model/cluster.ts';
import { readManifests, sourceFromText } from '../read/read.ts';
import type { ToldChange, ToldPolicy } from './told.ts';

export class ObjectChanges {
  /** What takes away what an object put. */
  private readonly removals = new Map<string, ClusterChange>();

  keys(): Iterable<string> {
    return this.removals.keys();
  }

  put(key: string, object: ClusterObject): readonly ToldChange[] {
    const text = JSON.stringify(object);
    const { cluster, findings } = readManifests([sourceFromText(key, text)], { lenient: true });
    switch (object.kind) {
      case 'Pod':
        return this.putPod(key, cluster.pods[0]);
      case 'Namespace':
        return cluster.namespaces.flatMap((namespace) => this.keep(key, { change: { kind: 'put-namespace', namespace } }, { kind: 'remove-namespace', name: namespace.name }));
      case 'Node':
        return cluster.nodes.flatMap((node) => this.keep(key, { change: { kind: 'put-node', node } }, { kind: 'remove-node', name: node.name }));
      case 'NetworkPolicy':
        return cluster.policies.flatMap((policy) => this.keep(key, { change: { kind: 'put-policy', policy }, policy: identify(object, findings) }, { kind: 'remove-policy', namespace: policy.namespace, name: policy.name }));
      default:
        return cluster.clusterPolicies.flatMap((policy) => this.keep(key, { change: { kind: 'put-cluster-policy', policy }, policy: identify(object, findings) }, { kind: 'remove-cluster-policy', policy }));
    }
  }

  remove(key: string): readonly ToldChange[] {
    const change = this.removals.get(key);
    if (change === undefined) return [];
    this.removals.delete(key);
    return [{ change }];
  }

  /** A pod that is Succeeded or Failed is not there. */
  private putPod(key: string, pod: Pod | undefined): readonly ToldChange[] {
    if (pod === undefined) return this.remove(key);
    return this.keep(key, { change: { kind: 'put-pod', pod } }, { kind: 'remove-pod', pod });
  }

  /** A pod whose owner changed is found under another name. */
  private keep(key: string, told: ToldChange, removal: ClusterChange): readonly ToldChange[] {
    const before = this.removals.get(key);
    this.removals.set(key, removal);
    const isMoved = before?.kind === 'remove-pod' && removal.kind === 'remove-pod' && before.pod.workload.name !== removal.pod.workload.name;
    return isMoved ? [{ change: before }, told] : [told];
  }
}

function identify({ apiVersion, kind, metadata }: ClusterObject, findings: readonly Finding[]): ToldPolicy {
  const { name, namespace = '', uid, generation, resourceVersion } = metadata;
  const problems = findings.filter(({ severity }) => severity !== 'info');
  return {
    apiVersion,
    kind,
    namespace,
    name,
    uid: String(uid ?? ''),
    generation: Number(generation ?? 0),
    resourceVersion: String(resourceVersion ?? ''),
    problem: hasErrors(findings) || problems.length > 0 ? problems[0]!.message : undefined,
  };
}
