// The protocols of flows: numbers of IP, the words for them, and their place on the line of ports.
import { OTHER_POINT, pointOf, type Protocol } from '../base/port-set.ts';

const PORTED: Readonly<Record<number, Protocol>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' };
/** IANA, "Protocol Numbers". */
const NUMBERS: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, SCTP: 132, ICMPv4: 1, ICMPv6: 58 };
const WORDS: ReadonlyMap<number, string> = new Map(Object.entries(NUMBERS).map(([word, number]) => [number, word]));

/** undefined for protocols without ports that policies could name. */
export function portedProtocol(protocol: number): Protocol | undefined {
  return PORTED[protocol];
}

/** `TCP`, `ICMPv4`, or the number. */
export function protocolText(protocol: number): string {
  return WORDS.get(protocol) ?? `${protocol}`;
}

/** undefined for what is no word of `protocolText`. */
export function protocolNumber(text: string): number | undefined {
  if (Object.hasOwn(NUMBERS, text)) return NUMBERS[text];
  return /^[0-9]{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** What of a flow the ports of a rule are held against. */
export function flowPoint(protocol: number, port: number): number {
  const ported = PORTED[protocol];
  return ported === undefined ? OTHER_POINT : pointOf(ported, port);
}

/** `tcp/5432`, `icmpv4`. */
export function trafficText(protocol: number, port: number): string {
  const word = protocolText(protocol).toLowerCase();
  return PORTED[protocol] === undefined ? (WORDS.has(protocol) ? word : `protocol ${word}`) : `${word}/${port}`;
}
