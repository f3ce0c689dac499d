// Finds the hosts that a piece of text names: in URLs, JDBC and driver strings, lists of host:port, and alone.
import { isUdpScheme } from './well-known-ports.ts';

/** A host as a text names it. */
export interface NamedHost {
  /** Lower case, without a last dot: a name, or an address of either family. */
  readonly host: string;
  /** Numbers written behind it; of Zookeeper's servers several. */
  readonly ports: readonly number[];
  readonly scheme: string | undefined;
  readonly protocol: 'TCP' | 'UDP' | undefined;
  /** `url`: it can be nothing else. `pair`: host:port, or a driver's own words for it. `alone`: a word that may be a host. */
  readonly form: 'url' | 'pair' | 'alone';
  /** Offset in the text, in UTF-16 units. */
  readonly start: number;
}

export interface HostsOfText {
  readonly hosts: readonly NamedHost[];
  /** Hosts whose names come from elsewhere, such as `${HOST}`, as written. */
  readonly unreadable: readonly string[];
}

/** Longer ones are not looked at: nobody writes an address of this length, in UTF-16 units. */
const TEXT_MAX = 65_536;

// `;` ends the authority of SQL Server's JDBC strings.
const URL_START = /([a-z][a-z0-9+.-]*):(?:\/\/|thin:@(?:\/\/)?)([^\s"'`<>/?#;\\]+)/gi;
/** In a list of URLs, where the next one begins: `,http://b`, `,etcd-1=http://c`. */
const NEXT_URL = /[,|](?:[\w.-]+=)?[a-z][a-z0-9+.-]*:(?:$|\/\/)/i;

export function findHosts(text: string): HostsOfText {
  if (text.length > TEXT_MAX) return { hosts: [], unreadable: [] };
  const hosts: NamedHost[] = [];
  const unreadable: string[] = [];
  let rest = text;
  for (let match = execFrom(URL_START, text, 0), end = 0; match !== null; match = execFrom(URL_START, text, end)) {
    const authority = cutAt(match[2]!, NEXT_URL);
    const found = hostsOfUrl(match[1]!, authority, match.index);
    hosts.push(...found.hosts);
    unreadable.push(...found.unreadable);
    end = endOfUrl(text, match.index + match[0].length - match[2]!.length + authority.length);
    rest = blanked(rest, match.index, end);
  }
  const driver = hostsOfDriver(rest);
  hosts.push(...driver.hosts);
  hosts.push(...hostsOfWords(driver.rest));
  return { hosts: hosts.sort((a, b) => a.start - b.start), unreadable };
}

function execFrom(pattern: RegExp, text: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

function cutAt(text: string, pattern: RegExp): string {
  const found = pattern.exec(text);
  return found === null ? text : text.slice(0, found.index);
}

function blanked(text: string, start: number, end: number): string {
  return `${text.slice(0, start)}${' '.repeat(end - start)}${text.slice(end)}`;
}

/** What follows the authority is a path, a query or a part of one, which may have commas too. */
function endOfUrl(text: string, from: number): number {
  const rest = cutAt(cutAt(text.slice(from), /[\s"'`<>]/), NEXT_URL);
  return from + rest.length;
}

function hostsOfUrl(scheme: string, authority: string, start: number): { readonly hosts: NamedHost[]; readonly unreadable: string[] } {
  const plain = schemeOf(scheme);
  const hosts: NamedHost[] = [];
  const unreadable: string[] = [];
  for (const part of authority.slice(authority.lastIndexOf('@') + 1).split(',')) {
    const withoutSid = plain === 'oracle' ? part.replace(/^([^:]+:\d+):.*$/, '$1') : part;
    const word = withoutSid.replace(/^[a-z]+\((.*)\)$/i, '$1').replace(/[)\]}]+$/, (tail) => (part.includes('[') ? tail : ''));
    if (/[$%{}<>()]/.test(word)) unreadable.push(word);
    else {
      const host = readHost(word);
      if (host !== undefined) hosts.push({ ...host, scheme: plain, protocol: isUdpScheme(plain) ? 'UDP' : undefined, form: 'url', start });
    }
  }
  return { hosts, unreadable };
}

/** `postgresql+asyncpg` is `postgresql` with a driver, `mongodb+srv` and `amqps` are what they are. */
function schemeOf(scheme: string): string {
  return scheme.toLowerCase().replace(/^(?:jdbc:|r2dbc:)+/, '').replace(/\+.*$/, '').replace(/-sentinel$/, '');
}

const DSN = /\b(tcp|udp)\(([^()\s]+)\)/gi;
const SQL_SERVER = /\b(?:server|data source|addr|address|network address)\s*=\s*(?:tcp:)?([\w.-]+)(?:\\\w+)?(?:\s*,\s*(\d+))?/gi;
const HOST_FIELD = /\b(?:host|hostaddr|hostname|server)\s*=\s*'?([\w.,-]+)/gi;
const PORT_FIELD = /\bport\s*=\s*'?(\d{1,5})\b/i;

/** Go's `tcp(db:3306)`, ADO's `Server=db,1433;`, libpq's `host=db port=5432`. */
function hostsOfDriver(text: string): { readonly hosts: readonly NamedHost[]; readonly rest: string } {
  const hosts: NamedHost[] = [];
  let rest = text;
  const take = (pattern: RegExp, read: (match: RegExpExecArray) => readonly NamedHost[]): void => {
    for (const match of rest.matchAll(pattern)) {
      const found = read(match);
      if (found.length === 0) continue;
      hosts.push(...found);
      rest = blanked(rest, match.index, match.index + match[0].length);
    }
  };
  take(DSN, (match) => {
    const host = readHost(match[2]!);
    return host === undefined ? [] : [{ ...host, scheme: undefined, protocol: match[1]!.toLowerCase() === 'udp' ? 'UDP' : 'TCP', form: 'pair', start: match.index }];
  });
  const isFields = /=.*[;\s].*=/.test(text);
  if (!isFields) return { hosts, rest };
  const port = PORT_FIELD.exec(rest)?.[1];
  if (rest.includes(';')) take(SQL_SERVER, (match) => pairOf(match[1]!, match[2] ?? port ?? (match[0].includes('tcp:') ? '1433' : undefined), match.index));
  take(HOST_FIELD, (match) => match[1]!.split(',').flatMap((host) => pairOf(host, port, match.index)));
  return { hosts, rest };
}

function pairOf(word: string, port: string | undefined, start: number): readonly NamedHost[] {
  const host = readHost(port === undefined ? word : `${word}:${port}`);
  return host === undefined ? [] : [{ ...host, scheme: undefined, protocol: undefined, form: 'pair', start }];
}

/** Words with a port of their own, such as `db:5432` and `0@kafka-0.kafka:9093`, and where there is nothing else, words that may be hosts. */
function hostsOfWords(text: string): NamedHost[] {
  const hosts: NamedHost[] = [];
  const isList = /^[\w.:,;\s[\]@/-]*$/.test(text);
  for (const match of text.matchAll(/[^\s,;|"'`()=<>@]+/g)) {
    // `redis:6379/0` names a database behind its port.
    const host = readHost(match[0].replace(/^([^/]+:\d{1,5})\/.*$/, '$1'));
    if (host === undefined || (host.ports.length === 0 && !isList && !isServiceName(host.host))) continue;
    hosts.push({ ...host, scheme: undefined, protocol: undefined, form: host.ports.length > 0 ? 'pair' : 'alone', start: match.index });
  }
  return hosts;
}

/** No other words look like this. */
export function isServiceName(host: string): boolean {
  return /\.svc(?:\.[a-z0-9.-]+)?$/.test(host);
}

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** undefined: it is no host. A name has a letter; a version or a time has none. */
function readHost(word: string): Pick<NamedHost, 'host' | 'ports'> | undefined {
  const bracketed = /^\[([0-9a-f:.]+)\](?::(\d{1,5}))?$/i.exec(word);
  if (bracketed !== null) return { host: bracketed[1]!.toLowerCase(), ports: portsOf(bracketed[2] ?? '') };
  const [name = '', ...numbers] = word.split(':');
  const host = name.toLowerCase().replace(/\.$/, '');
  const isAddress = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host);
  if (!isAddress && (!NAME.test(host) || !/[a-z]/.test(host))) return undefined;
  // Zookeeper writes `zoo-0.zoo:2888:3888`, and what follows is a role or a port of clients.
  const written = numbers.slice(0, numbers.includes('') ? numbers.indexOf('') : undefined);
  const isPorts = written.every((number) => /^\d{1,5}$/.test(number) && Number(number) >= 1 && Number(number) <= 65535);
  if (numbers.length > 0 && (!isPorts || written.length === 0)) return undefined;
  return { host, ports: portsOf(...written) };
}

function portsOf(...texts: readonly string[]): readonly number[] {
  return texts.filter((text) => text !== '').map(Number);
}
