// The ledger: what the dynamic sets of the table record, as counts since the last drain.
import type { IpFamily } from '../../base/ip-address.ts';
import type { Key } from '../../emit/element.ts';
import { profileIdOf } from '../../emit/profile-number.ts';
import { FAMILIES, type SetShape } from '../../emit/set-shape.ts';
import type { LedgerEntry } from '../firewall.ts';
import { FirewallError } from '../firewall-error.ts';
import { AskedCounts } from './asked-counts.ts';
import { askedEnds, askedShape, PORT_PROTOCOLS } from './asked-sets.ts';
import { changeBatches } from './change-batches.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { refusalOf } from './refusal-code.ts';
import { LEDGER_KINDS, LEDGER_MINUTES, LEDGER_SIZE, UNRECORDED_SET, type LedgerKind } from './skeleton.ts';
import type { RawElement } from './set-codec.ts';
import { readRawElements } from './table.ts';

/** From this many records on, those that have not grown between two drains are taken out, so that the set never fills. Below, each ends by itself. */
const TIDY_SIZE = LEDGER_SIZE / 2;

/** Few enough for one batch. */
const TIDY_AT_ONCE = 256;

const LEDGER_MS = LEDGER_MINUTES * 60_000;

interface LedgerSet {
  readonly shape: SetShape;
  readonly entryOf: (key: Key, counted: Counted) => LedgerEntry;
}

type Counted = Pick<LedgerEntry, 'packets' | 'idleMs'>;

const VERDICTS = { flow: 'allowed', deny: 'denied' } as const;

const LEDGER_SETS: readonly LedgerSet[] = LEDGER_KINDS.flatMap((kind) =>
  FAMILIES.map((family): LedgerSet => {
    const address = family === 4 ? 'address4' : 'address6';
    return { shape: shapeOf(`${kind}${family}`, [address, address, 'protocol', 'port', 'id']), entryOf: (key, counted) => judgedEntry(kind, family, key, counted) };
  }),
);

/** Of a part of the same packets, what was asked for. */
const ASKED_SETS: readonly LedgerSet[] = LEDGER_KINDS.flatMap((kind) =>
  FAMILIES.flatMap((family) =>
    PORT_PROTOCOLS.map((protocol): LedgerSet => ({
      shape: askedShape(kind, protocol, family),
      entryOf: (key, counted) => ({ verdict: VERDICTS[kind], ...askedEnds(key, protocol, family), refusal: undefined, profile: 0, ...counted }),
    })),
  ),
);

function shapeOf(name: string, fields: SetShape['fields']): SetShape {
  return { name, fields, isInterval: false, isMap: false, meaning: '' };
}

/** What a record had counted when it was drained, and when it would end if nothing more came, in milliseconds of this process. */
interface Drained {
  readonly packets: number;
  readonly endsAtMs: number;
}

/** By the sets' names and the texts of keys. */
type DrainedSets = Map<string, Map<string, Drained>>;

/**
 * Counts by difference: nothing is reset in the kernel, so that no packet is lost between reading and resetting.
 * A record that ended and began anew counts from zero; where nobody can know, it is taken to have, so that none is missing.
 */
export class Ledger {
  private readonly socket: NetfilterSocket;
  private readonly table: string;
  private drained: DrainedSets = new Map();
  private early: readonly LedgerEntry[] = [];

  constructor(socket: NetfilterSocket, table: string) {
    this.socket = socket;
    this.table = table;
  }

  /** What was asked for is read last, for it is counted first. */
  read(drain: boolean): LedgerEntry[] {
    const seen: DrainedSets = new Map();
    const judged = LEDGER_SETS.flatMap((set) => this.grown(set, { seen, drain }));
    const asked = new AskedCounts(this.early);
    for (const set of ASKED_SETS) for (const entry of this.grown(set, { seen, drain })) asked.add(entry);
    const entries = judged.flatMap((entry) => asked.split(entry));
    if (drain) {
      this.drained = seen;
      this.early = asked.early();
    }
    return entries;
  }

  /** What a set counted since the last drain; `seen` takes what it holds now. */
  private grown(set: LedgerSet, { seen, drain }: { readonly seen: DrainedSets; readonly drain: boolean }): LedgerEntry[] {
    const { shape } = set;
    const nowMs = performance.now();
    const records = readRawElements(this.socket, this.table, shape);
    const entries: LedgerEntry[] = [];
    const idle: RawElement[] = [];
    const own = new Map<string, Drained>();
    seen.set(shape.name, own);
    for (const record of records) {
      const { key, keyText, packets, endsInMs } = record;
      own.set(keyText, { packets, endsAtMs: nowMs + (endsInMs ?? Infinity) });
      const before = this.drained.get(shape.name)?.get(keyText);
      const goesOn = before !== undefined && packets >= before.packets && nowMs < before.endsAtMs;
      const more = goesOn ? packets - before.packets : packets;
      if (more > 0) entries.push(set.entryOf(key, { packets: more, idleMs: Math.max(0, LEDGER_MS - (endsInMs ?? LEDGER_MS)) }));
      else idle.push(record);
    }
    if (!drain || records.length <= TIDY_SIZE) return entries;
    // What comes under such a name is a record that began anew.
    for (const { keyText } of this.removeRecords(set, idle)) own.delete(keyText);
    return entries;
  }

  unrecorded(): number {
    return readRawElements(this.socket, this.table, shapeOf(UNRECORDED_SET, ['protocol'])).reduce((sum, { packets }) => sum + packets, 0);
  }

  // A packet that comes in this very moment may be lost with its record; one that expired meanwhile undoes the batch, and
  // the next drain tries again. Both are the price of a set that has a bound.
  private removeRecords({ shape }: LedgerSet, records: readonly RawElement[]): readonly RawElement[] {
    const doing = `tidy the ledger \`${shape.name}\``;
    const { socket, table } = this;
    const removed: RawElement[] = [];
    for (let start = 0; start < records.length; start += TIDY_AT_ONCE) {
      const part = records.slice(start, start + TIDY_AT_ONCE);
      const change = { shape, removed: part.map(({ key }) => ({ key })), added: [] };
      const batches = [...changeBatches([change], { table, bytesMax: socket.sendBytesMax, nextSequence: () => socket.nextSequence() })];
      if (batches.every((batch) => socket.send(batch.bytes, batch.size, doing).length === 0)) removed.push(...part);
    }
    return removed;
  }
}

function judgedEntry(kind: LedgerKind, family: IpFamily, key: Key, counted: Counted): LedgerEntry {
  const [source, target, protocol, port, code] = key as [bigint, bigint, number, number, number]; // as the shape has them
  const verdict = VERDICTS[kind];
  const refusal = verdict === 'denied' ? refusalOf(code) : undefined;
  if (verdict === 'denied' && refusal === undefined) {
    throw new FirewallError({ code: 'netlink', doing: 'read the ledger', said: `unknown refusal code ${code.toString(16)}; the table is another version's` });
  }
  const profile = verdict === 'allowed' ? profileIdOf(code) : 0;
  return { verdict, source: { family, value: source }, target: { family, value: target }, protocol, port, asked: undefined, refusal, profile, ...counted };
}
