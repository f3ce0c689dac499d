// The ledger: what the four dynamic sets of the table record, as counts since the last drain.
import type { IpFamily } from '../../base/ip-address.ts';
import type { Key } from '../../emit/element.ts';
import { profileIdOf } from '../../emit/profile-number.ts';
import { FAMILIES, type SetShape } from '../../emit/set-shape.ts';
import type { LedgerEntry } from '../firewall.ts';
import { FirewallError } from '../firewall-error.ts';
import { changeBatches } from './change-batches.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { refusalOf } from './refusal-code.ts';
import { LEDGER_MINUTES, LEDGER_SIZE, UNRECORDED_SET } from './skeleton.ts';
import { readRawElements } from './table.ts';

/** From this many records on, those that have not grown between two drains are taken out, so that the set never fills. Below, each ends by itself. */
const TIDY_SIZE = LEDGER_SIZE / 2;

/** Few enough for one batch. */
const TIDY_AT_ONCE = 256;

const LEDGER_MS = LEDGER_MINUTES * 60_000;

interface LedgerSet {
  readonly verdict: LedgerEntry['verdict'];
  readonly family: IpFamily;
  readonly shape: SetShape;
}

const LEDGER_SETS: readonly LedgerSet[] = (['allowed', 'denied'] as const).flatMap((verdict) =>
  FAMILIES.map((family): LedgerSet => {
    const address = family === 4 ? 'address4' : 'address6';
    const name = `${verdict === 'allowed' ? 'flow' : 'deny'}${family}`;
    return { verdict, family, shape: { name, fields: [address, address, 'protocol', 'port', 'id'], isInterval: false, isMap: false, meaning: '' } };
  }),
);

/** What a record had counted when it was drained, and when it would end if nothing more came, in milliseconds of this process. */
interface Drained {
  readonly packets: bigint;
  readonly endsAtMs: number;
}

/**
 * Counts by difference: nothing is reset in the kernel, so that no packet is lost between reading and resetting.
 * A record that ended and began anew counts from zero; where nobody can know, it is taken to have, so that none is missing.
 */
export class Ledger {
  private readonly socket: NetfilterSocket;
  private readonly table: string;
  private drained = new Map<string, Drained>();

  constructor(socket: NetfilterSocket, table: string) {
    this.socket = socket;
    this.table = table;
  }

  read(drain: boolean): LedgerEntry[] {
    const entries: LedgerEntry[] = [];
    const seen = new Map<string, Drained>();
    const nowMs = performance.now();
    for (const set of LEDGER_SETS) {
      const records = readRawElements(this.socket, this.table, set.shape);
      const idle: Key[] = [];
      for (const { key, packets, endsInMs } of records) {
        const name = `${set.shape.name} ${key.join()}`;
        if (seen.has(name)) continue;
        seen.set(name, { packets, endsAtMs: nowMs + (endsInMs ?? Infinity) });
        const before = this.drained.get(name);
        const goesOn = before !== undefined && packets >= before.packets && nowMs < before.endsAtMs;
        const more = goesOn ? packets - before.packets : packets;
        if (more > 0n) entries.push(entryOf(set, key, { packets: Number(more), idleMs: Math.max(0, LEDGER_MS - (endsInMs ?? LEDGER_MS)) }));
        else idle.push(key);
      }
      if (!drain || records.length <= TIDY_SIZE) continue;
      // What comes under such a name is a record that began anew.
      for (const key of this.removeRecords(set, idle)) seen.delete(`${set.shape.name} ${key.join()}`);
    }
    if (drain) this.drained = seen;
    return entries;
  }

  unrecorded(): number {
    const shape: SetShape = { name: UNRECORDED_SET, fields: ['protocol'], isInterval: false, isMap: false, meaning: '' };
    return readRawElements(this.socket, this.table, shape).reduce((sum, { packets }) => sum + Number(packets), 0);
  }

  // A packet that comes in this very moment may be lost with its record; one that expired meanwhile undoes the batch, and
  // the next drain tries again. Both are the price of a set that has a bound.
  private removeRecords({ shape }: LedgerSet, keys: readonly Key[]): readonly Key[] {
    const doing = `tidy the ledger \`${shape.name}\``;
    const { socket, table } = this;
    const removed: Key[] = [];
    for (let start = 0; start < keys.length; start += TIDY_AT_ONCE) {
      const part = keys.slice(start, start + TIDY_AT_ONCE);
      const change = { shape, removed: part.map((key) => ({ key })), added: [] };
      const batches = [...changeBatches([change], { table, bytesMax: socket.sendBytesMax, nextSequence: () => socket.nextSequence() })];
      if (batches.every((batch) => socket.send(batch.bytes, batch.size, doing).length === 0)) removed.push(...part);
    }
    return removed;
  }
}

function entryOf({ verdict, family }: LedgerSet, key: Key, counted: Pick<LedgerEntry, 'packets' | 'idleMs'>): LedgerEntry {
  const [source, target, protocol, port, code] = key as [bigint, bigint, number, number, number];
  const refusal = verdict === 'denied' ? refusalOf(code) : undefined;
  if (verdict === 'denied' && refusal === undefined) {
    throw new FirewallError({ code: 'netlink', doing: 'read the ledger', said: `unknown refusal code ${code.toString(16)}; the table is another version's` });
  }
  return {
    verdict,
    source: { family, value: source },
    target: { family, value: target },
    protocol,
    port,
    refusal,
    profile: verdict === 'allowed' ? profileIdOf(code) : 0,
    ...counted,
  };
}
