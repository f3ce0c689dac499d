// Which names pods of the node looked up before they spoke to an address: for people to read, so that nothing is opened by it.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { DnsAnswer } from '../base/dns-answer.ts';

/** Of one pod, and of all; who is told more forgets what it was told first, and where all are too many none is learnt. */
export const SEEN_PER_POD_MAX = 512;
export const SEEN_MAX = 16_384;
/** Of one address, the latest. */
const NAMES_MAX = 4;

const NONE: readonly string[] = [];

/** A class, for it lives in time. */
export class SeenNames {
  readonly #pods = new Map<string, Map<string, readonly string[]>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  learn(pod: IpAddress, { name, addresses }: DnsAnswer): void {
    const key = formatIpAddress(pod);
    for (const { address } of addresses) {
      const seen = this.#pods.get(key) ?? new Map<string, readonly string[]>();
      const text = formatIpAddress(address);
      const names = seen.get(text);
      if (names?.includes(name) === true) continue;
      if (names === undefined) {
        if (seen.size >= SEEN_PER_POD_MAX) this.#forgetFirst(seen);
        if (this.#count >= SEEN_MAX) return;
        this.#count++;
      }
      seen.set(text, [name, ...(names ?? NONE)].slice(0, NAMES_MAX));
      this.#pods.set(key, seen);
    }
  }

  /** By which the pod was told the address, the latest first. */
  of(pod: IpAddress, address: IpAddress): readonly string[] {
    return this.#count === 0 ? NONE : this.#pods.get(formatIpAddress(pod))?.get(formatIpAddress(address)) ?? NONE;
  }

  /** Nothing of it is left to whoever gets the address. */
  forget(pod: IpAddress): void {
    const key = formatIpAddress(pod);
    this.#count -= this.#pods.get(key)?.size ?? 0;
    this.#pods.delete(key);
  }

  #forgetFirst(seen: Map<string, readonly string[]>): void {
    seen.delete(seen.keys().next().value!);
    this.#count--;
  }
}
