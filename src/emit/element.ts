// An element of a map or set, as values.
import type { SetName } from './set-shape.ts';

/** Fields of the key in the order of the set's shape; `last` where the set holds intervals, `data` where it is a map. */
export interface Element {
  readonly key: Key;
  /** The end of the interval, included. */
  readonly last?: Key;
  readonly data?: number;
  /** Where the set takes notes: plain ASCII, at most `NOTE_LENGTH_MAX`. */
  readonly note?: string;
}

/** The kernel keeps 256 bytes with an element; nft's comment takes three of them. */
export const NOTE_LENGTH_MAX = 253;

export type Key = readonly (bigint | number)[];

/** Every set stands here, also the empty ones. */
export type Elements = ReadonlyMap<SetName, readonly Element[]>;

/** Names an element within its set; two elements with equal text and equal data are the same. */
export function keyText(element: Element): string {
  return element.last === undefined ? element.key.join() : `${element.key.join()}-${element.last.join()}`;
}
