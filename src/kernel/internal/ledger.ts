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
import { keyOfText, type ElementCount } from './set-codec.ts';
import { readElementCounts } from './table.ts';

/** From this many records on, those that have not grown between two drains are taken out, so that the set never fills. Below, each ends by itself. */
const TIDY_SIZE = LEDGER_SIZE / 2;

/** Few enough for one batch. */
const TIDY_AT_ONCE = 256;

const LEDGER_MS = LEDGER_MINUTES * 60_000;

interface LedgerSet {
  readonly shape: SetShape;
  readonly sayingOf: (key: Key) => LedgerSaying;
}

/** What the key of a record says. */
type LedgerSaying = Omit<LedgerEntry, 'packets' | 'idleMs'>;

const VERDICTS = { flow: 'allowed', deny: 'denied' } as const;

const LEDGER_SETS: readonly LedgerSet[] = LEDGER_KINDS.flatMap((kind) =>
  FAMILIES.map((family): LedgerSet => {
    const address = family === 4 ? 'address4' : 'address6';
    return { shape: shapeOf(`${kind}${family}`, [address, address, 'protocol', 'port', 'id']), sayingOf: (key) => judgedSaying(kind, family, key) };
  }),
);

/** Of a part of the same packets, what was asked for. */
const ASKED_SETS: readonly LedgerSet[] = LEDGER_KINDS.flatMap((kind) =>
  FAMILIES.flatMap((family) =>
    PORT_PROTOCOLS.map((protocol): LedgerSet => ({
      shape: askedShape(kind, protocol, family),
      sayingOf: (key) => ({ verdict: VERDICTS[kind], ...askedEnds(key, protocol, family), refusal: undefined, profile: 0 }),
    })),
  ),
);

function shapeOf(name: string, fields: SetShape['fields']): SetShape {
  return { name, fields, isInterval: false, isMap: false, meaning: '' };
}

/** As it is known from drain to drain: thousands of them are read time and again, and few are new. */
interface LedgerRecord {
  readonly saying: LedgerSaying;
  /** What it had counted when it was drained, and when it would end if nothing more came, in milliseconds of this process. */
  packets: number;
  endsAtMs: number;
  /** The one that saw it last. */
  reading: number;
}

/** One set, as it was read: its records and what they count, in the same order. */
interface SetReading {
  readonly set: LedgerSet;
  readonly nowMs: number;
  readonly records: readonly LedgerRecord[];
  readonly counts: readonly ElementCount[];
}

/**
 * Counts by difference: nothing is reset in the kernel, so that no packet is lost between reading and resetting.
 * A record that ended and began anew counts from zero; where nobody can know, it is taken to have, so that none is missing.
 */
export class Ledger {
  private readonly socket: NetfilterSocket;
  private readonly table: string;
  /** By set, then by the texts of keys. */
  private readonly known: ReadonlyMap<LedgerSet, Map<string, LedgerRecord>> = new Map([...LEDGER_SETS, ...ASKED_SETS].map((set) => [set, new Map()]));
  private readings = 0;
  private early: readonly LedgerEntry[] = [];

  constructor(socket: NetfilterSocket, table: string) {
    this.socket = socket;
    this.table = table;
  }

  /** What was asked for is read last, for it is counted first. */
  read(drain: boolean): LedgerEntry[] {
    const judged = LEDGER_SETS.map((set) => this.readSet(set));
    const askedFor = ASKED_SETS.map((set) => this.readSet(set));
    const asked = new AskedCounts(this.early);
    for (const reading of askedFor) for (const entry of grown(reading)) asked.add(entry);
    const entries = judged.flatMap((reading) => grown(reading).flatMap((entry) => asked.split(entry)));
    if (drain) {
      const readings = [...judged, ...askedFor];
      for (const reading of readings) this.tidy(reading);
      for (const reading of readings) drained(reading);
      this.early = asked.early();
    }
    return entries;
  }

  private readSet(set: LedgerSet): SetReading {
    const nowMs = performance.now();
    const known = this.known.get(set)!;
    const counts = readElementCounts(this.socket, this.table, set.shape.name);
    this.readings++;
    const records = counts.map(({ keyText }) => {
      let record = known.get(keyText);
      if (record === undefined) known.set(keyText, (record = { saying: set.sayingOf(keyOfText(keyText, set.shape)), packets: 0, endsAtMs: nowMs, reading: 0 }));
      record.reading = this.readings;
      return record;
    });
    // What comes under the name of one that is no longer there is a record that began anew.
    if (known.size > records.length) for (const [keyText, { reading }] of known) if (reading !== this.readings) known.delete(keyText);
    return { set, nowMs, records, counts };
  }

  unrecorded(): number {
    return readElementCounts(this.socket, this.table, UNRECORDED_SET).reduce((sum, { packets }) => sum + packets, 0);
  }

  // A packet that comes in this very moment may be lost with its record; one that expired meanwhile undoes the batch, and
  // the next drain tries again. Both are the price of a set that has a bound.
  private tidy(reading: SetReading): void {
    const { set, counts } = reading;
    const { shape } = set;
    if (counts.length <= TIDY_SIZE) return;
    const { socket, table } = this;
    const idle = counts.filter((_, index) => growthOf(reading, index) === 0);
    for (let start = 0; start < idle.length; start += TIDY_AT_ONCE) {
      const part = idle.slice(start, start + TIDY_AT_ONCE);
      const change = { shape, removed: part.map(({ keyText }) => ({ key: keyOfText(keyText, shape) })), added: [] };
      const batches = [...changeBatches([change], { table, bytesMax: socket.sendBytesMax, nextSequence: () => socket.nextSequence() })];
      if (!batches.every((batch) => socket.send(batch.bytes, batch.size, `tidy the ledger \`${shape.name}\``).length === 0)) continue;
      for (const { keyText } of part) this.known.get(set)!.delete(keyText);
    }
  }
}

/** Since the last drain. */
function grown(reading: SetReading): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (const [index, { saying }] of reading.records.entries()) {
    const packets = growthOf(reading, index);
    if (packets > 0) entries.push({ ...saying, packets, idleMs: Math.max(0, LEDGER_MS - (reading.counts[index]!.endsInMs ?? LEDGER_MS)) });
  }
  return entries;
}

function growthOf({ nowMs, records, counts }: SetReading, index: number): number {
  const { packets } = counts[index]!;
  const before = records[index]!;
  const goesOn = packets >= before.packets && nowMs < before.endsAtMs;
  return goesOn ? packets - before.packets : packets;
}

function drained({ nowMs, records, counts }: SetReading): void {
  for (const [index, record] of records.entries()) {
    const { packets, endsInMs } = counts[index]!;
    record.packets = packets;
    record.endsAtMs = nowMs + (endsInMs ?? Infinity);
  }
}

function judgedSaying(kind: LedgerKind, family: IpFamily, key: Key): LedgerSaying {
  const [source, target, protocol, port, code] = key as [bigint, bigint, number, number, number]; // as the shape has them
  const verdict = VERDICTS[kind];
  const refusal = verdict === 'denied' ? refusalOf(code) : undefined;
  if (verdict === 'denied' && refusal === undefined) {
    throw new FirewallError({ code: 'netlink', doing: 'read the ledger', said: `unknown refusal code ${code.toString(16)}; the table is another version's` });
  }
  const profile = verdict === 'allowed' ? profileIdOf(code) : 0;
  return { verdict, source: { family, value: source }, target: { family, value: target }, protocol, port, asked: undefined, refusal, profile };
}
