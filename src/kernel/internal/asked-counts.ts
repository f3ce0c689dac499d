// What clients asked for before address translation, joined with what the ledger counted: of each record, how many came by which Service's address.
import type { AskedPlace, LedgerEntry } from '../firewall.ts';

interface AskedCount {
  entry: LedgerEntry;
  packets: number;
  /** Of them, those that were counted since the last drain. */
  fresh: number;
}

/** By what else tells flows between two addresses apart. */
type BetweenTwo = Map<number, AskedCount[]>;

/** Good for one drain. A class, for what was told is taken away. */
export class AskedCounts {
  /** By the numbers of source and target: a drain has tens of thousands, and texts of them would take longer than all the rest. */
  readonly #bySource = new Map<bigint, Map<bigint, BetweenTwo>>();

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
    const counts = this.#bySource.get(entry.source.value)?.get(entry.target.value)?.get(restOf(entry));
    if (counts === undefined) return [entry];
    const parts: LedgerEntry[] = [];
    let rest = entry.packets;
    for (const count of counts) {
      const packets = Math.min(rest, count.packets);
      if (packets === 0) continue;
      count.packets -= packets;
      rest -= packets;
      parts.push({ ...entry, asked: count.entry.asked, packets, idleMs: count.entry.idleMs });
    }
    if (rest > 0) parts.push({ ...entry, packets: rest });
    return parts;
  }

  /** What came between the reading of the two sets is in the second alone, and at the next drain in the first. Older ones will have no record. */
  early(): readonly LedgerEntry[] {
    const waiting: LedgerEntry[] = [];
    for (const byTarget of this.#bySource.values()) {
      for (const between of byTarget.values()) {
        for (const { entry, packets, fresh } of [...between.values()].flat()) if (Math.min(packets, fresh) > 0) waiting.push({ ...entry, packets: Math.min(packets, fresh) });
      }
    }
    return waiting;
  }

  /** What was early and what came since are one. */
  #put(count: AskedCount): void {
    const held = this.#countsOf(count.entry);
    const same = held.find(({ entry }) => isSamePlace(entry.asked, count.entry.asked));
    if (same === undefined) held.push(count);
    else {
      same.entry = count.entry;
      same.packets += count.packets;
      same.fresh += count.fresh;
    }
  }

  #countsOf(entry: LedgerEntry): AskedCount[] {
    const byTarget = taken(this.#bySource, entry.source.value, () => new Map<bigint, BetweenTwo>());
    const between = taken(byTarget, entry.target.value, () => new Map<number, AskedCount[]>());
    return taken(between, restOf(entry), () => []);
  }
}

function taken<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function isSamePlace(a: AskedPlace | undefined, b: AskedPlace | undefined): boolean {
  return a?.address.value === b?.address.value && a?.port === b?.port;
}

/** Verdict, family, protocol and port in one number. */
function restOf({ verdict, source, protocol, port }: LedgerEntry): number {
  return (verdict === 'allowed' ? 0 : 2 ** 25) + (source.family === 4 ? 0 : 2 ** 24) + protocol * 2 ** 16 + port;
}
