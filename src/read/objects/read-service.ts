// Reads a Service: whom it leads to, and on which ports.
import type { IpAddress, IpRange } from '../../base/ip-address.ts';
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import type { Service, ServicePort } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import { parseCidr } from '../values/cidr.ts';
import { readList, readMap, readText, REFUSED, shorten, type Loose } from '../values/loose-value.ts';
import { originOf, refuse, type ObjectContext } from '../values/object-context.ts';
import { NO_LABELS, readLabels, type LabelCache } from '../values/read-labels.ts';
import { readAnnotations } from './read-ingress.ts';
import { readIp } from './read-pod.ts';
import { readPortNumber, readProtocol } from '../values/read-ports.ts';
import type { NamedObject } from '../values/named-object.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

const SERVICE_TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;

export function readService(context: ObjectContext, cache: LabelCache, object: NamedObject): Service {
  const specPath = [...object.path, 'spec'];
  const read = readMap(context, object.map['spec'], specPath);
  const spec: LooseMap = read === undefined || read === REFUSED ? {} : read;
  const metadata = readMap(context, object.map['metadata'], [...object.path, 'metadata']);
  const labels = metadata === undefined || metadata === REFUSED ? NO_LABELS : readLabels(context, cache, metadata['labels'], [...object.path, 'metadata', 'labels']);
  const clusterIp = readText(context, spec['clusterIP'], [...specPath, 'clusterIP']);
  const selector = readLabels(context, cache, spec['selector'], [...specPath, 'selector']);
  return {
    namespace: object.namespace,
    name: object.name,
    labels,
    type: readType(context, spec['type'], [...specPath, 'type']),
    isHeadless: clusterIp === 'None',
    clusterIps: readClusterIps(context, spec, specPath, clusterIp),
    selector: selector.size === 0 ? undefined : selector,
    ports: readServicePorts(context, spec['ports'], [...specPath, 'ports']),
    ...readEntrance(context, object, spec, specPath),
    origin: originOf(context, object.path),
  };
}

/** What says who comes in from outside; fields that are not written are left out. */
function readEntrance(context: ObjectContext, object: NamedObject, spec: LooseMap, path: Path): Pick<Service, 'annotations' | 'externalName' | 'externalTrafficPolicy' | 'sourceRanges'> {
  const annotations = readAnnotations(context, object);
  const externalName = readText(context, spec['externalName'], [...path, 'externalName']);
  const traffic = readText(context, spec['externalTrafficPolicy'], [...path, 'externalTrafficPolicy']);
  const ranges = readSourceRanges(context, spec['loadBalancerSourceRanges'], [...path, 'loadBalancerSourceRanges']);
  return {
    ...(annotations.size === 0 ? {} : { annotations }),
    ...(typeof externalName === 'string' && externalName !== '' ? { externalName } : {}),
    ...(traffic === 'Local' ? { externalTrafficPolicy: 'Local' } : {}),
    ...(ranges.length === 0 ? {} : { sourceRanges: ranges }),
  };
}

/** The server takes blanks around them (core/v1, ServiceSpec). */
function readSourceRanges(context: ObjectContext, value: Value | undefined, path: Path): readonly IpRange[] {
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return [];
  const ranges: IpRange[] = [];
  for (const [index, item] of list.entries()) {
    const text = readText(context, item, [...path, index]);
    if (text === undefined || text === REFUSED) continue;
    const cidr = parseCidr(text.trim());
    if (cidr === undefined) refuse(context, [...path, index], 'invalid-cidr', `\`${shorten(text)}\` is no address block`);
    else ranges.push(cidr.range);
  }
  return ranges;
}

function readType(context: ObjectContext, value: Value | undefined, path: Path): Service['type'] {
  const text = readText(context, value, path);
  if (text === undefined || text === REFUSED) return 'ClusterIP';
  const type = SERVICE_TYPES.find((known) => known === text);
  if (type !== undefined) return type;
  const near = nearestWordAnyCase(text, SERVICE_TYPES);
  refuse(context, path, 'invalid-value', `\`${shorten(text)}\` is no type of Service`, near === undefined ? {} : { help: `did you mean \`${near}\`?`, replacement: near });
  return 'ClusterIP';
}

function readClusterIps(context: ObjectContext, spec: LooseMap, path: Path, clusterIp: Loose<string>): readonly IpAddress[] {
  const list = readList(context, spec['clusterIPs'], [...path, 'clusterIPs']);
  const texts: readonly Value[] = list === undefined || list === REFUSED || list.length === 0 ? [typeof clusterIp === 'string' ? clusterIp : null] : list;
  const isFromList = texts === list;
  const addresses: IpAddress[] = [];
  for (const [index, text] of texts.entries()) {
    if (text === 'None') continue;
    const address = readIp(context, text, isFromList ? [...path, 'clusterIPs', index] : [...path, 'clusterIP']);
    if (address !== undefined) addresses.push(address);
  }
  return addresses;
}

function readServicePorts(context: ObjectContext, value: Value | undefined, path: Path): readonly ServicePort[] {
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return [];
  const ports: ServicePort[] = [];
  for (const [index, item] of list.entries()) {
    const port = readServicePort(context, item, [...path, index]);
    if (port !== undefined) ports.push(port);
  }
  return ports;
}

function readServicePort(context: ObjectContext, value: Value, path: Path): ServicePort | undefined {
  const map = readMap(context, value, path);
  if (map === REFUSED) return undefined;
  const port = readPortNumber(context, map?.['port'], [...path, 'port']);
  const protocol = readProtocol(context, map?.['protocol'] === '' ? undefined : map?.['protocol'], [...path, 'protocol']);
  const name = readText(context, map?.['name'], [...path, 'name']);
  const targetPort = readTargetPort(context, map?.['targetPort'], [...path, 'targetPort']);
  const nodePort = map?.['nodePort'] === 0 ? undefined : readPortNumber(context, map?.['nodePort'], [...path, 'nodePort']);
  if (port === undefined) refuse(context, path, 'invalid-port', 'a port of a Service needs a `port`');
  if (port === undefined || port === REFUSED || protocol === REFUSED || name === REFUSED || targetPort === REFUSED || nodePort === REFUSED) return undefined;
  return { name: name === '' ? undefined : name, protocol, port, targetPort: targetPort ?? port, nodePort };
}

/** Missing, 0 and `""` are the Service's own port. */
function readTargetPort(context: ObjectContext, value: Value | undefined, path: Path): Loose<number | string> {
  if (value === 0 || value === '') return undefined;
  return typeof value === 'string' ? value : readPortNumber(context, value, path);
}
