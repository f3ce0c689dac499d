// One watch of a fake cluster: tells what is there, then each change, and comes back by itself after what cuts it.
import type { ServedKind, StoredObject, WatchEvent, WatchOptions } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import type { FakeChange, FakeHistory } from './fake-history.ts';
import { meetsSelectors } from './fake-selector.ts';
import { watchedObject } from './watched-object.ts';

export interface FakeWatchSource {
  readonly history: FakeHistory;
  /** What is there; throws ClusterError where the server says no. */
  look(): readonly StoredObject[];
}

/** A class, for it lives in time. */
export class FakeWatch {
  readonly #kind: ServedKind;
  readonly #options: WatchOptions;
  readonly #source: FakeWatchSource;
  /** The version up to which everything has been told; undefined: nothing has been. */
  #told: number | undefined;
  #isCut = false;
  /** Something happened since the last look. */
  #isStirred = false;
  #wakeUp = (): void => {};

  constructor(kind: ServedKind, options: WatchOptions, source: FakeWatchSource) {
    this.#kind = kind;
    this.#options = options;
    this.#source = source;
  }

  wake(): void {
    this.#isStirred = true;
    this.#wakeUp();
  }

  cut(): void {
    this.#isCut = true;
    this.wake();
  }

  async *events(): AsyncGenerator<WatchEvent> {
    const { signal } = this.#options;
    const onAbort = (): void => this.wake();
    signal.addEventListener('abort', onAbort);
    try {
      let isTroubled = false;
      while (!signal.aborted) {
        this.#isStirred = false;
        const found = this.#look();
        if (found instanceof ClusterError) {
          if (!isTroubled) yield { kind: 'trouble', error: found, retryInMs: 0 };
          isTroubled = true;
        } else {
          const { version } = this.#source.history;
          const missed = this.#told === undefined ? undefined : this.#source.history.since(this.#told);
          if (missed !== undefined && isTroubled) yield { kind: 'resumed' };
          isTroubled = false;
          yield* missed === undefined ? this.#tellAll(found) : missed.flatMap((change) => this.#tell(change));
          this.#told = version;
        }
        await this.#change();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** A kind that is not served has no objects. */
  #look(): readonly StoredObject[] | ClusterError {
    if (this.#isCut) {
      this.#isCut = false;
      this.#isStirred = true; // the next look is the way back
      return new ClusterError('unreachable', 'the connection was cut');
    }
    try {
      return this.#source.look();
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      return error.code === 'not-found' ? [] : error;
    }
  }

  *#tellAll(found: readonly StoredObject[]): Generator<WatchEvent> {
    yield { kind: 'restart' };
    for (const stored of found) yield* this.#tell({ version: 0, before: undefined, after: stored });
    yield { kind: 'synced' };
  }

  /** What no longer meets the selectors is told as removed. */
  #tell({ before, after }: FakeChange): readonly WatchEvent[] {
    const object = this.#seen(after);
    if (object !== undefined) return [{ kind: 'put', object }];
    const gone = this.#seen(before);
    return gone === undefined ? [] : [{ kind: 'remove', object: { apiVersion: gone.apiVersion, kind: gone.kind, metadata: gone.metadata } }];
  }

  #seen(stored: StoredObject | undefined): ReturnType<typeof watchedObject> {
    const { namespace, fieldSelector, labelSelector } = this.#options;
    if (stored === undefined || !isOfKind(stored, this.#kind)) return undefined;
    const of = this.#kind.isNamespaced ? stored.metadata.namespace : stored.kind === 'Namespace' ? stored.metadata.name : namespace;
    if (namespace !== undefined && of !== namespace) return undefined;
    const selectors = { ...(fieldSelector === undefined ? {} : { fieldSelector }), ...(labelSelector === undefined ? {} : { labelSelector }) };
    return meetsSelectors(stored, selectors) ? watchedObject(this.#kind, stored) : undefined;
  }

  async #change(): Promise<void> {
    if (this.#isStirred) return;
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve;
    });
  }
}

export function isOfKind({ apiVersion, kind }: StoredObject, served: ServedKind): boolean {
  return apiVersion === served.apiVersion && kind === served.kind;
}
