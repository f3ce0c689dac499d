// Turns an application's texts into the hosts that they name, each with the port that belongs to it and the place where it stands.
import type { Assignment, TextPlace } from './assignment.ts';
import { hostStem, namesAddress, namesOwn, namesSecret, portStem, wordsOf } from './key-words.ts';
import { findHosts, isServiceName, type NamedHost } from './named-hosts.ts';
import { isUdpScheme, productPort, wellKnownPort } from './well-known-ports.ts';

export interface Mention {
  readonly host: string;
  /** Written behind the host, beside it in a variable of its own, or known by the URL's scheme. Empty: nobody says. */
  readonly ports: readonly number[];
  /** From a variable of its own that may belong to something else as well. */
  readonly portMayBeOther: boolean;
  /** Where no port is said: the one of the product that the names speak of. */
  readonly usualPort: number | undefined;
  readonly isUdp: boolean;
  /** Somebody means an address by it; else it is one only if a Service has the name. */
  readonly isSure: boolean;
  /** The name it stands under; empty for a word alone. */
  readonly key: string;
  readonly place: TextPlace;
}

export interface MentionsOfTexts {
  readonly mentions: readonly Mention[];
  /** Addresses of which a part comes from elsewhere, such as `${HOST}:8080`. */
  readonly unreadable: readonly { readonly text: string; readonly key: string; readonly place: TextPlace }[];
}

export function findMentions(assignments: readonly Assignment[]): MentionsOfTexts {
  const ports = collectPorts(assignments);
  const found: { mentions: Mention[]; unreadable: MentionsOfTexts['unreadable'][number][] } = { mentions: [], unreadable: [] };
  for (const { key, value, group, place, ownNames } of assignments) {
    const words = wordsOf(key);
    if (namesOwn(words) || namesSecret(words)) continue;
    for (const [line, text] of value.split('\n').entries()) {
      const at = line === 0 ? place : { ...place, line: place.line + line };
      const { hosts, unreadable } = findHosts(text);
      found.unreadable.push(...unreadable.map((part) => ({ text: part, key, place: at })));
      for (const host of hosts) {
        if (ownNames?.has(host.host) === true) continue;
        const mention = readMention(host, { key, words, port: ports.get(`${group}\n${hostStem(words) ?? '-'}`), place: at });
        if (mention !== undefined) found.mentions.push(mention);
      }
    }
  }
  return found;
}

interface MentionContext {
  readonly key: string;
  readonly words: readonly string[];
  readonly port: number | undefined;
  readonly place: TextPlace;
}

/** undefined: a word alone that nothing says is a host. */
function readMention({ host, ports, scheme, protocol, form }: NamedHost, { key, words, port, place }: MentionContext): Mention | undefined {
  const isAddressKey = namesAddress(words);
  if (form === 'alone' && !isAddressKey && !isServiceName(host)) return undefined;
  const ofScheme = scheme === undefined ? undefined : wellKnownPort(scheme);
  const said = ports.length > 0 ? ports : port !== undefined ? [port] : ofScheme !== undefined ? [ofScheme] : [];
  return {
    host,
    ports: said,
    portMayBeOther: ports.length === 0 && port !== undefined && hostStem(words) === '',
    usualPort: productPort(words),
    isUdp: protocol === 'UDP' || isUdpScheme(scheme) || (ports.length === 0 && words.includes('statsd')),
    isSure: form === 'url' || isServiceName(host) || (isAddressKey && (form === 'pair' || (hostStem(words) !== undefined && !key.startsWith('-h')))),
    key,
    place,
  };
}

/** Numbers under the name of a port, by group and by what the name has in common with its host's. */
function collectPorts(assignments: readonly Assignment[]): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const { key, value, group } of assignments) {
    const stem = portStem(wordsOf(key));
    if (stem !== undefined && /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65535) ports.set(`${group}\n${stem}`, Number(value));
  }
  return ports;
}
