// Rules of others that write bits of the conntrack mark, read out of all tables of a namespace.
import type { LegacyTable } from './legacy-rules.ts';
import { NetfilterSocket } from './netfilter-socket.ts';
import { SUBSYSTEM_NFTABLES, visitAttributes, type Message } from './netfilter-message.ts';

export interface MarkWriter {
  /** `inet`, `ip`, `ip6`, `bridge`, `arp`, `netdev`. */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** The bits that the rule may change. */
  readonly bits: number;
}

const NFT_MSG_GETRULE = 7;
const FAMILY_ANY = 0;
const FAMILY_NAMES: Readonly<Record<number, string>> = { 1: 'inet', 2: 'ip', 3: 'arp', 5: 'netdev', 7: 'bridge', 10: 'ip6' };
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFT_CT_MARK = 3;
const ALL_BITS = 0xffffffff;

/** Rules of nftables and of iptables over nftables. Costs by the number of rules. */
export function readMarkWriters(socket: NetfilterSocket, ownTables: ReadonlySet<string>): MarkWriter[] {
  const writers = socket.dump<MarkWriter>(
    { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETRULE, family: FAMILY_ANY },
    { doing: 'read the rules of others', body: () => undefined, parse: (message, found) => found.push(...writersIn(message)) },
  );
  return writers.filter(({ family, table, bits }) => bits !== 0 && !(family === 'inet' && ownTables.has(table)));
}

/** Rules of the old iptables. */
export function findLegacyMarkWriters(tables: readonly LegacyTable[]): MarkWriter[] {
  return tables.flatMap(({ family, name, rules }) => {
    const bits = rules.reduce((sum, { target, revision, data }) => sum | (target === 'CONNMARK' ? bitsOfConnmark(data, revision) : 0), 0);
    return bits === 0 ? [] : [{ family: `${family === 4 ? 'iptables' : 'ip6tables'}-legacy`, table: name, chain: '', bits: bits >>> 0 }];
  });
}

function writersIn({ family, bytes, start, end }: Message): MarkWriter[] {
  let [table, chain, bits] = ['', '', 0];
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === NFTA_RULE_TABLE) table = bytes.toString('latin1', from, until - 1);
    if (type === NFTA_RULE_CHAIN) chain = bytes.toString('latin1', from, until - 1);
    if (type === NFTA_RULE_EXPRESSIONS) bits = bitsWritten(bytes, from, until);
  });
  return bits === 0 ? [] : [{ family: FAMILY_NAMES[family] ?? `family ${family}`, table, chain, bits: bits >>> 0 }];
}

// One register at a time: nft computes a mark right before it writes it.
function bitsWritten(bytes: Buffer, start: number, end: number): number {
  let written = 0;
  let changed = ALL_BITS;
  visitAttributes(bytes, start, end, (_, from, until) => {
    let name = '';
    visitAttributes(bytes, from, until, (part, dataStart, dataEnd) => {
      if (part === NFTA_EXPR_NAME) name = bytes.toString('latin1', dataStart, dataEnd - 1);
      if (part !== NFTA_EXPR_DATA) return;
      const values = numbersIn(bytes, dataStart, dataEnd);
      if (name === 'ct' && values.get(2) === NFT_CT_MARK) {
        if (values.has(4)) written |= changed;
        else changed = 0;
      } else if (name === 'bitwise') {
        changed |= ~valueOf(bytes, dataStart, dataEnd, 4) | valueOf(bytes, dataStart, dataEnd, 5);
      } else if (name === 'target') {
        written |= bitsOfTarget(bytes, dataStart, dataEnd);
      } else if (name !== 'cmp' && name !== 'counter') {
        changed = ALL_BITS;
      }
    });
  });
  return written;
}

function numbersIn(bytes: Buffer, start: number, end: number): ReadonlyMap<number, number> {
  const numbers = new Map<number, number>();
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (until - from === 4) numbers.set(type, bytes.readUInt32BE(from));
  });
  return numbers;
}

/** Of an attribute that nests a value of four bytes in host order. */
function valueOf(bytes: Buffer, start: number, end: number, wanted: number): number {
  let value = 0;
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === wanted && until - from >= 8) value = bytes.readUInt32LE(from + 4);
  });
  return value;
}

function bitsOfTarget(bytes: Buffer, start: number, end: number): number {
  let name = '';
  let revision = 0;
  let bits = 0;
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === 2) revision = bytes.readUInt32BE(from);
    if (type === 1) name = bytes.toString('latin1', from, until - 1);
    if (type === 3 && name === 'CONNMARK') bits = bitsOfConnmark(bytes.subarray(from, until), revision);
  });
  return bits;
}

// linux/netfilter/xt_connmark.h: ctmark, ctmask, nfmask, mode (0 set, 1 save, 2 restore); from revision 2 on two bytes of a shift before the mode.
function bitsOfConnmark(data: Buffer, revision: number): number {
  if (data.length < 15) return 0;
  const [mark, mask, packetMask, mode] = [data.readUInt32LE(0), data.readUInt32LE(4), data.readUInt32LE(8), data[revision >= 2 ? 14 : 12]];
  return mode === 0 ? mark | mask : mode === 1 ? mask | packetMask : 0;
}
