// The steps of a change as batches of messages, each as large as the socket takes, each atomic.
import { formatElement } from '../../emit/format-ruleset.ts';
import type { Element } from '../../emit/element.ts';
import type { SetShape } from '../../emit/set-shape.ts';
import { FAMILY_INET, MessageWriter, NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, SUBSYSTEM_NFTABLES } from './netfilter-message.ts';
import { elementBytesMax, NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_TABLE, writeElement } from './set-codec.ts';
import { NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, writeFrame } from './transact.ts';

/** A nested attribute's length has 16 bits. */
const LIST_BYTES_MAX = 60_000;
/** Begin and end of a batch, and the head of each message with its names. */
const BATCH_FRAME_BYTES = 64;
const MESSAGE_HEAD_BYTES = 160;

const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_DELSETELEM = 14;

/** Elements of one set: `removed` goes before `added`. */
export interface ElementChange {
  readonly shape: SetShape;
  readonly removed: readonly Element[];
  readonly added: readonly Element[];
}

export interface Batch {
  readonly bytes: Buffer;
  readonly size: number;
  /** What stands in the message of a sequence number, for its refusal. */
  describe(sequence: number, offset: number | undefined): string | undefined;
}

export interface BatchOptions {
  readonly table: string;
  readonly bytesMax: number;
  readonly nextSequence: () => number;
}

/** Elements that go and their successors stand in one batch, unless a single step is larger than a batch: then what goes, goes first. */
export function* changeBatches(steps: Iterable<ElementChange>, options: BatchOptions): Generator<Batch> {
  let builder = new BatchBuilder(options);
  for (const run of joinSteps(steps, options.bytesMax)) {
    if (!builder.isEmpty && !builder.takes(run)) {
      yield builder.finish();
      builder = new BatchBuilder(options);
    }
    builder.write(run);
  }
  if (!builder.isEmpty) yield builder.finish();
}

// Invariant: what it gives fits into an empty batch.
function* joinSteps(steps: Iterable<ElementChange>, bytesMax: number): Generator<ElementChange> {
  let open: { shape: SetShape; removed: Element[]; added: Element[]; room: number } | undefined;
  for (const { shape, removed, added } of steps) {
    const roomOfRun = elementsInBatch(shape, bytesMax);
    for (const unit of unitsOf({ removed, added }, roomOfRun)) {
      const count = unit.removed.length + unit.added.length;
      if (open === undefined || open.shape !== shape || open.room < count) {
        if (open !== undefined) yield open;
        open = { shape, removed: [], added: [], room: roomOfRun };
      }
      for (const element of unit.removed) open.removed.push(element);
      for (const element of unit.added) open.added.push(element);
      open.room -= count;
    }
  }
  if (open !== undefined) yield open;
}

function elementsInMessage(shape: SetShape): number {
  return Math.floor(LIST_BYTES_MAX / elementBytesMax(shape));
}

// One message more than full ones: additions begin a message of their own.
function elementsInBatch(shape: SetShape, bytesMax: number): number {
  const inMessage = elementsInMessage(shape);
  const messageBytes = MESSAGE_HEAD_BYTES + inMessage * elementBytesMax(shape);
  const room = bytesMax - 2 * BATCH_FRAME_BYTES - 2 * MESSAGE_HEAD_BYTES;
  return Math.max(2, Math.floor(room / messageBytes) * inMessage + Math.floor(((room % messageBytes) - MESSAGE_HEAD_BYTES) / elementBytesMax(shape)));
}

type Unit = Pick<ElementChange, 'removed' | 'added'>;

function* unitsOf({ removed, added }: Unit, countMax: number): Generator<Unit> {
  const isTied = removed.length > 0 && added.length > 0;
  if (isTied && removed.length + added.length <= countMax) {
    yield { removed, added };
    return;
  }
  for (const element of removed) yield { removed: [element], added: [] };
  for (const element of added) yield { removed: [], added: [element] };
}

interface WrittenMessage {
  readonly start: number;
  readonly run: ElementChange;
  readonly elements: readonly Element[];
  /** Where each element begins in the message. */
  readonly offsets: readonly number[];
}

class BatchBuilder {
  private readonly options: BatchOptions;
  private readonly writer = new MessageWriter();
  private readonly written = new Map<number, WrittenMessage>();
  private lastStart = 0;

  constructor(options: BatchOptions) {
    this.options = options;
    this.frame(NFNL_MSG_BATCH_BEGIN);
  }

  get isEmpty(): boolean {
    return this.written.size === 0;
  }

  takes({ shape, removed, added }: ElementChange): boolean {
    const count = removed.length + added.length;
    const messages = 2 + Math.ceil(count / elementsInMessage(shape));
    const more = messages * MESSAGE_HEAD_BYTES + count * elementBytesMax(shape);
    return this.writer.size + more + BATCH_FRAME_BYTES <= this.options.bytesMax;
  }

  write(run: ElementChange): void {
    const count = elementsInMessage(run.shape);
    for (let at = 0; at < run.removed.length; at += count) this.message(NFT_MSG_DELSETELEM, run, run.removed.slice(at, at + count));
    for (let at = 0; at < run.added.length; at += count) this.message(NFT_MSG_NEWSETELEM, run, run.added.slice(at, at + count));
  }

  // Kernels before 6.10 acknowledge the last message, but not the end of the batch.
  finish(): Batch {
    const { writer, written } = this;
    writer.bytes.writeUInt16LE(writer.bytes.readUInt16LE(this.lastStart + 6) | NLM_F_ACK, this.lastStart + 6);
    this.frame(NFNL_MSG_BATCH_END);
    return { bytes: writer.bytes, size: writer.size, describe: (sequence, offset) => describe(written.get(sequence), offset) };
  }

  private message(type: number, run: ElementChange, elements: readonly Element[]): void {
    const { writer, options } = this;
    const start = writer.size;
    const sequence = options.nextSequence();
    const isAddition = type === NFT_MSG_NEWSETELEM;
    const flags = isAddition ? NLM_F_REQUEST | NLM_F_CREATE : NLM_F_REQUEST;
    const offsets: number[] = [];
    writer.message({ subsystem: SUBSYSTEM_NFTABLES, type, flags, family: FAMILY_INET, sequence }, () => {
      writer.text(NFTA_SET_ELEM_LIST_TABLE, options.table);
      writer.text(NFTA_SET_ELEM_LIST_SET, run.shape.name);
      writer.nest(NFTA_SET_ELEM_LIST_ELEMENTS, () => {
        for (const element of elements) {
          offsets.push(writer.size - start);
          writeElement(writer, run.shape, element, isAddition);
        }
      });
    });
    this.lastStart = start;
    this.written.set(sequence, { start, run, elements, offsets });
  }

  private frame(type: number): void {
    writeFrame(this.writer, type, this.options.nextSequence());
  }
}

// The kernel names the offending attribute where it can; else the set alone is known, or its one element.
function describe(message: WrittenMessage | undefined, offset: number | undefined): string | undefined {
  if (message === undefined) return undefined;
  const { run, elements, offsets } = message;
  const index = elements.length === 1 ? 0 : offset === undefined ? -1 : offsets.findLastIndex((start) => start <= offset);
  const element = elements[index];
  return element === undefined ? run.shape.name : `${run.shape.name} { ${formatElement(run.shape, element)} }`;
}
