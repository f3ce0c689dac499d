// Follows what a cluster has of the kinds that decide on a node: first the whole, then change by change.
import type { ClusterApi, ClusterObject, ServedKind, WatchEvent } from '../kube/cluster-api.ts';
import { clusterOf } from './cluster-of.ts';
import { ObjectChanges } from './object-changes.ts';
import type { ClusterListener, ToldChange } from './told.ts';

/** Of all that a server may serve, what decides about packets on a node; Services do not, for packets are judged after translation. */
const FOLLOWED: ReadonlySet<string> = new Set(['Namespace', 'Pod', 'Node', 'NetworkPolicy', 'ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy']);

export interface FollowerOptions {
  readonly api: ClusterApi;
  readonly listener: ClusterListener;
  readonly signal: AbortSignal;
}

/** Ends when the signal says so. Fails with ClusterError where the kinds cannot be asked for. */
export async function followCluster({ api, listener, signal }: FollowerOptions): Promise<void> {
  const { kinds } = await api.discover();
  const followed = kinds.filter(({ kind }) => FOLLOWED.has(kind));
  const follower = new ClusterFollower(listener, followed);
  await Promise.all(followed.map((kind) => follower.follow(kind, api.watch(kind, { signal }))));
}

class ClusterFollower {
  private readonly listener: ClusterListener;
  private readonly unsynced: Set<ServedKind>;
  private readonly objects = new ObjectChanges();
  /** Until everything has been told once. */
  private first: Map<string, ClusterObject> | undefined = new Map();

  constructor(listener: ClusterListener, kinds: readonly ServedKind[]) {
    this.listener = listener;
    this.unsynced = new Set(kinds);
  }

  async follow(kind: ServedKind, events: AsyncIterable<WatchEvent>): Promise<void> {
    const seen = new Set<string>();
    let isRestarted = true;
    let isTroubled = false;
    for await (const event of events) {
      if (isTroubled && event.kind !== 'trouble') {
        isTroubled = false;
        this.listener.trouble(kind.kind, undefined);
      }
      switch (event.kind) {
        case 'put':
          if (isRestarted) seen.add(keyOf(event.object));
          this.put(event.object);
          break;
        case 'remove':
          seen.delete(keyOf(event.object));
          this.remove(keyOf(event.object));
          break;
        case 'restart':
          isRestarted = true;
          seen.clear();
          break;
        case 'synced':
          if (isRestarted) this.removeUnseen(kind, seen);
          isRestarted = false;
          seen.clear();
          this.synced(kind);
          break;
        case 'trouble':
          isTroubled = true;
          this.listener.trouble(kind.kind, event.error);
      }
    }
  }

  private put(object: ClusterObject): void {
    if (this.first !== undefined) this.first.set(keyOf(object), object);
    else this.tell(this.objects.put(keyOf(object), object));
  }

  private remove(key: string): void {
    if (this.first !== undefined) this.first.delete(key);
    else this.tell(this.objects.remove(key));
  }

  private removeUnseen({ kind }: ServedKind, seen: ReadonlySet<string>): void {
    const held = Array.from(this.first !== undefined ? this.first.keys() : this.objects.keys());
    for (const key of held) if (key.startsWith(`${kind}/`) && !seen.has(key)) this.remove(key);
  }

  private synced(kind: ServedKind): void {
    this.unsynced.delete(kind);
    if (this.first === undefined || this.unsynced.size > 0) return;
    const { first } = this;
    this.first = undefined;
    const changes = [...first].flatMap(([key, object]) => this.objects.put(key, object));
    this.listener.begin(clusterOf(changes.map(({ change }) => change)), changes.flatMap(({ policy }) => policy ?? []));
  }

  private tell(changes: readonly ToldChange[]): void {
    if (changes.length > 0) this.listener.change(changes);
  }
}

function keyOf({ kind, metadata: { namespace = '', name } }: Pick<ClusterObject, 'kind' | 'metadata'>): string {
  return `${kind}/${namespace}/${name}`;
}
