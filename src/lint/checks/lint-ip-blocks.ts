// Address blocks that may hold pods whose addresses are not known: the static answer counts them for the outside only.
import type { Finding } from '../../base/finding.ts';
import { formatIpRange, type IpRange } from '../../base/ip-address.ts';
import { overlaps, PRIVATE_RANGES, withoutRanges } from '../../base/known-ranges.ts';
import { wholeFamilyOf } from '../../compile/atom.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import { DIRECTIONS, type IpBlockPeer, type NetworkPolicy } from '../../model/network-policy.ts';
import { locateOrigin } from '../../model/origin.ts';
import type { LintContext } from '../context/lint-context.ts';
import { findAt } from '../edits/policy-place.ts';

export function lintIpBlocks(context: LintContext, policy: NetworkPolicy): Finding[] {
  const blocks = DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).flatMap((rule) => (rule.peers.kind === 'listed' ? rule.peers.peers : [])))
    .filter((peer) => peer.kind === 'ip-block');
  return blocksOverPods(context, blocks).map((met) => findAt(policy, { ...mayMatch('ipBlock', met), origin: met.block.origin }));
}

/** A network of a whole family holds the pods whatever their addresses are. */
export function lintNetworks(context: LintContext, policy: ClusterPolicy): Finding[] {
  const blocks = policy.egress.flatMap(({ peers }) => (peers.kind === 'listed' ? peers.peers : []))
    .filter((peer) => peer.kind === 'ip-block')
    .filter((peer) => wholeFamilyOf(peer) === undefined);
  const object = { kind: policy.kind, namespace: '', name: policy.name };
  return blocksOverPods(context, blocks).map((met) => ({ ...mayMatch('network', met), ...locateOrigin(met.block.origin), object }));
}

interface MetBlock {
  readonly block: IpBlockPeer;
  readonly range: IpRange;
  /** Whether the cluster's own pod ranges are known. */
  readonly isKnown: boolean;
}

function blocksOverPods({ cluster, index }: LintContext, blocks: readonly IpBlockPeer[]): MetBlock[] {
  if (blocks.length === 0 || !index.hasUnknownAddresses) return [];
  const isKnown = cluster.podRanges.length > 0;
  const ranges = isKnown ? cluster.podRanges : PRIVATE_RANGES;
  return blocks.flatMap((block) => {
    const range = ranges.find((candidate) => meets(block, candidate));
    return range === undefined ? [] : [{ block, range, isKnown }];
  });
}

function meets(block: IpBlockPeer, range: IpRange): boolean {
  return overlaps(block.cidr, range) && withoutRanges(block.cidr, block.except).some((part) => overlaps(part, range));
}

function mayMatch(word: 'ipBlock' | 'network', { block, range, isKnown }: MetBlock): Pick<Finding, 'code' | 'severity' | 'message'> & { readonly help: string } {
  const met = formatIpRange(range);
  const message = isKnown
    ? `the ${word} \`${block.text}\` meets the pod range ${met}, but the addresses of the pods are not known: it is counted for the outside only`
    : `the ${word} \`${block.text}\` covers private addresses (${met}) that pods may have: it is counted for the outside only`;
  const help = isKnown ? 'if the pods are meant, name them by a podSelector' : 'give the ranges of the pods by `--pod-cidr`, or name the pods by a podSelector';
  return { code: 'ip-block-may-match-pods', severity: 'info', message, help };
}
