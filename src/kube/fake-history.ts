// What happened in a fake cluster, change by change, under versions that grow: what its watches are told from.
import { groupOf, type StoredObject } from './cluster-api.ts';

/** Of the object, not the kind: `before` is undefined where it was made, `after` where it was deleted. */
export interface FakeChange {
  readonly version: number;
  readonly before: StoredObject | undefined;
  readonly after: StoredObject | undefined;
}

/** Changes that are remembered; a watch that is further behind begins anew, as after a compaction. */
const CHANGES_MAX = 10_000;

/** A class, for it lives in time. */
export class FakeHistory {
  readonly #objects = new Map<string, StoredObject>();
  #changes: FakeChange[] = [];
  #version = 0;
  #uids = 0;

  get version(): number {
    return this.#version;
  }

  get objects(): Iterable<StoredObject> {
    return this.#objects.values();
  }

  find(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** Gives it a version, and what else a server gives. */
  put(key: string, object: StoredObject): StoredObject {
    const before = this.#objects.get(key);
    const generation = before === undefined ? 1 : before.metadata.generation! + (isSameIntent(before, object) ? 0 : 1);
    const version = ++this.#version;
    const identity = { uid: before?.metadata.uid ?? `uid-${++this.#uids}`, resourceVersion: `${version}`, generation };
    const after = { ...object, metadata: { ...object.metadata, ...identity } };
    this.#objects.set(key, after);
    this.#remember({ version, before, after });
    return after;
  }

  /** Whether it was there. */
  remove(key: string): boolean {
    const before = this.#objects.get(key);
    if (before === undefined) return false;
    this.#objects.delete(key);
    this.#remember({ version: ++this.#version, before, after: undefined });
    return true;
  }

  /** Everything before now, as etcd's compaction does. */
  forget(): void {
    this.#changes = [];
  }

  /** undefined: what came after that version is forgotten. */
  since(version: number): readonly FakeChange[] | undefined {
    const missed = this.#version - version;
    return missed > this.#changes.length ? undefined : this.#changes.slice(this.#changes.length - missed);
  }

  #remember(change: FakeChange): void {
    this.#changes.push(change);
    if (this.#changes.length > 2 * CHANGES_MAX) this.#changes = this.#changes.slice(CHANGES_MAX);
  }
}

export function keyOf(apiVersion: string, kind: string, namespace: string, name: string): string {
  return `${groupOf(apiVersion)}/${kind}/${namespace}/${name}`;
}

/** Metadata and status do not count. */
function isSameIntent(a: StoredObject, b: StoredObject): boolean {
  const intent = (object: StoredObject): string => JSON.stringify({ ...object, metadata: undefined, status: undefined });
  return intent(a) === intent(b);
}
