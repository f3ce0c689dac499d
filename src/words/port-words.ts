// The words for ports: `tcp/80`, `80`, `udp/1000-2000`, `80/tcp`, `tcp/http`, `sctp`, `icmp`, `any`.
import { ALL_PORTS, OTHER_POINT, portSetOf, unionPorts, type PortSet, type Protocol } from '../base/port-set.ts';
import { WordError } from '../base/word-error.ts';
import type { Pod } from '../model/cluster.ts';

const HELP = 'write PROTO/PORT, such as tcp/80, udp/53, tcp/8000-8999, tcp/http, icmp or any';

/** undefined for `any`; a port's name is looked up on the target's pods. */
export function parsePorts(word: string, targets: readonly Pod[]): PortSet | undefined {
  const text = word.toLowerCase().replace(/^([0-9-]+)\/([a-z]+)$/, '$2/$1');
  if (text === 'any') return undefined;
  if (text === 'all') return ALL_PORTS;
  if (text === 'icmp' || text === 'other') return [OTHER_POINT, OTHER_POINT];
  const slash = text.indexOf('/');
  const isProtocolAlone = slash < 0 && /^(tcp|udp|sctp)$/.test(text);
  const protocol = parseProtocol(word, isProtocolAlone ? text : slash < 0 ? 'tcp' : text.slice(0, slash));
  if (isProtocolAlone) return portSetOf(protocol, 1, 65535);
  const ports = text.slice(slash + 1);
  const numbers = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(ports);
  return numbers === null ? namedPorts(protocol, ports, targets) : numberedPorts(word, protocol, Number(numbers[1]), Number(numbers[2] ?? numbers[1]));
}

/** One port of one protocol, for a single connection. */
export function parseProbePort(word: string): { readonly protocol: Protocol; readonly port: number } {
  const [protocol = '', port = ''] = word.toLowerCase().split('/', 2);
  const number = Number(port);
  if (!/^[0-9]{1,5}$/.test(port) || number < 1 || number > 65535) throw new WordError(`\`${word}\` is no port to connect to`, 'write tcp/80, udp/53 or sctp/3868');
  return { protocol: parseProtocol(word, protocol), port: number };
}

export function parseProtocol(word: string, text: string): Protocol {
  switch (text) {
    case 'tcp':
      return 'TCP';
    case 'udp':
      return 'UDP';
    case 'sctp':
      return 'SCTP';
    default:
      throw new WordError(`\`${word}\` names no protocol that has ports`, HELP);
  }
}

function numberedPorts(word: string, protocol: Protocol, first: number, last: number): PortSet {
  if (first < 1 || last > 65535 || first > last) throw new WordError(`\`${word}\` is no port: ports go from 1 to 65535`, HELP);
  return portSetOf(protocol, first, last);
}

function namedPorts(protocol: Protocol, name: string, targets: readonly Pod[]): PortSet {
  const ports = targets.flatMap((pod) => pod.ports).filter((port) => port.protocol === protocol && port.name === name);
  if (ports.length === 0) throw new WordError(`no pod of the target has a ${protocol} port named \`${name}\``, HELP);
  return ports.reduce<PortSet>((set, { port }) => unionPorts(set, portSetOf(protocol, port, port)), []);
}
