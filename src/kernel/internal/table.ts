// Tables of ours as a whole: whether one is there, whether packets come to it, what its sets hold, and its removal.
import { constants } from 'node:os';
import type { Element, Elements } from '../../emit/element.ts';
import { SET_SHAPES, type SetShape } from '../../emit/set-shape.ts';
import { loadLibc } from '../libc.ts';
import { FAMILY_INET, MessageWriter, NLM_F_REQUEST, SUBSYSTEM_NFTABLES, visitAttributes, type Message } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { joinElements, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_TABLE, readCounts, readElements, type ElementCount, type RawElement } from './set-codec.ts';
import { HOOK_CHAIN } from './skeleton.ts';
import { refusal, sendInBatches } from './transact.ts';

export const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_GETCHAIN = 4;
const NFT_MSG_GETSETELEM = 13;
export const NFTA_TABLE_NAME = 1;
export const NFTA_TABLE_FLAGS = 2;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;

/** A table whose base chains are switched off. */
const TABLE_DORMANT = 0x1;

/** `hooked`: packets are judged by it. */
export type TableState = 'absent' | 'unhooked' | 'hooked';

export function readTableState(socket: NetfilterSocket, table: string): TableState {
  const flags = readTableFlags(socket).get(table);
  if (flags === undefined) return 'absent';
  return (flags & TABLE_DORMANT) === 0 && hasHook(socket, table) ? 'hooked' : 'unhooked';
}

/** Of each table of family inet. */
function readTableFlags(socket: NetfilterSocket): ReadonlyMap<string, number> {
  const tables = socket.dump<[string, number]>(
    { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETTABLE, family: FAMILY_INET },
    {
      doing: 'look for our table',
      body: () => undefined,
      parse: ({ bytes, start, end }, values) => {
        let [name, flags] = ['', 0];
        visitAttributes(bytes, start, end, (type, from, until) => {
          if (type === NFTA_TABLE_NAME) name = bytes.toString('latin1', from, until - 1);
          if (type === NFTA_TABLE_FLAGS) flags = bytes.readUInt32BE(from);
        });
        values.push([name, flags]);
      },
    },
  );
  return new Map(tables);
}

/** No error when it is not there; asked first, since a refused removal takes the kernel 15 ms and more. */
export function removeTable(socket: NetfilterSocket, table: string): void {
  if (!readTableFlags(socket).has(table)) return;
  const doing = `remove table \`${table}\``;
  const refused = sendInBatches(socket, [(message, writer) => message(NFT_MSG_DELTABLE, NLM_F_REQUEST, () => writer.text(NFTA_TABLE_NAME, table))], { doing, bytesMax: Infinity }).find(({ errno }) => errno !== constants.errno.ENOENT);
  if (refused !== undefined) throw refusal(refused, doing);
}

export function readAllElements(socket: NetfilterSocket, table: string): Elements {
  return new Map(SET_SHAPES.map((shape): [typeof shape.name, Element[]] => [shape.name, joinElements(shape, readRawElements(socket, table, shape))]));
}

/** How often a set is read anew that the kernel rearranges meanwhile, and after what pause. */
const READS_MAX = 50;
const READ_PAUSE_MS = 2;

export function readRawElements(socket: NetfilterSocket, table: string, shape: SetShape): RawElement[] {
  const parse = (message: Message, elements: RawElement[]): void => readElements(message, shape, elements);
  if (shape.isInterval) return dumpElements(socket, { table, set: shape.name, parse });
  return withoutDoubles(() => dumpElements(socket, { table, set: shape.name, parse }));
}

/** Of a dynamic set. */
export function readElementCounts(socket: NetfilterSocket, table: string, set: string): ElementCount[] {
  return withoutDoubles(() => dumpElements(socket, { table, set, parse: readCounts }));
}

/**
 * A hash table that still grows after elements were added is walked in two orders: the dump then lacks as many elements
 * as it gives twice. It grows for some milliseconds at most, and dynamic sets, whose packets add on, may not settle:
 * what comes of the last attempt is given without the doubles.
 */
function withoutDoubles<Read extends { readonly keyText: string }>(dump: () => Read[]): Read[] {
  for (let attempt = 1; ; attempt++) {
    const read = dump();
    const distinct = new Map(read.map((element) => [element.keyText, element]));
    if (distinct.size === read.length) return read;
    if (attempt === READS_MAX) return [...distinct.values()];
    loadLibc().poll(NO_ENTRIES, 0, READ_PAUSE_MS);
  }
}

const NO_ENTRIES = Buffer.alloc(8);

interface ElementDump<Read> {
  readonly table: string;
  readonly set: string;
  readonly parse: (message: Message, read: Read[]) => void;
}

function dumpElements<Read>(socket: NetfilterSocket, { table, set, parse }: ElementDump<Read>): Read[] {
  return socket.dump<Read>(
    { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETSETELEM, family: FAMILY_INET },
    {
      doing: `read set \`${set}\` of table \`${table}\``,
      body: (writer) => {
        writer.text(NFTA_SET_ELEM_LIST_TABLE, table);
        writer.text(NFTA_SET_ELEM_LIST_SET, set);
      },
      parse,
    },
  );
}

function hasHook(socket: NetfilterSocket, table: string): boolean {
  const doing = 'look for our table';
  const writer = new MessageWriter(256);
  const head = { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETCHAIN, flags: NLM_F_REQUEST, family: FAMILY_INET, sequence: socket.nextSequence() };
  writer.message(head, () => {
    writer.text(NFTA_CHAIN_TABLE, table);
    writer.text(NFTA_CHAIN_NAME, HOOK_CHAIN);
  });
  const [refused] = socket.send(writer.bytes, writer.size, doing);
  if (refused !== undefined && refused.errno !== constants.errno.ENOENT) throw refusal(refused, doing);
  return refused === undefined;
}
