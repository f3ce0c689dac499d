// The generation bits in the marks of conntrack entries, over ctnetlink: read, and taken off where they must not count any more.
import type { IpAddress, IpFamily } from '../../base/ip-address.ts';
import { FirewallError } from '../firewall-error.ts';
import { generationOf } from '../generation-number.ts';
import { MessageWriter, NLM_F_REQUEST, SUBSYSTEM_CONNTRACK, visitAttributes, type Message } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';

const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_MARK = 8;
const CTA_ZONE = 18;
const CTA_MARK_MASK = 21;
const CTA_TUPLE_IP = 1;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V6_SRC = 3;
const NESTED = 0x8000;
const AF_UNSPEC = 0;
/** Below the smallest send buffer a kernel gives. */
const UPDATE_BYTES_MAX = 100_000;

export interface MarkedFlow {
  /** 0: not judged. */
  readonly generation: number;
  /** The real client and the real back end, as `addressKey` has them; empty where an entry lacks one. */
  readonly ends: readonly string[];
  readonly netlinkFamily: number;
  /** Ready attributes that name the flow: its original tuple and zone. */
  readonly identity: Buffer;
}

/** Takes the generation off all flows but those of `current`. Gives how many. */
export function clearStaleMarks(socket: NetfilterSocket, mask: number, current: number): number {
  return clearMarks(socket, mask, ({ generation }) => generation !== current);
}

/** Takes the generation off all flows. Gives how many. */
export function clearAllMarks(socket: NetfilterSocket, mask: number): number {
  return clearMarks(socket, mask, () => true);
}

/** Flows with one of the ends are judged again at their next packet. Gives how many. */
export function clearMarksOf(socket: NetfilterSocket, mask: number, ends: ReadonlySet<string>): number {
  return clearMarks(socket, mask, (flow) => flow.ends.some((end) => ends.has(end)));
}

export function addressKey(family: IpFamily, value: bigint): string {
  return `${family} ${value}`;
}

/** Of all that were judged: whether there is one from a client to a back end. */
export function readConnections(socket: NetfilterSocket, mask: number): (source: IpAddress, target: IpAddress) => boolean {
  const known = new Set(readMarkedFlows(socket, mask).map(({ ends }) => ends.join(' ')));
  return (source, target) => known.has(`${addressKey(source.family, source.value)} ${addressKey(target.family, target.value)}`);
}

/** Those whose bits are not all 0. Throws FirewallError `kernel-lacks` where nobody answers for connections. */
export function readMarkedFlows(socket: NetfilterSocket, mask: number): MarkedFlow[] {
  try {
    return dumpMarkedFlows(socket, mask);
  } catch (error) {
    // What nfnetlink (net/netfilter/nfnetlink.c) says of a subsystem that no module has registered.
    if (!(error instanceof FirewallError) || error.errnoName !== 'EINVAL') throw error;
    throw new FirewallError({ code: 'kernel-lacks', doing: error.doing, said: 'this kernel lacks marks of connections over netlink; load the module: `modprobe nf_conntrack_netlink`', cause: error });
  }
}

function dumpMarkedFlows(socket: NetfilterSocket, mask: number): MarkedFlow[] {
  return socket.dump<MarkedFlow>(
    { subsystem: SUBSYSTEM_CONNTRACK, type: IPCTNL_MSG_CT_GET, family: AF_UNSPEC },
    {
      doing: 'read conntrack marks',
      body: () => undefined,
      parse: (message, flows) => {
        const flow = readFlow(message, mask);
        if (flow !== undefined) flows.push(flow);
      },
    },
  );
}

/** Other bits of the mark stay. */
function clearMarks(socket: NetfilterSocket, mask: number, isStale: (flow: MarkedFlow) => boolean): number {
  const doing = 'clear old generations from conntrack marks';
  const stale = readMarkedFlows(socket, mask).filter(isStale);
  let writer = new MessageWriter();
  const flush = (): void => {
    // A flow that ended meanwhile is refused as absent, which is what we want of it.
    const refused = socket.send(writer.bytes, writer.size, doing).find(({ errno }) => errno !== ENOENT);
    if (refused !== undefined) throw new FirewallError({ code: 'conntrack', doing, errno: refused.errno, ...(refused.text === undefined ? {} : { said: refused.text }) });
    writer = new MessageWriter();
  };
  for (const { netlinkFamily, identity } of stale) {
    if (writer.size > UPDATE_BYTES_MAX) flush();
    writer.message({ subsystem: SUBSYSTEM_CONNTRACK, type: IPCTNL_MSG_CT_NEW, flags: NLM_F_REQUEST, family: netlinkFamily, sequence: socket.nextSequence() }, () => {
      writer.raw(identity);
      writer.number(CTA_MARK, 0);
      writer.number(CTA_MARK_MASK, mask);
    });
  }
  if (writer.size > 0) flush();
  return stale.length;
}

const ENOENT = 2;

function readFlow({ bytes, family, start, end }: Message, mask: number): MarkedFlow | undefined {
  let generation = 0;
  const identity: Buffer[] = [];
  const tuples: [number, number][] = [];
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === CTA_MARK) generation = generationOf(bytes.readUInt32BE(from), mask);
    if (type === CTA_TUPLE_ORIG || type === CTA_ZONE) identity.push(copyAttribute(bytes, from, until, type === CTA_TUPLE_ORIG ? type | NESTED : type));
    if (type === CTA_TUPLE_ORIG || type === CTA_TUPLE_REPLY) tuples.push([from, until]);
  });
  if (generation === 0) return undefined;
  const ends = tuples.flatMap(([from, until]) => readTupleSource(bytes, from, until) ?? []);
  return { generation, ends, netlinkFamily: family, identity: Buffer.concat(identity) };
}

function readTupleSource(bytes: Buffer, start: number, end: number): string | undefined {
  let source: string | undefined;
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type !== CTA_TUPLE_IP) return;
    visitAttributes(bytes, from, until, (kind, at) => {
      if (kind === CTA_IP_V4_SRC) source = addressKey(4, BigInt(bytes.readUInt32BE(at)));
      if (kind === CTA_IP_V6_SRC) source = addressKey(6, (bytes.readBigUInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8));
    });
  });
  return source;
}

function copyAttribute(bytes: Buffer, start: number, end: number, type: number): Buffer {
  const copy = Buffer.alloc(4 + ((end - start + 3) & ~3));
  copy.writeUInt16LE(4 + end - start, 0);
  copy.writeUInt16LE(type, 2);
  bytes.copy(copy, 4, start, end);
  return copy;
}
