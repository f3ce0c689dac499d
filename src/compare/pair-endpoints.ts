// Two Programs side by side: their pods paired, and ranges of the outside cut at the ends of both.
import type { IpFamily, IpRange } from '../base/ip-address.ts';
import { formatIpAddress, formatIpRange } from '../base/ip-address.ts';
import { compareText } from '../base/finding.ts';
import { quadOfAtom, quadOfDomainName, type EndpointRef } from '../analyze/endpoint.ts';
import { outsideRanges } from '../analyze/outside-ranges.ts';
import type { JointEndpoint } from './joint-endpoint.ts';
import { pairPods } from './joint-pods.ts';
import type { ProgramPair } from './program-pair.ts';

/** Pods of one workload that both Programs treat alike are one endpoint; sorted by id, then ranges, then names of domains. */
export function pairEndpoints(pair: ProgramPair): readonly JointEndpoint[] {
  return [...pairPods(pair), ...pairRanges(pair), ...pairDomainNames(pair)];
}

/** What is outside runs on no node. */
const NOWHERE: Pick<JointEndpoint, 'isHost' | 'residences'> = { isHost: { before: false, after: false }, residences: [] };

function pairRanges({ before, after }: ProgramPair): readonly JointEndpoint[] {
  return ([4, 6] as const).flatMap((family) => cutRanges(family, outsideRanges(before), outsideRanges(after))).flatMap((range) => {
    const first = { family: range.family, value: range.first };
    const [old, now] = [before.findAtom(first), after.findAtom(first)];
    const quads = {
      before: before.atoms[old]!.isPodRange ? undefined : quadOfAtom(before, old),
      after: after.atoms[now]!.isPodRange ? undefined : quadOfAtom(after, now),
    };
    const last = formatIpAddress({ family: range.family, value: range.last });
    const endpoint = { id: formatIpRange(range), kind: 'Range' as const, first: formatIpAddress(first), last };
    const ref: EndpointRef = { kind: 'address', address: first };
    const refs = { before: quads.before === undefined ? [] : [ref], after: quads.after === undefined ? [] : [ref] };
    return quads.before === undefined && quads.after === undefined ? [] : [{ place: 'Range' as const, endpoint, quads, pods: 0, refs, ...NOWHERE }];
  });
}

/** Each Program has something to say of every name, also of one that only the other's policies name. */
function pairDomainNames({ before, after }: ProgramPair): readonly JointEndpoint[] {
  const names = [...new Set([...before.domainNames, ...after.domainNames])].sort(compareText);
  return names.map((name) => {
    const refs: readonly EndpointRef[] = [{ kind: 'domain-name', name }];
    const quads = { before: quadOfDomainName(before, name), after: quadOfDomainName(after, name) };
    return { place: 'DomainName' as const, endpoint: { id: name, kind: 'DomainName' as const, name }, quads, pods: 0, refs: { before: refs, after: refs }, ...NOWHERE };
  });
}

/** The ranges of one family, cut at all starts of both lists. */
function cutRanges(family: IpFamily, a: readonly IpRange[], b: readonly IpRange[]): IpRange[] {
  const ranges = [...a, ...b].filter((range) => range.family === family);
  const starts = [...new Set(ranges.flatMap(({ first, last }) => [first, last + 1n]))].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0));
  return starts.slice(0, -1).map((first, index) => ({ family, first, last: starts[index + 1]! - 1n }));
}
