// Reads the ports of policies, containers and Services.
import type { TextEdit } from '../../base/finding.ts';
import type { Protocol } from '../../base/port-set.ts';
import { PROTOCOLS } from '../../base/port-set.ts';
import type { PortMatch } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import { checkFields } from './check-fields.ts';
import { readInteger, readMap, readText, REFUSED, refuseType, shorten, type Loose } from './loose-value.ts';
import { checkPortName } from '../../model/names.ts';
import { originOf, refuse, remark, type ObjectContext } from './object-context.ts';
import type { Value } from '../text/yaml-value.ts';

const PORT_MAX = 65535;

/** One entry of a rule's `ports`; REFUSED matches nothing. */
export function readPortMatch(context: ObjectContext, value: Value, path: Path): PortMatch | typeof REFUSED {
  const map = readMap(context, value, path);
  if (map === REFUSED) return REFUSED;
  const before = context.refusals;
  const isOpened = (map?.['port'] ?? null) === null;
  checkFields(context, map ?? {}, path, 'port', isOpened ? 'the entry is left matching every port of its protocol' : 'the rest of the entry is left as it stands');
  const protocol = readProtocol(context, map?.['protocol'], [...path, 'protocol']);
  const port = readPortNumberOrName(context, map?.['port'], [...path, 'port']);
  const endPort = readInteger(context, map?.['endPort'], [...path, 'endPort']);
  if (endPort !== undefined && endPort !== REFUSED) remarkOddNumber(context, endPort, [...path, 'endPort']);
  if (protocol === REFUSED || port === REFUSED || endPort === REFUSED) return REFUSED;
  if (endPort !== undefined) checkEndPort(context, port, endPort, [...path, 'endPort']);
  if (context.refusals > before) return REFUSED;
  const origin = originOf(context, path);
  if (port === undefined) return { kind: 'protocol', protocol, origin };
  if (typeof port === 'string') return { kind: 'named', protocol, name: port, origin };
  return { kind: 'range', protocol, first: port, last: endPort ?? port, origin };
}

function checkEndPort(context: ObjectContext, port: number | string | undefined, endPort: number, path: Path): void {
  if (port === undefined) refuse(context, path, 'invalid-port-range', '`endPort` needs a `port`', { help: 'write the first port as `port`' });
  else if (typeof port === 'string') refuse(context, path, 'invalid-port-range', `\`endPort\` needs a number for its \`port\`, not the name \`${shorten(port)}\``);
  else if (endPort < port) refuse(context, path, 'invalid-port-range', `\`endPort\` ${endPort} is below \`port\` ${port}`, { help: 'write the smaller one as `port`', edits: swapPorts(context, path, { port, endPort }) });
  else if (!isPort(endPort)) refuse(context, path, 'invalid-port', `\`endPort\` ${endPort} is no port: ports are 1 to ${PORT_MAX}`);
}

function swapPorts({ document }: ObjectContext, path: Path, { port, endPort }: { readonly port: number; readonly endPort: number }): readonly TextEdit[] {
  return [
    { range: document.locate([...path.slice(0, -1), 'port']), text: `${endPort}` },
    { range: document.locate(path), text: `${port}` },
  ];
}

export function isPort(number: number): boolean {
  return number >= 1 && number <= PORT_MAX;
}

/** Missing is TCP. */
export function readProtocol(context: ObjectContext, value: Value | undefined, path: Path): Protocol | typeof REFUSED {
  const text = readText(context, value, path);
  if (text === undefined) return 'TCP';
  if (text === REFUSED) return REFUSED;
  const protocol = PROTOCOLS.find((known) => known === text);
  if (protocol !== undefined) return protocol;
  const near = PROTOCOLS.find((known) => known === text.trim().toUpperCase());
  refuse(context, path, 'invalid-protocol', `\`${shorten(text)}\` is no protocol here: the three are TCP, UDP, SCTP`, near === undefined ? {} : { help: `write \`${near}\``, replacement: near });
  return REFUSED;
}

/** A text is always a name, `"80"` too. */
function readPortNumberOrName(context: ObjectContext, value: Value | undefined, path: Path): Loose<number | string> {
  if (typeof value !== 'string') return readPortNumber(context, value, path);
  const wrong = checkPortName(value);
  if (wrong === undefined) return value;
  const number = /^[0-9]+$/.test(value) && isPort(Number(value)) ? String(Number(value)) : undefined;
  refuse(context, path, 'invalid-port', `\`${shorten(value)}\` is a port name, because it is text, and a port name ${wrong}`, number === undefined ? {} : { help: 'take the quotes away', literal: number });
  return REFUSED;
}

export function readPortNumber(context: ObjectContext, value: Value | undefined, path: Path): Loose<number> {
  if (typeof value === 'boolean') return refuseType(context, value, path, 'a port number');
  const port = readInteger(context, value, path);
  if (port !== undefined && port !== REFUSED) remarkOddNumber(context, port, path);
  if (port === undefined || port === REFUSED || isPort(port)) return port;
  refuse(context, path, 'invalid-port', `${port} is no port: ports are 1 to ${PORT_MAX}`);
  return REFUSED;
}

/** Accepted by the server, but not what its author sees: `010` is 8, `0x50` is 80. */
function remarkOddNumber(context: ObjectContext, number: number, path: Path): void {
  const written = context.document.hasOddNumbers ? context.document.writtenAt(path) : undefined;
  if (written === undefined || written === String(number) || !/^[-+.0-9]/.test(written)) return;
  remark(context, path, 'yaml-number-word', 'warning', `kubectl reads \`${shorten(written)}\` as the number ${number}`, { help: `write \`${number}\`, or the number that was meant`, literal: String(number) });
}
