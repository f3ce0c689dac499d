// One atomic batch of messages to nf_tables: carried out as a whole, or an error that says which part was refused.
import { codeOfErrno, FirewallError } from '../firewall-error.ts';
import { FAMILY_INET, NLM_F_REQUEST, SUBSYSTEM_NFTABLES, type MessageWriter } from './netfilter-message.ts';
import type { NetfilterSocket, Refused } from './netfilter-socket.ts';

export const NFNL_MSG_BATCH_BEGIN = 0x10;
export const NFNL_MSG_BATCH_END = 0x11;

/** Writes one message of the batch. */
export type MessageOfBatch = (type: number, flags: number, body: () => void) => void;

export function transact(socket: NetfilterSocket, writer: MessageWriter, options: { readonly doing: string; readonly write: (message: MessageOfBatch) => void }): void {
  writeFrame(writer, NFNL_MSG_BATCH_BEGIN, socket.nextSequence());
  options.write((type, flags, body) =>
    writer.message({ subsystem: SUBSYSTEM_NFTABLES, type, flags, family: FAMILY_INET, sequence: socket.nextSequence() }, body),
  );
  writeFrame(writer, NFNL_MSG_BATCH_END, socket.nextSequence());
  const [refused] = socket.send(writer.bytes, writer.size, options.doing);
  if (refused !== undefined) throw refusal(refused, options.doing);
}

export function writeFrame(writer: MessageWriter, type: number, sequence: number): void {
  writer.message({ subsystem: 0, type, flags: NLM_F_REQUEST, family: 0, sequence, resource: SUBSYSTEM_NFTABLES }, () => undefined);
}

export function refusal({ errno, text }: Refused, doing: string, offender?: string): FirewallError {
  return new FirewallError({ code: codeOfErrno(errno), doing, errno, ...(text === undefined ? {} : { said: text }), ...(offender === undefined ? {} : { offender }) });
}
