// Follows a cluster through its watches: once everything is known the whole of it, then change by change, and what is in the way.
import type { ClusterApi, ServedKind, WatchEvent } from '../kube/cluster-api.ts';
import { withEarlyAddresses, type EarlyOptions } from './early-addresses.ts';
import { FollowedCluster } from './followed-cluster.ts';
import { FOLLOWED_KINDS, PODS } from './followed-kinds.ts';
import type { ClusterListener } from './told.ts';

export interface FollowerOptions {
  readonly api: ClusterApi;
  readonly listener: ClusterListener;
  readonly signal: AbortSignal;
  /** Whether a namespace may ask that its NetworkPolicies be judged and not enforced. */
  readonly allowsAudit: boolean;
  /** What the CNI gave to the pods of one node; without it their addresses are known when the API server tells them. */
  readonly early?: EarlyOptions | undefined;
}

/** Ends when the signal says so. Whatever the cluster does is told to the listener; fails for a bug only. */
export async function followCluster({ api, listener, signal, allowsAudit, early }: FollowerOptions): Promise<void> {
  // A bug in one of the watches ends them all.
  const stop = new AbortController();
  const follower = new ClusterFollower(listener, allowsAudit);
  const watches = FOLLOWED_KINDS.map((kind) => {
    const events = api.watch(kind, { signal: AbortSignal.any([signal, stop.signal]) });
    return follower.follow(kind, kind === PODS && early !== undefined ? withEarlyAddresses(events, early) : events);
  });
  try {
    await Promise.all(watches);
  } finally {
    stop.abort();
  }
}

class ClusterFollower {
  private readonly listener: ClusterListener;
  private readonly cluster: FollowedCluster;
  private readonly unsynced = new Set(FOLLOWED_KINDS);

  constructor(listener: ClusterListener, allowsAudit: boolean) {
    this.listener = listener;
    this.cluster = new FollowedCluster(allowsAudit);
  }

  async follow(kind: ServedKind, events: AsyncIterable<WatchEvent>): Promise<void> {
    let isTroubled = false;
    for await (const event of events) {
      if (event.kind === 'trouble') this.listener.trouble(kind.kind, event.error);
      else if (isTroubled) this.listener.trouble(kind.kind, undefined);
      isTroubled = event.kind === 'trouble';
      this.take(kind, event);
    }
  }

  private take(kind: ServedKind, event: WatchEvent): void {
    const changes = this.cluster.take(kind, event);
    if (this.unsynced.size === 0) {
      if (changes.length > 0) this.listener.change(changes);
      return;
    }
    if (event.kind === 'synced') this.unsynced.delete(kind);
    if (this.unsynced.size === 0) this.listener.begin(this.cluster.toCluster(), [...this.cluster.policies()]);
  }
}
