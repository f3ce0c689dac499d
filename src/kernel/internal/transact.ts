// Messages of nf_tables in batches: each batch takes effect as a whole or not at all.
import { codeOfErrno, FirewallError } from '../firewall-error.ts';
import { FAMILY_INET, MessageWriter, NLM_F_REQUEST, SUBSYSTEM_NFTABLES } from './netfilter-message.ts';
import type { NetfilterSocket, Refused } from './netfilter-socket.ts';

export const NFNL_MSG_BATCH_BEGIN = 0x10;
export const NFNL_MSG_BATCH_END = 0x11;

/** What the end of a batch takes. */
const BATCH_END_BYTES = 32;

/** Writes one message of the batch. */
export type MessageOfBatch = (type: number, flags: number, body: () => void) => void;

/** Writes its messages into whatever batch has room. */
export type BatchMessage = (message: MessageOfBatch, writer: MessageWriter) => void;

export function transact(socket: NetfilterSocket, writer: MessageWriter, options: { readonly doing: string; readonly write: (message: MessageOfBatch) => void }): void {
  writeFrame(writer, NFNL_MSG_BATCH_BEGIN, socket.nextSequence());
  options.write(messageWriter(socket, writer));
  writeFrame(writer, NFNL_MSG_BATCH_END, socket.nextSequence());
  const [refused] = socket.send(writer.bytes, writer.size, options.doing);
  if (refused !== undefined) throw refusal(refused, options.doing);
}

/** As few batches as the size allows; ends with the first that is refused and gives why. */
export function sendInBatches(socket: NetfilterSocket, messages: readonly BatchMessage[], options: { readonly doing: string; readonly bytesMax: number }): Refused[] {
  for (let next = 0; next < messages.length; ) {
    const writer = new MessageWriter(1 << 16);
    writeFrame(writer, NFNL_MSG_BATCH_BEGIN, socket.nextSequence());
    const message = messageWriter(socket, writer);
    for (const first = next; next < messages.length; next++) {
      const before = writer.size;
      messages[next]!(message, writer);
      if (next === first || writer.size + BATCH_END_BYTES <= options.bytesMax) continue;
      writer.size = before;
      break;
    }
    writeFrame(writer, NFNL_MSG_BATCH_END, socket.nextSequence());
    const refused = socket.send(writer.bytes, writer.size, options.doing);
    if (refused.length > 0) return refused;
  }
  return [];
}

function messageWriter(socket: NetfilterSocket, writer: MessageWriter): MessageOfBatch {
  return (type, flags, body) => writer.message({ subsystem: SUBSYSTEM_NFTABLES, type, flags, family: FAMILY_INET, sequence: socket.nextSequence() }, body);
}

export function writeFrame(writer: MessageWriter, type: number, sequence: number): void {
  writer.message({ subsystem: 0, type, flags: NLM_F_REQUEST, family: 0, sequence, resource: SUBSYSTEM_NFTABLES }, () => undefined);
}

export function refusal({ errno, text }: Refused, doing: string, offender?: string): FirewallError {
  return new FirewallError({ code: codeOfErrno(errno), doing, errno, ...(text === undefined ? {} : { said: text }), ...(offender === undefined ? {} : { offender }) });
}
