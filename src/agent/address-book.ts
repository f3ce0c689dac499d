// Who has which address on the cluster's network, and who had it until a moment ago.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { Pod } from '../model/cluster.ts';

/** One pod, as it was, with an address. */
export interface Tenancy {
  readonly pod: Pod;
  readonly address: IpAddress;
  /** Elapsed milliseconds. */
  readonly sinceMs: number;
}

interface Ended extends Tenancy {
  readonly untilMs: number;
}

/** Of those that ended since the last `forget`; beyond it the address is nobody's. */
const ENDED_MAX = 4_096;
/** The kernel's clock and ours are apart by no more, its ticks included. */
export const SLACK_MS = 20;

/** A class, for it lives in time. */
export class AddressBook {
  readonly #tenancies = new Map<string, Tenancy>();
  readonly #ended = new Map<string, Ended>();

  get size(): number {
    return this.#tenancies.size;
  }

  /** Whether the pod, as it is now, takes an address that somebody else has or has just left, or was otherwise until now. */
  isNews({ hostNetwork, addresses, namespace, name, labels }: Pod): boolean {
    return !hostNetwork && addresses.some((address) => {
      const key = formatIpAddress(address);
      const held = this.#tenancies.get(key) ?? this.#ended.get(key);
      return held !== undefined && (held.pod.namespace !== namespace || held.pod.name !== name || !isSameMap(held.pod.labels, labels));
    });
  }

  /** `isDrained`: whatever was seen of the address until now has been asked about. */
  put(pod: Pod, { nowMs, isDrained }: { readonly nowMs: number; readonly isDrained: boolean }): void {
    if (pod.hostNetwork) return;
    for (const address of pod.addresses) {
      const key = formatIpAddress(address);
      const held = this.#tenancies.get(key);
      if (held !== undefined) this.#end(key, held, nowMs);
      if (isDrained) this.#ended.delete(key);
      this.#tenancies.set(key, { pod, address, sinceMs: nowMs });
    }
  }

  remove({ addresses, namespace, name }: Pod, nowMs: number): void {
    for (const address of addresses) {
      const key = formatIpAddress(address);
      const held = this.#tenancies.get(key);
      if (held?.pod.namespace === namespace && held.pod.name === name) this.#end(key, held, nowMs);
    }
  }

  /** undefined: nobody had it then, as far as is known. A pod may be heard of a moment after it has begun to speak. */
  tenancyAt(address: IpAddress, seenMs: number): Tenancy | undefined {
    const key = formatIpAddress(address);
    const ended = this.#ended.get(key);
    if (ended !== undefined && seenMs <= ended.untilMs + SLACK_MS) return ended;
    const held = this.#tenancies.get(key);
    return held !== undefined && (ended === undefined || seenMs >= held.sinceMs - SLACK_MS) ? held : undefined;
  }

  /** Nothing that will be asked about was seen before then. */
  forget(untilMs: number): void {
    for (const [key, ended] of this.#ended) if (ended.untilMs < untilMs) this.#ended.delete(key);
  }

  #end(key: string, held: Tenancy, nowMs: number): void {
    this.#tenancies.delete(key);
    if (this.#ended.size < ENDED_MAX || this.#ended.has(key)) this.#ended.set(key, { ...held, untilMs: nowMs });
  }
}

function isSameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value));
}
