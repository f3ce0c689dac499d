// Tables of ours as a whole: whether one is there, whether packets come to it, what its sets hold, and its removal.
import { constants } from 'node:os';
import type { Element, Elements } from '../../emit/element.ts';
import { SET_SHAPES, type SetShape } from '../../emit/set-shape.ts';
import { FAMILY_INET, MessageWriter, NLM_F_ACK, NLM_F_REQUEST, SUBSYSTEM_NFTABLES } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { joinElements, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_TABLE, readElements, type RawElement } from './set-codec.ts';
import { HOOK_CHAIN } from './skeleton.ts';
import { NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, refusal, writeFrame } from './transact.ts';

const NFT_MSG_GETTABLE = 1;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_GETCHAIN = 4;
const NFT_MSG_GETSETELEM = 13;
const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;

/** `hooked`: packets are judged by it. */
export type TableState = 'absent' | 'unhooked' | 'hooked';

export function readTableState(socket: NetfilterSocket, table: string): TableState {
  if (!isThere(socket, NFT_MSG_GETTABLE, (writer) => writer.text(NFTA_TABLE_NAME, table))) return 'absent';
  const isHooked = isThere(socket, NFT_MSG_GETCHAIN, (writer) => {
    writer.text(NFTA_CHAIN_TABLE, table);
    writer.text(NFTA_CHAIN_NAME, HOOK_CHAIN);
  });
  return isHooked ? 'hooked' : 'unhooked';
}

/** No error when it is not there. */
export function removeTable(socket: NetfilterSocket, table: string): void {
  const doing = `remove table \`${table}\``;
  const writer = new MessageWriter(256);
  writeFrame(writer, NFNL_MSG_BATCH_BEGIN, socket.nextSequence());
  const head = { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_DELTABLE, flags: NLM_F_REQUEST | NLM_F_ACK, family: FAMILY_INET };
  writer.message({ ...head, sequence: socket.nextSequence() }, () => writer.text(NFTA_TABLE_NAME, table));
  writeFrame(writer, NFNL_MSG_BATCH_END, socket.nextSequence());
  const refused = socket.send(writer.bytes, writer.size, doing).find(({ errno }) => errno !== constants.errno.ENOENT);
  if (refused !== undefined) throw refusal(refused, doing);
}

export function readAllElements(socket: NetfilterSocket, table: string): Elements {
  return new Map(SET_SHAPES.map((shape): [typeof shape.name, Element[]] => [shape.name, joinElements(shape, readRawElements(socket, table, shape))]));
}

export function readRawElements(socket: NetfilterSocket, table: string, shape: SetShape): RawElement[] {
  return socket.dump<RawElement>(
    { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETSETELEM, family: FAMILY_INET },
    {
      doing: `read set \`${shape.name}\` of table \`${table}\``,
      body: (writer) => {
        writer.text(NFTA_SET_ELEM_LIST_TABLE, table);
        writer.text(NFTA_SET_ELEM_LIST_SET, shape.name);
      },
      parse: (message, values) => readElements(message, shape, values),
    },
  );
}

function isThere(socket: NetfilterSocket, type: number, body: (writer: MessageWriter) => void): boolean {
  const doing = 'look for our table';
  const writer = new MessageWriter(256);
  const head = { subsystem: SUBSYSTEM_NFTABLES, type, flags: NLM_F_REQUEST, family: FAMILY_INET, sequence: socket.nextSequence() };
  writer.message(head, () => body(writer));
  const [refused] = socket.send(writer.bytes, writer.size, doing);
  if (refused !== undefined && refused.errno !== constants.errno.ENOENT) throw refusal(refused, doing);
  return refused === undefined;
}
