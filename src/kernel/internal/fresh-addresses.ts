// Addresses that pods were told for names, as the table holds them: for how long new connections may be opened, and what was learnt by an earlier process.
import type { IpFamily } from '../../base/ip-address.ts';
import { namesOf } from '../../emit/named-addresses.ts';
import { FAMILIES, FRESH_SHAPES, shapeOf, type SetShape } from '../../emit/set-shape.ts';
import type { FreshAddress, HeldName } from '../firewall.ts';
import { FirewallError } from '../firewall-error.ts';
import { NLM_F_CREATE, NLM_F_REQUEST, type MessageWriter } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { NFTA_LIST_ELEM, NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_TABLE, writeKey, type RawElement } from './set-codec.ts';
import { readRawElements } from './table.ts';
import { refusal, sendInBatches, type BatchMessage } from './transact.ts';

const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_DELSETELEM = 14;
const NFTA_SET_ELEM_TIMEOUT = 4;

/** Of one message: a nested attribute's length has 16 bits. */
const ADDRESSES_MAX = 500;

/** Nothing that was fresh before stays so but these. One batch where the socket takes it. */
export function replaceFresh(socket: NetfilterSocket, table: string, places: readonly FreshAddress[]): void {
  const flush = FAMILIES.map((family): BatchMessage => (message, writer) => message(NFT_MSG_DELSETELEM, NLM_F_REQUEST, () => writeSetName(writer, table, family)));
  send(socket, [...flush, ...portionsOf(places).map((portion) => portionMessage(portion, { table, type: NFT_MSG_NEWSETELEM, isTimed: true }))]);
}

/**
 * The end of an element that is there cannot be moved before Linux 6.12, and one that has ended a moment ago cannot be
 * taken away: so each is put there if it is not, taken away, and put there with its end, in one instant.
 */
export function writeFresh(socket: NetfilterSocket, table: string, places: readonly FreshAddress[]): void {
  for (const portion of portionsOf(places)) {
    send(socket, [
      portionMessage(portion, { table, type: NFT_MSG_NEWSETELEM, isTimed: true }),
      portionMessage(portion, { table, type: NFT_MSG_DELSETELEM, isTimed: false }),
      portionMessage(portion, { table, type: NFT_MSG_NEWSETELEM, isTimed: true }),
    ]);
  }
}

/** Nothing where the table, of an earlier version, has no such sets. */
export function readNamed(socket: NetfilterSocket, table: string): readonly HeldName[] {
  return FAMILIES.flatMap((family) => {
    const ends = new Map(readSet(socket, table, FRESH_SHAPES[family]).map(({ key, endsInMs }) => [key.join(), endsInMs ?? 0]));
    return readSet(socket, table, shapeOf(`named${family}`)).map(({ key, note = '' }): HeldName => {
      const [pod, address] = key as [bigint, bigint]; // two fields of kind address
      return { pod: { family, value: pod }, address: { family, value: address }, seconds: (ends.get(key.join()) ?? 0) / 1000, names: namesOf(note) };
    });
  });
}

function readSet(socket: NetfilterSocket, table: string, shape: SetShape): RawElement[] {
  try {
    return readRawElements(socket, table, shape);
  } catch (error) {
    if (error instanceof FirewallError && error.errnoName === 'ENOENT') return [];
    throw error;
  }
}

function send(socket: NetfilterSocket, messages: readonly BatchMessage[]): void {
  const doing = 'say how long addresses live';
  const [refused] = sendInBatches(socket, messages, { doing, bytesMax: socket.sendBytesMax });
  if (refused !== undefined) throw refusal(refused, doing);
}

/** Of one family each, none twice in one. */
function portionsOf(places: readonly FreshAddress[]): FreshAddress[][] {
  const single = new Map(places.map((place) => [`${place.pod.family} ${place.pod.value} ${place.address.value}`, place]));
  return FAMILIES.flatMap((family) => {
    const own = [...single.values()].filter(({ pod }) => pod.family === family);
    return Array.from({ length: Math.ceil(own.length / ADDRESSES_MAX) }, (_, index) => own.slice(index * ADDRESSES_MAX, (index + 1) * ADDRESSES_MAX));
  });
}

function portionMessage(places: readonly FreshAddress[], { table, type, isTimed }: { readonly table: string; readonly type: number; readonly isTimed: boolean }): BatchMessage {
  const { family } = places[0]!.pod;
  return (message, writer) =>
    message(type, type === NFT_MSG_NEWSETELEM ? NLM_F_REQUEST | NLM_F_CREATE : NLM_F_REQUEST, () => {
      writeSetName(writer, table, family);
      writer.nest(NFTA_SET_ELEM_LIST_ELEMENTS, () => {
        for (const { pod, address, seconds } of places) {
          writer.nest(NFTA_LIST_ELEM, () => {
            writeKey(writer, NFTA_SET_ELEM_KEY, FRESH_SHAPES[family], [pod.value, address.value]);
            if (isTimed) writer.attribute(NFTA_SET_ELEM_TIMEOUT, 8, (bytes, at) => bytes.writeBigUInt64BE(BigInt(Math.ceil(seconds * 1000)), at));
          });
        }
      });
    });
}

function writeSetName(writer: MessageWriter, table: string, family: IpFamily): void {
  writer.text(NFTA_SET_ELEM_LIST_TABLE, table);
  writer.text(NFTA_SET_ELEM_LIST_SET, FRESH_SHAPES[family].name);
}
