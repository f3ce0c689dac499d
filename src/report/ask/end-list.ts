// Many ends in few words: whole namespaces as `shop/*`, neighboring ranges as one, the rest by name up to a bound.
import { parseIpAddress, type IpRange } from '../../base/ip-address.ts';
import { rangeLabel } from '../../base/range-label.ts';
import { isOutside, type Endpoint, type OutsideEndpoint, type PodsEndpoint } from '../../analyze/endpoints.ts';
import { joinRanges } from '../../analyze/outside-ports.ts';

/** Names in one line of text; the rest is counted. */
const NAMES_MAX = 8;

/** Gives the words for a list of indices of `endpoints`, ascending. */
export function endLister(endpoints: readonly Endpoint[]): (indices: readonly number[]) => string {
  const sizes = countBy(endpoints.flatMap((endpoint) => (isOutside(endpoint) ? [] : [endpoint.namespace])));
  const outsideCount = endpoints.filter(isOutside).length;
  const podCount = endpoints.length - outsideCount;
  return (indices) => {
    const ends = indices.map((index) => endpoints[index]!);
    const outside = ends.filter(isOutside);
    const pods = ends.filter((endpoint): endpoint is PodsEndpoint => !isOutside(endpoint));
    const isEveryPod = pods.length === podCount && sizes.size > 1;
    const isEverywhere = outside.length === outsideCount && outside.length > 0;
    if (isEveryPod && isEverywhere) return 'everybody';
    const names = [...(isEveryPod ? ['every pod'] : podNames(pods, sizes)), ...(isEverywhere ? ['the outside'] : outsideNames(outside))];
    return names.length <= NAMES_MAX ? names.join(', ') : `${names.slice(0, NAMES_MAX - 1).join(', ')} and ${names.length - NAMES_MAX + 1} more`;
  };
}

type RangeEndpoint = Extract<OutsideEndpoint, { readonly kind: 'Range' }>;

function podNames(pods: readonly PodsEndpoint[], sizes: ReadonlyMap<string, number>): string[] {
  const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace);
  return [...byNamespace].flatMap(([namespace, members]) =>
    members.length > 1 && members.length === sizes.get(namespace) ? [`${namespace}/*`] : members.map(({ id }) => id),
  );
}

function outsideNames(endpoints: readonly OutsideEndpoint[]): string[] {
  const ranges = endpoints.filter((endpoint) => endpoint.kind === 'Range');
  const names = endpoints.flatMap((endpoint) => (endpoint.kind === 'DomainName' ? [endpoint.name] : []));
  return [...joinRanges(ranges.map(rangeOf)).map(rangeLabel), ...names];
}

function rangeOf({ first, last }: RangeEndpoint): IpRange {
  const [a, b] = [parseIpAddress(first)!, parseIpAddress(last)!]; // an endpoint's ends are addresses that we formatted
  return { family: a.family, first: a.value, last: b.value };
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
