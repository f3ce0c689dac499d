// The generation bits in the marks of conntrack entries, over ctnetlink: what is taken off before a value is used again.
import { FirewallError } from '../firewall-error.ts';
import { GENERATION_MASK } from './generation-number.ts';
import { MessageWriter, NLM_F_REQUEST, SUBSYSTEM_CONNTRACK, visitAttributes, type Message } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';

const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const CTA_TUPLE_ORIG = 1;
const CTA_MARK = 8;
const CTA_ZONE = 18;
const CTA_MARK_MASK = 21;
const NESTED = 0x8000;
const AF_UNSPEC = 0;
/** Below the smallest send buffer a kernel gives. */
const UPDATE_BYTES_MAX = 100_000;

interface MarkedFlow {
  readonly family: number;
  /** Ready attributes that name the flow: its original tuple and zone. */
  readonly identity: Buffer;
}

/** Takes the generation off all flows but those of `current`; other bits of the mark stay. Gives how many. */
export function clearStaleMarks(socket: NetfilterSocket, current: number): number {
  const doing = 'clear old generations from conntrack marks';
  const flows = socket.dump<MarkedFlow>(
    { subsystem: SUBSYSTEM_CONNTRACK, type: IPCTNL_MSG_CT_GET, family: AF_UNSPEC },
    { doing, body: () => undefined, parse: (message, values) => readStaleFlow(message, current, values) },
  );
  let writer = new MessageWriter();
  const flush = (): void => {
    // A flow that ended meanwhile is refused as absent, which is what we want of it.
    const refused = socket.send(writer.bytes, writer.size, doing).find(({ errno }) => errno !== ENOENT);
    if (refused !== undefined) throw new FirewallError({ code: 'conntrack', doing, errno: refused.errno, ...(refused.text === undefined ? {} : { said: refused.text }) });
    writer = new MessageWriter();
  };
  for (const { family, identity } of flows) {
    if (writer.size > UPDATE_BYTES_MAX) flush();
    writer.message({ subsystem: SUBSYSTEM_CONNTRACK, type: IPCTNL_MSG_CT_NEW, flags: NLM_F_REQUEST, family, sequence: socket.nextSequence() }, () => {
      writer.raw(identity);
      writer.number(CTA_MARK, 0);
      writer.number(CTA_MARK_MASK, GENERATION_MASK);
    });
  }
  if (writer.size > 0) flush();
  return flows.length;
}

const ENOENT = 2;

function readStaleFlow({ bytes, family, start, end }: Message, current: number, flows: MarkedFlow[]): void {
  let generation = 0;
  const identity: Buffer[] = [];
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === CTA_MARK) generation = bytes.readUInt32BE(from) & GENERATION_MASK;
    if (type === CTA_TUPLE_ORIG || type === CTA_ZONE) identity.push(copyAttribute(bytes, from, until, type === CTA_TUPLE_ORIG ? type | NESTED : type));
  });
  if (generation !== 0 && generation !== current) flows.push({ family, identity: Buffer.concat(identity) });
}

function copyAttribute(bytes: Buffer, start: number, end: number, type: number): Buffer {
  const copy = Buffer.alloc(4 + ((end - start + 3) & ~3));
  copy.writeUInt16LE(4 + end - start, 0);
  copy.writeUInt16LE(type, 2);
  bytes.copy(copy, 4, start, end);
  return copy;
}
