// The generation: the rules of the chains `gate` and `stamp`, which let judged flows pass and mark the ones now judged.
import { generationMax, generationOf, markOf } from '../generation-number.ts';
import { FAMILY_INET, MessageWriter, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST, SUBSYSTEM_NFTABLES, visitAttributes } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { transact, type MessageOfBatch } from './transact.ts';

const NFT_MSG_NEWRULE = 6;
const NFT_MSG_GETRULE = 7;
const NFT_MSG_DELRULE = 8;
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
/** The first register of four bytes. */
const REGISTER = 8;
const VERDICT_REGISTER = 0;
const NF_ACCEPT = 1;
const CT_STATE = 0;
const CT_MARK = 3;
/** Bit of `IP_CT_ESTABLISHED`. */
const STATE_ESTABLISHED = 2;
const CMP_EQUAL = 0;
const CMP_NOT_EQUAL = 1;

/** The chains that a new generation rewrites. */
const GENERATION_CHAINS = [['gate', writeGateRule], ['stamp', writeStampRule]] as const;

export function isGenerationChain(chain: string): boolean {
  return GENERATION_CHAINS.some(([name]) => name === chain);
}

/** `mask`: the bits of the conntrack mark. */
export interface Generation {
  readonly generation: number;
  readonly mask: number;
}

/**
 * Flows that carry another generation are judged again from here on. Always a batch of its own after the elements:
 * rules are swapped a moment before elements, so a packet could be judged by old ones and stamped as judged by new ones.
 */
export function writeGeneration(socket: NetfilterSocket, table: string, generation: Generation): void {
  const writer = new MessageWriter(2048);
  transact(socket, writer, {
    doing: `set generation ${generation.generation} in table \`${table}\``,
    write: (message) => {
      for (const [chain] of GENERATION_CHAINS) message(NFT_MSG_DELRULE, NLM_F_REQUEST, () => writeChainName(writer, table, chain));
      writeGenerationRules(writer, message, { table, ...generation });
    },
  });
}

/** The two rules in a batch of others; their chains are empty. */
export function writeGenerationRules(writer: MessageWriter, message: MessageOfBatch, { table, generation, mask }: Generation & { readonly table: string }): void {
  for (const [chain, writeRule] of GENERATION_CHAINS) {
    message(NFT_MSG_NEWRULE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, () => {
      writeChainName(writer, table, chain);
      writer.nest(NFTA_RULE_EXPRESSIONS, () => writeRule(writer, mask, markOf(generation, mask)));
    });
  }
}

/** The generation that the table's gate lets pass; undefined when there is no such table, or it uses other bits. */
export function readGeneration(socket: NetfilterSocket, table: string, mask: number): number | undefined {
  const found = socket.dump<GateRule>(
    { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETRULE, family: FAMILY_INET },
    {
      doing: `read the generation of table \`${table}\``,
      body: (writer) => writeChainName(writer, table, 'gate'),
      parse: ({ bytes, start, end }, rules) => rules.push(readGateRule(bytes, start, end)),
    },
  );
  const [gate] = found;
  if (gate?.mask === undefined || gate.mark === undefined || gate.mask !== mask >>> 0) return undefined;
  const generation = generationOf(gate.mark, mask);
  if (found.length > 1 || generation < 1 || generation > generationMax(mask)) return undefined;
  return generation;
}

/** A copy of a rule of these chains, with zeros in place of the mark. */
export function withoutGeneration(attributes: Buffer, mark: number): Buffer {
  const copy = Buffer.from(attributes);
  visitValues(copy, 0, copy.length, (kind, at) => {
    if (kind !== 'mask' && copy.readUInt32LE(at) === mark) copy.writeUInt32LE(0, at);
  });
  return copy;
}

function writeChainName(writer: MessageWriter, table: string, chain: string): void {
  writer.text(NFTA_RULE_TABLE, table);
  writer.text(NFTA_RULE_CHAIN, chain);
}

// ct state established ct mark and MASK == MARK accept
function writeGateRule(writer: MessageWriter, mask: number, mark: number): void {
  loadCt(writer, CT_STATE);
  bitwise(writer, STATE_ESTABLISHED, 0);
  compare(writer, CMP_NOT_EQUAL, 0);
  loadCt(writer, CT_MARK);
  bitwise(writer, mask, 0);
  compare(writer, CMP_EQUAL, mark);
  expression(writer, 'immediate', () => {
    writer.number(1, VERDICT_REGISTER);
    writer.nest(2, () => writer.nest(NFTA_DATA_VERDICT, () => writer.number(NFTA_VERDICT_CODE, NF_ACCEPT)));
  });
}

// ct mark set ct mark and not MASK or MARK
function writeStampRule(writer: MessageWriter, mask: number, mark: number): void {
  loadCt(writer, CT_MARK);
  bitwise(writer, ~mask, mark);
  expression(writer, 'ct', () => {
    writer.number(2, CT_MARK);
    writer.number(4, REGISTER);
  });
}

function loadCt(writer: MessageWriter, key: number): void {
  expression(writer, 'ct', () => {
    writer.number(1, REGISTER);
    writer.number(2, key);
  });
}

function bitwise(writer: MessageWriter, mask: number, xor: number): void {
  expression(writer, 'bitwise', () => {
    writer.number(1, REGISTER);
    writer.number(2, REGISTER);
    writer.number(3, 4);
    hostNumber(writer, 4, mask);
    hostNumber(writer, 5, xor);
  });
}

function compare(writer: MessageWriter, operator: number, value: number): void {
  expression(writer, 'cmp', () => {
    writer.number(1, REGISTER);
    writer.number(2, operator);
    hostNumber(writer, 3, value);
  });
}

function expression(writer: MessageWriter, name: string, body: () => void): void {
  writer.nest(NFTA_LIST_ELEM, () => {
    writer.text(NFTA_EXPR_NAME, name);
    writer.nest(NFTA_EXPR_DATA, body);
  });
}

function hostNumber(writer: MessageWriter, type: number, value: number): void {
  writer.nest(type, () => writer.attribute(NFTA_DATA_VALUE, 4, (bytes, at) => bytes.writeInt32LE(value | 0, at)));
}

/** What the last comparison of a gate says; undefined where it is no gate. */
interface GateRule {
  readonly mask: number | undefined;
  readonly mark: number | undefined;
}

function readGateRule(bytes: Buffer, start: number, end: number): GateRule {
  let mask: number | undefined;
  let mark: number | undefined;
  visitValues(bytes, start, end, (kind, at) => {
    if (kind === 'mask') mask = bytes.readUInt32LE(at);
    if (kind === 'compared') mark = bytes.readUInt32LE(at);
  });
  return { mask, mark };
}

/** The values that stand in the rule of a generation, by what they are for. */
type ValueKind = 'compared' | 'mask' | 'xor';

const VALUE_KINDS: Readonly<Record<string, Readonly<Record<number, ValueKind>>>> = { cmp: { 3: 'compared' }, bitwise: { 4: 'mask', 5: 'xor' } };

function visitValues(bytes: Buffer, start: number, end: number, visit: (kind: ValueKind, at: number) => void): void {
  visitAttributes(bytes, start, end, (type, listStart, listEnd) => {
    if (type !== NFTA_RULE_EXPRESSIONS) return;
    visitAttributes(bytes, listStart, listEnd, (_, from, until) => {
      let kinds: Readonly<Record<number, ValueKind>> = {};
      visitAttributes(bytes, from, until, (part, partStart, partEnd) => {
        if (part === NFTA_EXPR_NAME) kinds = VALUE_KINDS[bytes.toString('latin1', partStart, partEnd - 1)] ?? {};
        if (part !== NFTA_EXPR_DATA) return;
        visitAttributes(bytes, partStart, partEnd, (kind, at) => {
          if (kinds[kind] !== undefined) visit(kinds[kind], at + 4);
        });
      });
    });
  });
}
