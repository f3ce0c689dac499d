// The generation: the rules of the chains `gate` and `stamp`, which let judged flows pass and mark the ones now judged.
import { FirewallError } from '../firewall-error.ts';
import { GENERATION_MASK, GENERATION_MAX } from './generation-number.ts';
import { FAMILY_INET, MessageWriter, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST, SUBSYSTEM_NFTABLES, visitAttributes } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { transact } from './transact.ts';


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

/**
 * Flows that carry another generation are judged again from here on. Always a batch of its own after the elements:
 * rules are swapped a moment before elements, so a packet could be judged by old ones and stamped as judged by new ones.
 */
export function writeGeneration(socket: NetfilterSocket, table: string, generation: number): void {
  const writer = new MessageWriter(2048);
  transact(socket, writer, {
    doing: `set generation ${generation} in table \`${table}\``,
    write: (message) => {
      for (const [chain, rule] of [['gate', writeGateRule], ['stamp', writeStampRule]] as const) {
        message(NFT_MSG_DELRULE, NLM_F_REQUEST, () => writeChainName(writer, table, chain));
        message(NFT_MSG_NEWRULE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, () => {
          writeChainName(writer, table, chain);
          writer.nest(NFTA_RULE_EXPRESSIONS, () => rule(writer, generation));
        });
      }
    },
  });
}

/** The generation that the table's gate lets pass; undefined when there is no such table. */
export function readGeneration(socket: NetfilterSocket, table: string): number | undefined {
  const found = socket.dump<number>(
    { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETRULE, family: FAMILY_INET },
    {
      doing: `read the generation of table \`${table}\``,
      body: (writer) => writeChainName(writer, table, 'gate'),
      parse: ({ bytes, start, end }, values) => values.push(...compareValues(bytes, start, end)),
    },
  );
  const generation = found.at(-1);
  if (generation !== undefined && (generation < 1 || generation > GENERATION_MAX)) {
    throw new FirewallError({ code: 'netlink', doing: `read the generation of table \`${table}\``, said: `its gate compares with ${generation}; the table is not ours or another version's` });
  }
  return generation;
}

function writeChainName(writer: MessageWriter, table: string, chain: string): void {
  writer.text(NFTA_RULE_TABLE, table);
  writer.text(NFTA_RULE_CHAIN, chain);
}

// ct state established ct mark and MASK == GENERATION accept
function writeGateRule(writer: MessageWriter, generation: number): void {
  loadCt(writer, CT_STATE);
  bitwise(writer, STATE_ESTABLISHED, 0);
  compare(writer, CMP_NOT_EQUAL, 0);
  loadCt(writer, CT_MARK);
  bitwise(writer, GENERATION_MASK, 0);
  compare(writer, CMP_EQUAL, generation);
  expression(writer, 'immediate', () => {
    writer.number(1, VERDICT_REGISTER);
    writer.nest(2, () => writer.nest(NFTA_DATA_VERDICT, () => writer.number(NFTA_VERDICT_CODE, NF_ACCEPT)));
  });
}

// ct mark set ct mark and not MASK or GENERATION
function writeStampRule(writer: MessageWriter, generation: number): void {
  loadCt(writer, CT_MARK);
  bitwise(writer, ~GENERATION_MASK, generation);
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

/** The right sides of all `cmp` of a rule. */
function compareValues(bytes: Buffer, start: number, end: number): number[] {
  const values: number[] = [];
  visitAttributes(bytes, start, end, (type, listStart, listEnd) => {
    if (type !== NFTA_RULE_EXPRESSIONS) return;
    visitAttributes(bytes, listStart, listEnd, (_, from, until) => {
      let name = '';
      visitAttributes(bytes, from, until, (part, partStart, partEnd) => {
        if (part === NFTA_EXPR_NAME) name = bytes.toString('latin1', partStart, partEnd - 1);
        else if (part === NFTA_EXPR_DATA && name === 'cmp') {
          visitAttributes(bytes, partStart, partEnd, (kind, at) => {
            if (kind === 3) values.push(bytes.readUInt32LE(at + 4));
          });
        }
      });
    });
  });
  return values;
}
