// Records of one node become a batch: folded by workload, the same flow once.
import { foldEnd } from '../../flow/fold-end.ts';
import type { FlowEnd, FlowReason, FlowRecord } from '../../flow/flow-record.ts';
import { endFields, reasonFields } from '../../flow/write-flow.ts';
import { BATCH_RECORDS_MAX, COLUMN_NAMES, type ColumnName, type FlowBatch } from './flow-batch.ts';

export type BatchHeader = Pick<FlowBatch, 'node' | 'run' | 'sequence' | 'lost'>;

/** A class, for it grows until it is full. */
export class FlowBatching {
  readonly #ends = new Numbered();
  readonly #reasons = new Numbered();
  readonly #services = new Numbered();
  readonly #rows = new Map<string, number>();
  readonly #columns = Object.fromEntries(COLUMN_NAMES.map((name) => [name, [] as number[]])) as Record<ColumnName, number[]>; // each name has its column
  readonly #textOfEnd = new WeakMap<FlowEnd, string>();
  readonly #textOfReason = new WeakMap<FlowReason, string>();

  get size(): number {
    return this.#rows.size;
  }

  /** false: it is full, and the record is not in it. */
  add(record: FlowRecord): boolean {
    const { source, target, verdict, family, protocol, port, service, reason } = record;
    const key = [
      this.#ends.numberOf(cached(this.#textOfEnd, source, endText)),
      this.#ends.numberOf(cached(this.#textOfEnd, target, endText)),
      verdict === 'denied' ? 1 : 0,
      family,
      protocol,
      port,
      service === undefined ? -1 : this.#services.numberOf(service),
      reason === undefined ? -1 : this.#reasons.numberOf(cached(this.#textOfReason, reason, (value) => JSON.stringify(reasonFields(value)))),
    ];
    const word = key.join();
    const row = this.#rows.get(word);
    if (row !== undefined) this.#merge(row, record);
    else if (this.#rows.size >= BATCH_RECORDS_MAX) return false;
    else this.#append(word, key, record);
    return true;
  }

  batch(header: BatchHeader): FlowBatch {
    return { ...header, ends: this.#ends.texts, reasons: this.#reasons.texts, services: this.#services.texts, columns: this.#columns };
  }

  #append(word: string, key: readonly number[], { count, openings, firstSeen, lastSeen }: FlowRecord): void {
    this.#rows.set(word, this.#rows.size);
    const row = [...key, count, openings ?? -1, Math.trunc(firstSeen), Math.trunc(lastSeen)];
    for (const [index, name] of COLUMN_NAMES.entries()) this.#columns[name].push(row[index]!);
  }

  /** Of a part that is not known the sum is not known. */
  #merge(row: number, record: FlowRecord): void {
    const { count, openings, firstSeen, lastSeen } = this.#columns;
    count[row]! += record.count;
    openings[row] = record.openings === undefined || openings[row] === -1 ? -1 : openings[row]! + record.openings;
    firstSeen[row] = Math.min(firstSeen[row]!, Math.trunc(record.firstSeen));
    lastSeen[row] = Math.max(lastSeen[row]!, Math.trunc(record.lastSeen));
  }
}

/** Of pods of one workload any address would do, so none is kept. */
export function endText(end: FlowEnd): string {
  const folded = foldEnd(end);
  return JSON.stringify(endFields('source', folded.kind === 'pod' && folded.pod === undefined ? { ...folded, address: undefined } : folded));
}

function cached<T extends object>(texts: WeakMap<T, string>, value: T, write: (value: T) => string): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = write(value);
  texts.set(value, text);
  return text;
}

class Numbered {
  readonly #numbers = new Map<string, number>();

  get texts(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
