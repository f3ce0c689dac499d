// Pods of the node have the addresses that its CNI gave them before the API server knows: the kubelet tells it up to a second later.
import { formatIpAddress } from '../base/ip-address.ts';
import type { GivenAddresses } from '../kernel/given-addresses.ts';
import type { ClusterObject, WatchEvent } from '../kube/cluster-api.ts';

export interface EarlyOptions {
  readonly node: string;
  readonly given: GivenAddresses;
}

/** What a watch of Pods tells, and a pod once more when its addresses come to be known here; what the API server tells of them goes before. */
export async function* withEarlyAddresses(events: AsyncIterable<WatchEvent>, { node, given }: EarlyOptions): AsyncGenerator<WatchEvent> {
  const waiting = new WaitingPods(node, given);
  const unwatch = given.watch((uid) => waiting.ring(uid));
  const told = events[Symbol.asyncIterator]();
  try {
    for (let next = told.next(); ; ) {
      const came = await Promise.race([next, waiting.rung()]);
      yield* waiting.takeDue();
      if (came === undefined) continue;
      if (came.done === true) return;
      yield waiting.take(came.value);
      next = told.next();
    }
  } finally {
    unwatch(); // whoever opened the watch ends it
  }
}

/** Of this node alone, and only those of which the API server tells no address: as many as start at one time. A class, for it lives in time. */
class WaitingPods {
  readonly #node: string;
  readonly #given: GivenAddresses;
  readonly #byPlace = new Map<string, ClusterObject>();
  readonly #due = new Set<string>();
  #wake = (): void => undefined;

  constructor(node: string, given: GivenAddresses) {
    this.#node = node;
    this.#given = given;
  }

  ring(uid: string): void {
    this.#due.add(uid);
    this.#wake();
  }

  /** A promise for each time that somebody waits: one that lived on would keep all that it was ever raced against. */
  rung(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#wake = () => resolve(undefined);
      if (this.#due.size > 0) this.#wake();
    });
  }

  /** Those that wait and of which something else is known now. */
  *takeDue(): Generator<WatchEvent> {
    if (this.#due.size === 0) return;
    const due = new Set(this.#due);
    this.#due.clear();
    for (const object of this.#byPlace.values()) if (due.has(uidOf(object))) yield { kind: 'put', object: this.#filled(object) };
  }

  take(event: WatchEvent): WatchEvent {
    if (event.kind === 'restart') this.#byPlace.clear();
    if (event.kind === 'remove') this.#byPlace.delete(placeOf(event.object));
    if (event.kind !== 'put') return event;
    const { object } = event;
    if (!this.#isWaiting(object)) {
      this.#byPlace.delete(placeOf(object));
      return event;
    }
    this.#byPlace.set(placeOf(object), object);
    return { kind: 'put', object: this.#filled(object) };
  }

  #isWaiting(object: ClusterObject): boolean {
    const { nodeName, hostNetwork } = (object['spec'] ?? {}) as { readonly nodeName?: unknown; readonly hostNetwork?: unknown }; // core/v1
    const { phase, podIP, podIPs } = (object['status'] ?? {}) as { readonly phase?: unknown; readonly podIP?: unknown; readonly podIPs?: unknown }; // core/v1
    return nodeName === this.#node && hostNetwork !== true && podIP === undefined && podIPs === undefined && phase !== 'Succeeded' && phase !== 'Failed';
  }

  #filled(object: ClusterObject): ClusterObject {
    const addresses = this.#given.of(uidOf(object))?.map(formatIpAddress);
    if (addresses === undefined) return object;
    const status = (object['status'] ?? {}) as Readonly<Record<string, string>>; // core/v1; what else is there is handed on
    return { ...object, status: { ...status, podIP: addresses[0]!, podIPs: addresses.map((ip) => ({ ip })) } };
  }
}

function placeOf({ metadata: { namespace = '', name } }: Pick<ClusterObject, 'metadata'>): string {
  return `${namespace}/${name}`;
}

/** A pod that is deleted and made again has another one. */
function uidOf({ metadata }: ClusterObject): string {
  return `${metadata['uid'] ?? ''}`;
}
