// Reads a node: its addresses, and the ranges that its pods get theirs from.
import { parseIpAddress, type IpAddress, type IpRange } from '../../base/ip-address.ts';
import type { ClusterNode } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import { parseCidr } from '../values/cidr.ts';
import { readList, readMap, readText, REFUSED, shorten } from '../values/loose-value.ts';
import { refuse, type ObjectContext } from '../values/object-context.ts';
import { NO_LABELS, readLabels, type LabelCache } from '../values/read-labels.ts';
import type { NamedObject } from '../values/named-object.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

export function readNode(context: ObjectContext, cache: LabelCache, object: NamedObject): ClusterNode {
  const { map, path } = object;
  const metadata = mapAt(context, map, path, 'metadata');
  const status = mapAt(context, map, path, 'status');
  const spec = mapAt(context, map, path, 'spec');
  return {
    name: object.name,
    labels: metadata['labels'] === undefined ? NO_LABELS : readLabels(context, cache, metadata['labels'], [...path, 'metadata', 'labels']),
    addresses: readNodeAddresses(context, status['addresses'], [...path, 'status', 'addresses']),
    podRanges: readPodRanges(context, spec, [...path, 'spec']),
  };
}

function mapAt(context: ObjectContext, map: LooseMap, path: Path, field: string): LooseMap {
  const found = readMap(context, map[field], [...path, field]);
  return found === undefined || found === REFUSED ? {} : found;
}

/** Names among the addresses (`Hostname`, `InternalDNS`) are none that a packet carries. */
function readNodeAddresses(context: ObjectContext, value: Value | undefined, path: Path): readonly IpAddress[] {
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return [];
  const addresses: IpAddress[] = [];
  for (const [index, item] of list.entries()) {
    const entry = readMap(context, item, [...path, index]);
    if (entry === undefined || entry === REFUSED) continue;
    const text = readText(context, entry['address'], [...path, index, 'address']);
    const address = typeof text === 'string' ? parseIpAddress(text) : undefined;
    if (address !== undefined) addresses.push(address);
  }
  return addresses;
}

function readPodRanges(context: ObjectContext, spec: LooseMap, path: Path): readonly IpRange[] {
  const list = readList(context, spec['podCIDRs'], [...path, 'podCIDRs']);
  const isListed = list !== undefined && list !== REFUSED && list.length > 0;
  const texts: readonly Value[] = isListed ? list : [spec['podCIDR'] ?? null];
  const ranges: IpRange[] = [];
  for (const [index, value] of texts.entries()) {
    const place = isListed ? [...path, 'podCIDRs', index] : [...path, 'podCIDR'];
    const text = readText(context, value, place);
    if (text === undefined || text === REFUSED || text === '') continue;
    const cidr = parseCidr(text);
    if (cidr === undefined) refuse(context, place, 'invalid-cidr', `\`${shorten(text)}\` is no address block`);
    else ranges.push(cidr.range);
  }
  return ranges;
}
