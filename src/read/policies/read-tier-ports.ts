// Reads the ports of cluster-wide rules: `protocols` of ClusterNetworkPolicy, `ports` of the v1alpha1 kinds.
import type { Protocol } from '../../base/port-set.ts';
import type { TierPort } from '../../model/cluster-policy.ts';
import type { Path } from '../../model/origin.ts';
import { checkFields, FIELDS, type Level } from '../values/check-fields.ts';
import { lastName, readMap, readText, REFUSED, refuseType, shorten, type Refused } from '../values/loose-value.ts';
import { failClosed, originOf, refuse, remark, type ObjectContext } from '../values/object-context.ts';
import { readPortNumber } from '../values/read-ports.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

/** An entry of `protocols`. */
export function readProtocolEntry(context: ObjectContext, value: Value, path: Path): readonly TierPort[] | Refused {
  const entry = readSole(context, value, path, 'protocols');
  if (entry === REFUSED) return REFUSED;
  switch (entry.field) {
    case 'tcp':
      return readTransport(context, 'TCP', entry.map['tcp'], [...path, 'tcp']);
    case 'udp':
      return readTransport(context, 'UDP', entry.map['udp'], [...path, 'udp']);
    case 'sctp':
      return readTransport(context, 'SCTP', entry.map['sctp'], [...path, 'sctp']);
    default:
      return readPortName(context, entry.map['destinationNamedPort'], [...path, 'destinationNamedPort']);
  }
}

/** An entry of `ports`. */
export function readAdminPort(context: ObjectContext, value: Value, path: Path): readonly TierPort[] | Refused {
  const entry = readSole(context, value, path, 'v1alpha1 port');
  if (entry === REFUSED) return REFUSED;
  switch (entry.field) {
    case 'portNumber': {
      const place = [...path, 'portNumber'];
      const map = readPart(context, entry.map['portNumber'], place, 'portNumber');
      if (map === REFUSED) return REFUSED;
      const protocol = readStoredProtocol(context, map['protocol'], [...place, 'protocol']);
      const port = readRequiredPort(context, map, place, 'port');
      return protocol === REFUSED || port === REFUSED ? REFUSED : [{ kind: 'range', protocol, first: port, last: port, origin: originOf(context, path) }];
    }
    case 'portRange':
      return readAdminRange(context, entry.map['portRange'], [...path, 'portRange']);
    default:
      return readPortName(context, entry.map['namedPort'], [...path, 'namedPort']);
  }
}

interface SoleField {
  readonly map: LooseMap;
  readonly field: string;
}

/** A map of which exactly one field may be there; null is not there. */
function readSole(context: ObjectContext, value: Value, path: Path, level: Level): SoleField | Refused {
  const map = readPart(context, value, path, level);
  if (map === REFUSED) return REFUSED;
  const known: readonly string[] = FIELDS[level];
  const fields = known.filter((field) => (map[field] ?? null) !== null);
  if (fields.length === 1) return { map, field: fields[0]! };
  if (fields.length > 1 || Object.keys(map).every((field) => known.includes(field))) {
    const words = known.map((field) => `\`${field}\``).join(', ');
    refuse(context, path, 'invalid-port', `${lastName(path)} takes exactly one of ${words}, and has ${fields.length === 0 ? 'none' : fields.length}`, fields.length > 1 ? { help: 'make a list item of each' } : {});
  }
  return REFUSED;
}

function readPart(context: ObjectContext, value: Value | undefined, path: Path, level: Level): LooseMap | Refused {
  const map = value === null || value === undefined ? refuseType(context, null, path, 'a map') : readMap(context, value, path);
  if (map === undefined || map === REFUSED) return REFUSED;
  checkFields(context, map, path, level, '');
  return map;
}

function readTransport(context: ObjectContext, protocol: Protocol, value: Value | undefined, path: Path): readonly TierPort[] | Refused {
  const map = readPart(context, value, path, 'protocol of ports');
  if (map === REFUSED) return REFUSED;
  const origin = originOf(context, path);
  if ((map['destinationPort'] ?? null) === null) {
    remark(context, path, 'protocol-without-port', 'warning', `${lastName(path)} without \`destinationPort\` is read as every ${protocol} port, though servers refuse it`, {
      help: 'write `destinationPort: {range: {start: 1, end: 65535}}`',
    });
    return [{ kind: 'protocol', protocol, origin }];
  }
  const place = [...path, 'destinationPort'];
  const port = readSole(context, map['destinationPort']!, place, 'destinationPort');
  if (port === REFUSED) return REFUSED;
  if (port.field === 'range') return readRange(context, protocol, port.map['range'], [...place, 'range']);
  const number = readPortNumber(context, port.map['number'], [...place, 'number']);
  return number === undefined || number === REFUSED ? REFUSED : [{ kind: 'range', protocol, first: number, last: number, origin }];
}

function readRange(context: ObjectContext, protocol: Protocol, value: Value | undefined, path: Path): readonly TierPort[] | Refused {
  const map = readPart(context, value, path, 'range');
  if (map === REFUSED) return REFUSED;
  const first = readRequiredPort(context, map, path, 'start');
  const last = readRequiredPort(context, map, path, 'end');
  if (first === REFUSED || last === REFUSED) return REFUSED;
  if (first < last) return [{ kind: 'range', protocol, first, last, origin: originOf(context, path) }];
  refuse(context, path, 'invalid-port-range', `a range needs its \`start\` below its \`end\`, and these are ${first} and ${last}`, { help: first === last ? `write \`number: ${first}\`` : 'write the smaller one as `start`' });
  return REFUSED;
}

/** The server of v1alpha1 does not compare the two: a reversed range is stored, and no port is in it. */
function readAdminRange(context: ObjectContext, value: Value | undefined, path: Path): readonly TierPort[] | Refused {
  const map = readPart(context, value, path, 'portRange');
  if (map === REFUSED) return REFUSED;
  const protocol = readStoredProtocol(context, map['protocol'], [...path, 'protocol']);
  const first = readRequiredPort(context, map, path, 'start');
  const last = readRequiredPort(context, map, path, 'end');
  if (protocol === REFUSED || first === REFUSED || last === REFUSED) return REFUSED;
  if (first <= last) return [{ kind: 'range', protocol, first, last, origin: originOf(context, path) }];
  remark(context, path, 'invalid-port-range', 'warning', `\`start\` ${first} is above \`end\` ${last}: the range matches no port`, { help: 'write the smaller one as `start`' });
  return [];
}

function readRequiredPort(context: ObjectContext, map: LooseMap, path: Path, field: string): number | Refused {
  const port = readPortNumber(context, map[field], [...path, field]);
  if (port === undefined) refuse(context, path, 'missing-field', `${lastName(path)} needs \`${field}\``, { help: `write \`${field}\`` });
  return port ?? REFUSED;
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = { TCP: 'TCP', UDP: 'UDP', SCTP: 'SCTP' };

/** Missing is TCP. The server of v1alpha1 stores any word. */
function readStoredProtocol(context: ObjectContext, value: Value | undefined, path: Path): Protocol | Refused {
  const text = readText(context, value, path);
  if (text === undefined) return 'TCP';
  if (text === REFUSED) return REFUSED;
  if (Object.hasOwn(PROTOCOLS, text)) return PROTOCOLS[text]!;
  const near = Object.hasOwn(PROTOCOLS, text.trim().toUpperCase()) ? text.trim().toUpperCase() : undefined;
  failClosed(context, path, 'invalid-protocol', `\`${shorten(text)}\` is no protocol here: the three are TCP, UDP, SCTP`, near === undefined ? {} : { help: `write \`${near}\``, replacement: near });
  return REFUSED;
}

/** The server looks at no port name. One that no container can have matches nothing; an empty one says nothing at all. */
function readPortName(context: ObjectContext, value: Value | undefined, path: Path): readonly TierPort[] | Refused {
  const name = readText(context, value, path);
  if (name === REFUSED) return REFUSED;
  if (name !== undefined && name !== '') return [{ kind: 'any-named', name, origin: originOf(context, path) }];
  failClosed(context, path, 'invalid-port', 'a port name is empty', { help: 'write the name, or take the entry away' });
  return REFUSED;
}
