// What clients asked for before address translation, joined with what the ledger counted: of each record, how many came by which Service's address.
import type { AskedPlace, LedgerEntry } from '../firewall.ts';

interface AskedCount {
  entry: LedgerEntry;
  packets: number;
  /** Of them, those that were counted since the last drain. */
  fresh: number;
}

/** Good for one drain. A class, for what was told is taken away. */
export class AskedCounts {
  readonly #byEnds = new Map<string, AskedCount[]>();

  /** `early`: what the drain before had no record for. */
  constructor(early: readonly LedgerEntry[]) {
    for (const entry of early) this.#put({ entry, packets: entry.packets, fresh: 0 });
  }

  /** Of an entry that says what was asked for. */
  add(entry: LedgerEntry): void {
    this.#put({ entry, packets: entry.packets, fresh: entry.packets });
  }

  /** In as many parts as there were places asked for, and one for what came straight to its target. */
  split(entry: LedgerEntry): readonly LedgerEntry[] {
    if (this.#byEnds.size === 0) return [entry];
    const parts: LedgerEntry[] = [];
    let rest = entry.packets;
    for (const count of this.#byEnds.get(keyOf(entry)) ?? []) {
      const packets = Math.min(rest, count.packets);
      if (packets === 0) continue;
      count.packets -= packets;
      rest -= packets;
      parts.push({ ...entry, asked: count.entry.asked, packets, idleMs: count.entry.idleMs });
    }
    return rest === 0 ? parts : [...parts, { ...entry, packets: rest }];
  }

  /** What came between the reading of the two sets is in the second alone, and at the next drain in the first. Older ones will have no record. */
  early(): readonly LedgerEntry[] {
    return [...this.#byEnds.values()].flat().flatMap(({ entry, packets, fresh }) => {
      const waiting = Math.min(packets, fresh);
      return waiting === 0 ? [] : [{ ...entry, packets: waiting }];
    });
  }

  /** What was early and what came since are one. */
  #put(count: AskedCount): void {
    const key = keyOf(count.entry);
    const held = this.#byEnds.get(key) ?? [];
    const same = held.find(({ entry }) => isSamePlace(entry.asked, count.entry.asked));
    if (same === undefined) this.#byEnds.set(key, [...held, count]);
    else {
      same.entry = count.entry;
      same.packets += count.packets;
      same.fresh += count.fresh;
    }
  }
}

function isSamePlace(a: AskedPlace | undefined, b: AskedPlace | undefined): boolean {
  return a?.address.value === b?.address.value && a?.port === b?.port;
}

function keyOf({ verdict, source, target, protocol, port }: LedgerEntry): string {
  return `${verdict} ${source.family} ${source.value} ${target.value} ${protocol} ${port}`;
}
