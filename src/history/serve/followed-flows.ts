// What is written to a store as it comes, for all who follow it: what several nodes tell of one connection is joined once.
import type { FlowRecord } from '../../flow/flow-record.ts';
import { LiveJoining, type Told } from '../../flow/join-live.ts';
import type { Dictionaries } from '../store/dictionaries.ts';
import { NONE } from '../store/flow-keys.ts';
import type { FlowStore, WrittenListener } from '../store/flow-store.ts';
import { DAY_MS } from '../store/store-schema.ts';
import { recordMaker, type IsWantedFlow } from '../ask/wanted-flows.ts';

export interface FlowFollower {
  /** Refusals are sent at once anyway. */
  readonly wantsAllowed: boolean;
  /** By numbers of flows: the same for all that has the same ends and traffic. */
  readonly wanted: (known: Dictionaries) => IsWantedFlow;
  readonly take: (told: Told) => void;
  /** All of it has been told, but so many judgments. */
  readonly written: (lost: number) => void;
}

/** A class, for it lives in time. */
export class FollowedFlows {
  readonly #store: Pick<FlowStore, 'onWritten'>;
  readonly #followers = new Set<FlowFollower>();
  #joining = new LiveJoining();
  #stop: () => void = () => undefined;
  #text: { readonly record: FlowRecord; readonly text: string } | undefined;

  constructor(store: Pick<FlowStore, 'onWritten'>) {
    this.#store = store;
  }

  /** For who begins to follow now. */
  get next(): number {
    return this.#joining.next;
  }

  get wantsAllowed(): boolean {
    return [...this.#followers].some(({ wantsAllowed }) => wantsAllowed);
  }

  /** What one after the other is shown is written once. */
  textOf(record: FlowRecord, write: (record: FlowRecord) => string): string {
    if (this.#text?.record !== record) this.#text = { record, text: write(record) };
    return this.#text.text;
  }

  /** Gives what ends it. */
  add(follower: FlowFollower): () => void {
    if (this.#followers.size === 0) this.#stop = this.#store.onWritten(this.#tell);
    this.#followers.add(follower);
    return () => {
      if (!this.#followers.delete(follower) || this.#followers.size > 0) return;
      this.#stop();
      this.#joining = new LiveJoining();
    };
  }

  readonly #tell: WrittenListener = (known, batches) => {
    const followers = [...this.#followers].map((follower) => ({ follower, isWanted: follower.wanted(known) }));
    const recordOf = recordMaker(known);
    let lost = 0;
    for (const batch of batches) {
      lost += batch.lost;
      for (const [day, { flow, last, lasted, count, openings }] of batch.days) {
        for (const [row, id] of flow.entries()) {
          const wanting = followers.filter(({ isWanted }) => isWanted(id));
          if (wanting.length === 0) continue;
          const lastSeen = day * DAY_MS + last[row]!;
          const told = this.#joining.take(recordOf(id, { count: count[row]!, openings: openings[row] === NONE ? undefined : openings[row]!, firstSeen: lastSeen - lasted[row]!, lastSeen }), batch.aheadMs);
          for (const { follower } of wanting) follower.take(told);
        }
      }
    }
    for (const { follower } of followers) follower.written(lost);
  };
}
