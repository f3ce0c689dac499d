// Reads from a cluster what a rollout is made of, and goes on reading it while somebody waits.
import type { ClusterApi, ClusterObject, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { isPolicyKind } from '../read/values/kinds.ts';
import { NODE_ENFORCEMENT } from './node-enforcement.ts';
import type { RolloutObjects } from './rollout.ts';

/** Answers other than a plain no that a server may give before it has told anything of a kind. */
const TROUBLES_MAX = 5;

/** Each time that something changed and everything has been told, until the signal. Fails with ClusterError where the server says no at first. */
export async function* watchRollout(api: Pick<ClusterApi, 'discover' | 'watch'>, signal: AbortSignal): AsyncGenerator<RolloutObjects> {
  const { kinds } = await api.discover();
  const wanted = [...kinds.filter(({ kind }) => kind === 'Node' || isPolicyKind(kind)), NODE_ENFORCEMENT];
  const followed = wanted.map((kind) => new FollowedKind(kind));
  const changes = new Changes();
  const stop = new AbortController();
  const ends = followed.map((one) => one.follow(api, AbortSignal.any([signal, stop.signal]), changes).catch((error: unknown) => changes.fail(error)));
  try {
    for (;;) {
      await changes.next(signal);
      if (signal.aborted) return;
      if (followed.every(({ isSynced }) => isSynced)) yield objectsOf(followed);
    }
  } finally {
    stop.abort();
    await Promise.all(ends);
  }
}

function objectsOf(followed: readonly FollowedKind[]): RolloutObjects {
  const of = (isWanted: (kind: string) => boolean): readonly ClusterObject[] => followed.filter(({ kind }) => isWanted(kind)).flatMap(({ objects }) => [...objects.values()]);
  return { nodes: of((kind) => kind === 'Node'), enforcements: of((kind) => kind === NODE_ENFORCEMENT.kind), policies: of(isPolicyKind) };
}

class FollowedKind {
  readonly #served: ServedKind;
  objects = new Map<string, ClusterObject>();
  #told: Map<string, ClusterObject> | undefined;
  isSynced = false;
  #troubles = 0;

  constructor(served: ServedKind) {
    this.#served = served;
  }

  get kind(): string {
    return this.#served.kind;
  }

  async follow(api: Pick<ClusterApi, 'watch'>, signal: AbortSignal, changes: Changes): Promise<void> {
    for await (const event of api.watch(this.#served, { signal })) {
      if (event.kind === 'trouble') {
        // Who has seen nothing yet must hear why; who has, waits for the way to open again. A server is busy for a moment after a kind was made.
        if (!this.isSynced && (event.error.code !== 'server-error' || ++this.#troubles > TROUBLES_MAX)) throw event.error;
        continue;
      }
      if (event.kind === 'restart') this.#told = new Map();
      else if (event.kind === 'put') (this.#told ?? this.objects).set(keyOf(event.object), event.object);
      else if (event.kind === 'remove') (this.#told ?? this.objects).delete(keyOf(event.object));
      else if (event.kind === 'synced') {
        if (this.#told !== undefined) this.objects = this.#told;
        this.#told = undefined;
        this.isSynced = true;
      }
      changes.ring();
    }
  }
}

function keyOf({ metadata: { namespace = '', name } }: Pick<ClusterObject, 'metadata'>): string {
  return `${namespace}/${name}`;
}

/** Rings that came since somebody looked are one. */
class Changes {
  #hasRung = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#error ??= error instanceof ClusterError ? error : new Error('bug: a watch failed', { cause: error });
    this.ring();
  }

  async next(signal: AbortSignal): Promise<void> {
    if (!this.#hasRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#wake = undefined;
    this.#hasRung = false;
    if (this.#error !== undefined) throw this.#error;
  }
}
