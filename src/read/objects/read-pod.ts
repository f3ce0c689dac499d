// Reads a pod, with the addresses and the node of one that runs.
import { parseIpAddress, type IpAddress } from '../../base/ip-address.ts';
import type { Pod } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import type { LivePod, OwnerReference } from './gathering.ts';
import { readList, readMap, readText, REFUSED, shorten } from '../values/loose-value.ts';
import { originOf, refuse, type ObjectContext } from '../values/object-context.ts';
import { NO_LABELS, readLabels, type LabelCache } from '../values/read-labels.ts';
import { readPodSpec } from './read-pod-spec.ts';
import type { NamedObject } from '../values/named-object.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

export function readPod(context: ObjectContext, cache: LabelCache, object: NamedObject): LivePod {
  const { map, path } = object;
  const metadata = mapOrEmpty(readMap(context, map['metadata'], [...path, 'metadata']));
  const spec = mapOrEmpty(readMap(context, map['spec'], [...path, 'spec']));
  const status = mapOrEmpty(readMap(context, map['status'], [...path, 'status']));
  const { ports, hostNetwork } = readPodSpec(context, map['spec'], [...path, 'spec']);
  const labels = metadata['labels'] === undefined ? NO_LABELS : readLabels(context, cache, metadata['labels'], [...path, 'metadata', 'labels']);
  const owner = readController(context, metadata['ownerReferences'], [...path, 'metadata', 'ownerReferences']);
  const nodeName = readText(context, spec['nodeName'], [...path, 'spec', 'nodeName']);
  const phase = readText(context, status['phase'], [...path, 'status', 'phase']);
  const pod: Pod = {
    namespace: object.namespace,
    name: object.name,
    workload: { kind: 'Pod', namespace: object.namespace, name: object.name },
    replicas: 1,
    labels,
    unknownKeys: NO_KEYS,
    ports,
    hostNetwork,
    addresses: readAddresses(context, status, [...path, 'status'], hostNetwork),
    nodeName: nodeName === REFUSED || nodeName === '' ? undefined : nodeName,
    origin: originOf(context, path),
  };
  return { pod, owner, isFinished: phase === 'Succeeded' || phase === 'Failed' };
}

const NO_KEYS: ReadonlySet<string> = new Set();

function mapOrEmpty(map: LooseMap | undefined | typeof REFUSED): LooseMap {
  return map === undefined || map === REFUSED ? {} : map;
}

/** The owner that is the controller. A node owns its static pods and controls nothing. */
export function readController(context: ObjectContext, value: Value | undefined, path: Path): OwnerReference | undefined {
  if (value === undefined) return undefined;
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return undefined;
  for (const [index, item] of list.entries()) {
    const reference = mapOrEmpty(readMap(context, item, [...path, index]));
    if (reference['controller'] !== true) continue;
    const kind = readText(context, reference['kind'], [...path, index, 'kind']);
    const name = readText(context, reference['name'], [...path, index, 'name']);
    if (typeof kind !== 'string' || typeof name !== 'string') continue;
    return kind === 'Node' ? undefined : { kind, name };
  }
  return undefined;
}

const NO_ADDRESSES: readonly IpAddress[] = [];

/** A hostNetwork pod has its node's addresses, `hostIPs`, beside those it reports. */
function readAddresses(context: ObjectContext, status: LooseMap, path: Path, hostNetwork: boolean): readonly IpAddress[] {
  const found = new Map<string, IpAddress>();
  const add = (value: Value | undefined, place: Path): void => {
    const address = readIp(context, value, place);
    if (address !== undefined) found.set(`${address.family} ${address.value}`, address);
  };
  add(status['podIP'], [...path, 'podIP']);
  for (const field of hostNetwork ? ['podIPs', 'hostIPs'] : ['podIPs']) {
    if (status[field] === undefined) continue;
    const list = readList(context, status[field], [...path, field]);
    if (list === undefined || list === REFUSED) continue;
    for (const [index, item] of list.entries()) add(mapOrEmpty(readMap(context, item, [...path, field, index]))['ip'], [...path, field, index, 'ip']);
  }
  if (hostNetwork) add(status['hostIP'], [...path, 'hostIP']);
  return found.size === 0 ? NO_ADDRESSES : Array.from(found.values()).slice(); // without the room that a list keeps to grow
}

export function readIp(context: ObjectContext, value: Value | undefined, path: Path): IpAddress | undefined {
  const text = readText(context, value, path);
  if (text === undefined || text === REFUSED || text === '') return undefined;
  const address = parseIpAddress(text);
  if (address === undefined) refuse(context, path, 'invalid-value', `\`${shorten(text)}\` is no IP address`);
  return address;
}
