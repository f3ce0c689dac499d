// Who has which address on the cluster's network, and who had it until a moment ago.
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { Pod } from '../model/cluster.ts';

/** An address that somebody gave up. */
interface Ended {
  readonly pod: Pod;
  readonly untilMs: number;
  /** Since when the next one has it; until somebody has, as `untilMs`. */
  readonly nextSinceMs: number;
}

/** Of those that ended since the last `forget`, of one family; beyond it whoever has the address now is taken to have had it. */
const ENDED_MAX = 4_096;
/** The kernel's clock and ours are apart by no more, its ticks included. */
export const SLACK_MS = 20;

/** By the numbers of the addresses, which the pods keep anyway: of a hundred thousand, texts and times of their own would weigh 9 MB. Times are elapsed milliseconds. */
class FamilyBook {
  readonly holders = new Map<bigint, Pod>();
  readonly ended = new Map<bigint, Ended>();

  end(value: bigint, pod: Pod, nowMs: number): void {
    this.holders.delete(value);
    if (this.ended.size < ENDED_MAX || this.ended.has(value)) this.ended.set(value, { pod, untilMs: nowMs, nextSinceMs: nowMs });
  }
}

/** A class, for it lives in time. */
export class AddressBook {
  readonly #books: Readonly<Record<IpFamily, FamilyBook>> = { 4: new FamilyBook(), 6: new FamilyBook() };

  /** Whether the pod, as it is now, takes an address that somebody else has or has just left, or was otherwise until now. */
  isNews({ hostNetwork, addresses, namespace, name, labels }: Pod): boolean {
    return !hostNetwork && addresses.some(({ family, value }) => {
      const { holders, ended } = this.#books[family];
      const held = holders.get(value) ?? ended.get(value)?.pod;
      return held !== undefined && (held.namespace !== namespace || held.name !== name || !isSameMap(held.labels, labels));
    });
  }

  /** `isDrained`: whatever was seen of the address until now has been asked about. */
  put(pod: Pod, { nowMs, isDrained }: { readonly nowMs: number; readonly isDrained: boolean }): void {
    if (pod.hostNetwork) return;
    for (const { family, value } of pod.addresses) {
      const book = this.#books[family];
      const held = book.holders.get(value);
      if (held !== undefined) book.end(value, held, nowMs);
      const ended = book.ended.get(value);
      if (isDrained) book.ended.delete(value);
      else if (ended !== undefined) book.ended.set(value, { ...ended, nextSinceMs: nowMs });
      book.holders.set(value, pod);
    }
  }

  remove({ addresses, namespace, name }: Pod, nowMs: number): void {
    for (const { family, value } of addresses) {
      const book = this.#books[family];
      const held = book.holders.get(value);
      if (held?.namespace === namespace && held.name === name) book.end(value, held, nowMs);
    }
  }

  /** The pod as it was; undefined: nobody had it then, as far as is known. A pod may be heard of a moment after it has begun to speak. */
  holderAt({ family, value }: IpAddress, seenMs: number): Pod | undefined {
    const { holders, ended } = this.#books[family];
    const left = ended.get(value);
    if (left !== undefined && seenMs <= left.untilMs + SLACK_MS) return left.pod;
    return left === undefined || seenMs >= left.nextSinceMs - SLACK_MS ? holders.get(value) : undefined;
  }

  /** Nothing that will be asked about was seen before then. */
  forget(untilMs: number): void {
    for (const { ended } of Object.values(this.#books)) for (const [value, { untilMs: endMs }] of ended) if (endMs < untilMs) ended.delete(value);
  }
}

function isSameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value));
}
