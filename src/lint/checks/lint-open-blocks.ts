// Egress to address blocks that open more than their author thought of: the cloud's metadata, and private ranges beside the internet.
import type { Finding } from '../../base/finding.ts';
import { ADDRESS_BITS, formatIpAddress, LAST_ADDRESS, type IpAddress, type IpRange } from '../../base/ip-address.ts';
import { INTERNAL_RANGES, METADATA_ADDRESSES, withoutRanges } from '../../base/known-ranges.ts';
import { hasPoint, pointOf } from '../../base/port-set.ts';
import { rangeLabel } from '../../base/range-label.ts';
import { formatCidr, prefixLength } from '../../base/range-text.ts';
import type { IpBlockPeer, NetworkPolicy, PolicyRule } from '../../model/network-policy.ts';
import { exceptEdit } from '../edits/except-edit.ts';
import type { LintContext } from '../context/lint-context.ts';
import { findAt } from '../edits/policy-place.ts';
import { METADATA_PORT } from '../context/well-known-addresses.ts';

/** Pods of one policy that are asked whether they reach an address. */
const PODS_MAX = 50;
/** Ranges named in a message. */
const RANGES_MAX = 4;

export function lintOpenBlocks(context: LintContext, policy: NetworkPolicy): Finding[] {
  return (policy.egress ?? []).flatMap((rule) =>
    (rule.peers.kind === 'listed' ? rule.peers.peers : []).flatMap((peer) => (peer.kind === 'ip-block' ? [...lintMetadata(context, policy, { rule, block: peer }), ...lintPrivate(policy, peer)] : [])),
  );
}

interface Place {
  readonly rule: PolicyRule;
  readonly block: IpBlockPeer;
}

/** A block of that address alone is meant so. */
function lintMetadata(context: LintContext, policy: NetworkPolicy, { rule, block }: Place): Finding[] {
  if (block.cidr.first === block.cidr.last || !allowsMetadataPort(rule)) return [];
  const open = METADATA_ADDRESSES.filter((address) => holds(block, address) && isReached(context, policy, address));
  if (open.length === 0) return [];
  const names = open.map(formatIpAddress).join(' and ');
  return [findAt(policy, {
    code: 'metadata-reachable',
    severity: open.some(({ family }) => family === 4) ? 'warning' : 'info',
    message: `the ipBlock \`${block.text}\` holds ${names}, where clouds give pods the credentials of their node`,
    origin: block.origin,
    help: 'except it, unless these pods need it; where a proxy on the own node answers for it, no policy is asked',
    edits: exceptEdit(block, open.map((address) => `${formatIpAddress(address)}/${ADDRESS_BITS[address.family]}`)),
  })];
}

function allowsMetadataPort({ ports }: PolicyRule): boolean {
  if (ports.kind === 'every') return true;
  return ports.ports.some((port) => port.protocol === 'TCP' && (port.kind === 'protocol' || (port.kind === 'range' && port.first <= METADATA_PORT && METADATA_PORT <= port.last)));
}

function holds({ cidr, except }: IpBlockPeer, { family, value }: IpAddress): boolean {
  const isIn = (range: IpRange): boolean => range.family === family && range.first <= value && value <= range.last;
  return isIn(cidr) && !except.some(isIn);
}

/** Another tier may deny it. Of a policy whose pods are not in the input, its own words count. */
function isReached({ program, index, numberOf }: LintContext, policy: NetworkPolicy, address: IpAddress): boolean {
  const { pods } = index.selectedBy(policy);
  if (pods.length === 0) return true;
  const { egress, portSets } = program;
  const peerClass = egress.classOfAtom[program.findAtom(address)]!;
  return pods.slice(0, PODS_MAX).some((pod) => {
    const subject = egress.subjectOfGroup[program.groupOfPod[numberOf(pod)]!]!;
    return hasPoint(portSets.portSet(egress.portsOf(subject, peerClass)), pointOf('TCP', METADATA_PORT));
  });
}

/** Only a block of a whole family is taken to mean the internet. */
function lintPrivate(policy: NetworkPolicy, block: IpBlockPeer): Finding[] {
  const { cidr, except } = block;
  if (cidr.first !== 0n || cidr.last !== LAST_ADDRESS[cidr.family]) return [];
  const ranges = INTERNAL_RANGES.filter(({ family }) => family === cidr.family);
  const left = ranges.flatMap((range) => withoutRanges(range, except));
  if (left.length === 0) return [];
  // A single address is excepted for its own sake, as that of a metadata service: no word about private ranges.
  const isGap = sizeOf(ranges.flatMap((range) => withoutRanges(range, except.filter(({ first, last }) => first !== last)))) < sizeOf(ranges);
  const names = `${left.slice(0, RANGES_MAX).map(rangeLabel).join(', ')}${left.length > RANGES_MAX ? ` and ${left.length - RANGES_MAX} more` : ''}`;
  return [findAt(policy, {
    code: 'private-ranges-reachable',
    severity: isGap ? 'warning' : 'info',
    message: isGap
      ? `the ipBlock \`${block.text}\` excepts private addresses, but not all: ${names} ${left.length === 1 ? 'is' : 'are'} left open`
      : `the ipBlock \`${block.text}\` is more than the internet: it holds the private addresses ${names}, those of pods and nodes among them`,
    origin: block.origin,
    help: 'except the private ranges, if only the internet is meant',
    edits: left.every((range) => prefixLength(range) !== undefined) ? exceptEdit(block, left.map(formatCidr)) : [],
  })];
}

function sizeOf(ranges: readonly IpRange[]): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
