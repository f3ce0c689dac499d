// Follows a watch in the background and keeps what it tells, for tests that wait for something to be so.
import assert from 'node:assert/strict';
import type { ClusterApi, ClusterObject, ServedKind, WatchEvent, WatchOptions } from '../../src/kube/cluster-api.ts';

export interface WatchSeen {
  /** What is there, by `namespace/name`, or by the name alone where one namespace is watched. */
  readonly objects: ReadonlyMap<string, ClusterObject>;
  /** Sorted. */
  readonly names: readonly string[];
  /** Tellings that came to their end. */
  readonly syncs: number;
  readonly resumes: number;
  /** Codes of what went wrong, in order. */
  readonly troubles: readonly string[];
  /** Every event in a word or two: `put a`, `trouble expired`. */
  readonly log: readonly string[];
}

export interface WatchKeeper extends WatchSeen {
  /** Rejects when the watch ends first, or fails. */
  until(isSo: (seen: WatchSeen) => boolean): Promise<void>;
  stop(): Promise<void>;
}

export function keepWatch(api: ClusterApi, kind: ServedKind, options: Omit<WatchOptions, 'signal'> = {}): WatchKeeper {
  const abort = new AbortController();
  const seen = new Seen(options.namespace !== undefined || !kind.isNamespaced);
  const done = (async () => {
    for await (const event of api.watch(kind, { ...options, signal: abort.signal })) seen.take(event);
  })();
  done.catch(() => {}).finally(() => seen.end());
  const stop = async (): Promise<void> => {
    abort.abort();
    await done;
  };
  return Object.assign(seen, { stop });
}

class Seen implements WatchSeen {
  readonly #isNameEnough: boolean;
  #objects = new Map<string, ClusterObject>();
  #told = new Map<string, ClusterObject>();
  #isTelling = false;
  #isEnded = false;
  #stir = (): void => {};
  syncs = 0;
  resumes = 0;
  troubles: string[] = [];
  log: string[] = [];

  constructor(isNameEnough: boolean) {
    this.#isNameEnough = isNameEnough;
  }

  get objects(): ReadonlyMap<string, ClusterObject> {
    return this.#objects;
  }

  get names(): readonly string[] {
    return [...this.#objects.keys()].sort();
  }

  take(event: WatchEvent): void {
    this.log.push(wordsOf(event));
    switch (event.kind) {
      case 'restart':
        this.#told = new Map();
        this.#isTelling = true;
        break;
      case 'put':
        (this.#isTelling ? this.#told : this.#objects).set(this.#keyOf(event.object), event.object);
        break;
      case 'remove':
        (this.#isTelling ? this.#told : this.#objects).delete(this.#keyOf(event.object));
        break;
      case 'synced':
        assert.ok(this.#isTelling, 'what ends has begun');
        this.#objects = this.#told;
        this.#isTelling = false;
        this.syncs++;
        break;
      case 'resumed':
        this.resumes++;
        break;
      case 'trouble':
        this.troubles.push(event.error.code);
    }
    this.#stir();
  }

  end(): void {
    this.#isEnded = true;
    this.#stir();
  }

  async until(isSo: (seen: WatchSeen) => boolean): Promise<void> {
    while (!isSo(this)) {
      assert.ok(!this.#isEnded, 'the watch ended before it was so');
      await new Promise<void>((resolve) => {
        this.#stir = resolve;
      });
    }
  }

  #keyOf({ metadata: { namespace, name } }: Pick<ClusterObject, 'metadata'>): string {
    return this.#isNameEnough || namespace === undefined ? name : `${namespace}/${name}`;
  }
}

function wordsOf(event: WatchEvent): string {
  if (event.kind === 'trouble') return `trouble ${event.error.code}`;
  return 'object' in event ? `${event.kind} ${event.object.metadata.name}` : event.kind;
}
