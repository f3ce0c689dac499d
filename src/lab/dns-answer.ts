// The answer to one DNS question, from a zone; nothing outside the cluster's own names is known here.
import { decode, encode, type Answer, type Packet, type Question } from 'dns-packet';
import type { DnsRecords, DnsZone } from './dns-zone.ts';

/** Answers larger than this are cut over UDP, and the client asks again over TCP (RFC 1035, section 4.2.1). */
export const UDP_ANSWER_BYTES_MAX = 512;

/** The answer's bytes; undefined for what is no question, which gets no answer at all. */
export function answerDns(zone: DnsZone, request: Buffer, options: { readonly bytesMax: number }): Buffer | undefined {
  const query = readQuery(request);
  const question = query?.questions?.[0];
  if (query === undefined || question === undefined) return undefined;
  const records = zone.get(question.name.toLowerCase());
  const answers = records === undefined ? [] : answersTo(question, records);
  const rcode = records === undefined && !isInside(zone, question.name.toLowerCase()) ? NXDOMAIN : NOERROR;
  const reply: Packet = {
    type: 'response',
    ...(query.id !== undefined && { id: query.id }),
    flags: AUTHORITATIVE | ((query.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE | rcode,
    questions: [question],
    answers,
  };
  const bytes = encode(reply);
  return bytes.length <= options.bytesMax ? bytes : encode({ ...reply, flags: reply.flags! | TRUNCATED, answers: [] });
}

function readQuery(request: Buffer): Packet | undefined {
  try {
    const packet = decode(request);
    return packet.type === 'query' && packet.questions?.length === 1 ? packet : undefined;
  } catch {
    return undefined;
  }
}

function answersTo(question: Question, records: DnsRecords): Answer[] {
  const { name } = question;
  const answers: Answer[] = [];
  if (question.type === 'A') for (const data of records.a) answers.push({ type: 'A', name, ttl: TTL_S, data });
  if (question.type === 'AAAA') for (const data of records.aaaa) answers.push({ type: 'AAAA', name, ttl: TTL_S, data });
  if (question.type === 'SRV') {
    for (const { target, port } of records.srv) answers.push({ type: 'SRV', name, ttl: TTL_S, data: { target, port, priority: 0, weight: 100 } });
  }
  return answers;
}

/** A name between two that exist (`shop.svc.cluster.local`) exists, without records (RFC 8020). */
function isInside(zone: DnsZone, name: string): boolean {
  const suffix = `.${name}`;
  for (const known of zone.keys()) if (known.endsWith(suffix)) return true;
  return false;
}

/** As CoreDNS gives it for cluster names. */
const TTL_S = 30;

// RFC 1035, section 4.1.1
const NOERROR = 0;
const NXDOMAIN = 3;
const AUTHORITATIVE = 0x400;
const TRUNCATED = 0x200;
const RECURSION_DESIRED = 0x100;
const RECURSION_AVAILABLE = 0x80;
