// Address blocks that may hold pods whose addresses are not known: the static answer counts them for the outside only.
import type { Finding } from '../base/finding.ts';
import { formatIpRange, type IpRange } from '../base/ip-address.ts';
import { DIRECTIONS, type IpBlockPeer, type NetworkPolicy } from '../model/network-policy.ts';
import type { LintContext } from './lint-context.ts';
import { overlaps, PRIVATE_RANGES, withoutRanges } from './pod-ranges.ts';
import { findAt } from './policy-place.ts';

export function lintIpBlocks({ cluster, index }: LintContext, policy: NetworkPolicy): Finding[] {
  const blocks = DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).flatMap((rule) => (rule.peers.kind === 'listed' ? rule.peers.peers : [])))
    .filter((peer) => peer.kind === 'ip-block');
  if (blocks.length === 0 || !index.hasUnknownAddresses) return [];
  const ranges = cluster.podRanges.length > 0 ? cluster.podRanges : PRIVATE_RANGES;
  return blocks.flatMap((block) => {
    const met = ranges.find((range) => meets(block, range));
    return met === undefined ? [] : [mayMatch(policy, block, { met, isKnown: cluster.podRanges.length > 0 })];
  });
}

function meets(block: IpBlockPeer, range: IpRange): boolean {
  return overlaps(block.cidr, range) && withoutRanges(block.cidr, block.except).some((part) => overlaps(part, range));
}

function mayMatch(policy: NetworkPolicy, block: IpBlockPeer, { met, isKnown }: { met: IpRange; isKnown: boolean }): Finding {
  const range = formatIpRange(met);
  const message = isKnown
    ? `the ipBlock \`${block.text}\` meets the pod range ${range}, but the addresses of the pods are not known: it is counted for the outside only`
    : `the ipBlock \`${block.text}\` covers private addresses (${range}) that pods may have: it is counted for the outside only`;
  const help = isKnown ? 'if the pods are meant, name them by a podSelector' : 'give the ranges of the pods by `--pod-cidr`, or name the pods by a podSelector';
  return findAt(policy, { code: 'ip-block-may-match-pods', severity: 'info', message, origin: block.origin, help });
}
