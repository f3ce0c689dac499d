// What the API server told, as an agent takes it in: a whole cluster once, then change by change.
import type { ClusterChange } from '../compile/cluster-change.ts';
import type { Cluster } from '../model/cluster.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import type { ClusterError } from '../kube/cluster-error.ts';
import type { PolicyIdentity } from './agent-state.ts';

/** Of a policy that is audited the change takes it out of what is enforced. */
export interface ToldPolicy extends PolicyIdentity {
  /** What the policy says, where it is judged and not enforced. */
  readonly audited?: NetworkPolicy;
  /** What of it could not be understood, and is closed. */
  readonly problem: string | undefined;
}

export interface ToldChange {
  readonly change: ClusterChange;
  /** Of a policy that was put: which generation of it this is. */
  readonly policy?: ToldPolicy;
}

/** Called in order; never from within each other. */
export interface ClusterListener {
  /** Everything that decides about traffic has been told for the first time. */
  begin(cluster: Cluster, policies: readonly ToldPolicy[]): void;
  change(changes: readonly ToldChange[]): void;
  /** The way to the objects of a kind is cut, or open again when undefined. */
  trouble(kind: string, error: ClusterError | undefined): void;
}
