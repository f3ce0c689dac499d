// Reads EndpointSlices and Endpoints: the addresses and pods that stand behind a Service in a live cluster.
import type { IpAddress } from '../../base/ip-address.ts';
import type { EndpointSlice, SliceEndpoint, SlicePort } from '../../model/endpoint-slice.ts';
import type { Path } from '../../model/origin.ts';
import type { Labels } from '../../model/selector.ts';
import { listAt, mapAt, readText, REFUSED } from '../values/loose-value.ts';
import { originOf, type ObjectContext } from '../values/object-context.ts';
import { readLabels, type LabelCache } from '../values/read-labels.ts';
import type { ReadSlices } from './gathering.ts';
import { readIp } from './read-pod.ts';
import { readPortNumber, readProtocol } from '../values/read-ports.ts';
import type { NamedObject } from '../values/named-object.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MIRROR = 'endpointslicemirroring-controller.k8s.io';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';

export function readEndpointSlice(context: ObjectContext, cache: LabelCache, object: NamedObject): ReadSlices {
  const { map, path, namespace, name } = object;
  const labels = labelsOf(context, cache, object);
  const isOfNames = readText(context, map['addressType'], [...path, 'addressType']) === 'FQDN';
  const slice: EndpointSlice = {
    namespace,
    name,
    serviceName: labels.get(SERVICE_NAME),
    endpoints: isOfNames ? [] : listAt(context, map['endpoints'], [...path, 'endpoints']).map((item, index) => readEndpoint(context, item, [...path, 'endpoints', index])),
    ports: readSlicePorts(context, map['ports'], [...path, 'ports']),
    origin: originOf(context, path),
  };
  return { slices: [slice], isMirror: labels.get(MANAGED_BY) === MIRROR };
}

/** Nobody looks at Endpoints but the controller that mirrors them into slices, and it passes over those that say so (Kubernetes, "EndpointSlices", EndpointSlice mirroring). */
export function readEndpoints(context: ObjectContext, cache: LabelCache, object: NamedObject): ReadSlices {
  const { map, path, namespace, name } = object;
  const isSkipped = labelsOf(context, cache, object).get(SKIP_MIRROR) === 'true';
  const subsets = listAt(context, map['subsets'], [...path, 'subsets']).map((value, index): EndpointSlice => {
    const place = [...path, 'subsets', index];
    const subset = mapAt(context, value, place);
    const endpoints = (['addresses', 'notReadyAddresses'] as const).flatMap((key) => listAt(context, subset[key], [...place, key]).map((item, at) => readSubsetAddress(context, item, [...place, key, at])));
    return { namespace, name, serviceName: name, endpoints, ports: readSlicePorts(context, subset['ports'], [...place, 'ports']), origin: originOf(context, place) };
  });
  return { slices: isSkipped ? [] : subsets, isMirror: false };
}

function labelsOf(context: ObjectContext, cache: LabelCache, { map, path }: NamedObject): Labels {
  const metadata = mapAt(context, map['metadata'], [...path, 'metadata']);
  return readLabels(context, cache, metadata['labels'], [...path, 'metadata', 'labels']);
}

/** Readiness is not looked at: it comes and goes, and the answer is about what may be reached. */
function readEndpoint(context: ObjectContext, value: Value, path: Path): SliceEndpoint {
  const endpoint = mapAt(context, value, path);
  const addresses = listAt(context, endpoint['addresses'], [...path, 'addresses']).flatMap((text, index): readonly IpAddress[] => {
    const address = readIp(context, text, [...path, 'addresses', index]);
    return address === undefined ? [] : [address];
  });
  return { addresses, podName: readPodName(context, endpoint, path) };
}

function readSubsetAddress(context: ObjectContext, value: Value, path: Path): SliceEndpoint {
  const entry = mapAt(context, value, path);
  const address = entry['ip'] === undefined ? undefined : readIp(context, entry['ip'], [...path, 'ip']);
  return { addresses: address === undefined ? [] : [address], podName: readPodName(context, entry, path) };
}

function readPodName(context: ObjectContext, endpoint: LooseMap, path: Path): string | undefined {
  const target = mapAt(context, endpoint['targetRef'], [...path, 'targetRef']);
  const kind = readText(context, target['kind'], [...path, 'targetRef', 'kind']);
  const name = readText(context, target['name'], [...path, 'targetRef', 'name']);
  return kind === 'Pod' && typeof name === 'string' ? name : undefined;
}

function readSlicePorts(context: ObjectContext, value: Value | undefined, path: Path): readonly SlicePort[] {
  return listAt(context, value, path).flatMap((item, index) => readSlicePort(context, item, [...path, index]) ?? []);
}

function readSlicePort(context: ObjectContext, value: Value, path: Path): SlicePort | undefined {
  const map = mapAt(context, value, path);
  const name = readText(context, map['name'], [...path, 'name']);
  const protocol = readProtocol(context, map['protocol'] === '' ? undefined : map['protocol'], [...path, 'protocol']);
  const port = readPortNumber(context, map['port'], [...path, 'port']);
  if (name === REFUSED || protocol === REFUSED || port === REFUSED || port === undefined) return undefined;
  return { name: name ?? '', protocol, port };
}
