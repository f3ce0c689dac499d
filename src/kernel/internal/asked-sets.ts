// Sets of what clients asked for before address translation, beside what they reached: their names, their text, and what a record of them says.
import type { Key } from '../../emit/element.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { SetShape } from '../../emit/set-shape.ts';
import type { LedgerEntry } from '../firewall.ts';

/** For each protocol with ports: the look-up that needs its name in front, since nft asks for the size of `proto-src`. */
export const PORT_PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

export type PortProtocol = (typeof PORT_PROTOCOLS)[number];

/** One for each protocol: nft 1.0.6 takes no key in which more stands beside the three addresses of IPv6. */
export function askedSet(kind: string, protocol: PortProtocol, family: IpFamily): string {
  return `${kind}_asked_${protocol}${family}`;
}

/** `typeof` of the key. */
export function askedType(family: IpFamily): string {
  return `typeof ${ip(family)} saddr . ${ip(family)} daddr . th dport . ${ip(family)} daddr . th dport`;
}

/** The rule that counts a packet of a translated connection, and lets go on. */
export function askedRule(kind: string, protocol: PortProtocol, family: IpFamily): string {
  const key = `ct original ${ip(family)} saddr . ct reply ${ip(family)} saddr . ct reply proto-src . ct original ${ip(family)} daddr . ct original proto-dst`;
  return `meta l4proto ${protocol} ct status dnat update @${askedSet(kind, protocol, family)} { ${key} }`;
}

export function askedShape(kind: string, protocol: PortProtocol, family: IpFamily): SetShape {
  const address = family === 4 ? 'address4' : 'address6';
  return { name: askedSet(kind, protocol, family), fields: [address, address, 'port', address, 'port'], isInterval: false, isMap: false, meaning: '' };
}

/** Of a key as the shape has it. */
export function askedEnds(key: Key, protocol: PortProtocol, family: IpFamily): Pick<LedgerEntry, 'source' | 'target' | 'protocol' | 'port' | 'asked'> {
  const [source, target, port, address, askedPort] = key as [bigint, bigint, number, bigint, number]; // as the shape has them
  return { source: { family, value: source }, target: { family, value: target }, protocol: PROTOCOL_NUMBERS[protocol], port, asked: { address: { family, value: address }, port: askedPort } };
}

const PROTOCOL_NUMBERS: Readonly<Record<PortProtocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

function ip(family: IpFamily): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}
