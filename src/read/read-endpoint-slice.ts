// Reads EndpointSlices: the addresses and pods that stand behind a Service in a live cluster.
import type { IpAddress } from '../base/ip-address.ts';
import type { EndpointSlice, SliceEndpoint, SlicePort } from '../model/endpoint-slice.ts';
import type { Path } from '../model/origin.ts';
import { readList, readMap, readText, REFUSED } from './loose-value.ts';
import { originOf, type ObjectContext } from './object-context.ts';
import { readLabels, type LabelCache } from './read-labels.ts';
import { readIp } from './read-pod.ts';
import { readPortNumber, readProtocol } from './read-ports.ts';
import type { NamedObject } from './read-workload.ts';
import type { LooseMap, Value } from './yaml-value.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';

export function readEndpointSlice(context: ObjectContext, cache: LabelCache, { map, path, namespace, name }: NamedObject): EndpointSlice {
  const metadata = mapAt(context, map['metadata'], [...path, 'metadata']);
  const labels = readLabels(context, cache, metadata['labels'], [...path, 'metadata', 'labels']);
  const isOfNames = readText(context, map['addressType'], [...path, 'addressType']) === 'FQDN';
  return {
    namespace,
    name,
    serviceName: labels.get(SERVICE_NAME),
    endpoints: isOfNames ? [] : listAt(context, map['endpoints'], [...path, 'endpoints']).map((item, index) => readEndpoint(context, item, [...path, 'endpoints', index])),
    ports: listAt(context, map['ports'], [...path, 'ports']).flatMap((item, index) => readSlicePort(context, item, [...path, 'ports', index]) ?? []),
    origin: originOf(context, path),
  };
}

/** Readiness is not looked at: it comes and goes, and the answer is about what may be reached. */
function readEndpoint(context: ObjectContext, value: Value, path: Path): SliceEndpoint {
  const endpoint = mapAt(context, value, path);
  const target = mapAt(context, endpoint['targetRef'], [...path, 'targetRef']);
  const kind = readText(context, target['kind'], [...path, 'targetRef', 'kind']);
  const name = readText(context, target['name'], [...path, 'targetRef', 'name']);
  const addresses = listAt(context, endpoint['addresses'], [...path, 'addresses']).flatMap((text, index): readonly IpAddress[] => {
    const address = readIp(context, text, [...path, 'addresses', index]);
    return address === undefined ? [] : [address];
  });
  return { addresses, podName: kind === 'Pod' && typeof name === 'string' ? name : undefined };
}

function readSlicePort(context: ObjectContext, value: Value, path: Path): SlicePort | undefined {
  const map = mapAt(context, value, path);
  const name = readText(context, map['name'], [...path, 'name']);
  const protocol = readProtocol(context, map['protocol'] === '' ? undefined : map['protocol'], [...path, 'protocol']);
  const port = readPortNumber(context, map['port'], [...path, 'port']);
  if (name === REFUSED || protocol === REFUSED || port === REFUSED || port === undefined) return undefined;
  return { name: name ?? '', protocol, port };
}

function mapAt(context: ObjectContext, value: Value | undefined, path: Path): LooseMap {
  const map = readMap(context, value, path);
  return map === undefined || map === REFUSED ? {} : map;
}

function listAt(context: ObjectContext, value: Value | undefined, path: Path): readonly Value[] {
  const list = readList(context, value, path);
  return list === undefined || list === REFUSED ? [] : list;
}
