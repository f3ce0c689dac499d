// Address blocks over what has no lasting address of its own: pods, which get another one when they are replaced, and Services, behind which policies are judged.
import type { Finding } from '../../base/finding.ts';
import { formatIpAddress, LAST_ADDRESS, type IpAddress, type IpRange } from '../../base/ip-address.ts';
import { DIRECTIONS, type Direction, type IpBlockPeer, type NetworkPolicy } from '../../model/network-policy.ts';
import type { NamedAddress } from '../context/address-index.ts';
import type { LintContext } from '../context/lint-context.ts';
import { findAt, type FindingParts } from '../edits/policy-place.ts';
import { DEFAULT_SERVICE_ADDRESSES } from '../context/well-known-addresses.ts';

/** A block of so many addresses names pods one by one. */
const NAMING_SIZE_MAX = 256n;
/** The largest range that Services usually have: a /12, and a /108. */
const SERVICE_RANGE_SIZE_MAX = 1n << 20n;

export function lintClusterAddresses(context: LintContext, policy: NetworkPolicy): Finding[] {
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap(({ peers }) =>
      (peers.kind === 'listed' ? peers.peers : []).flatMap((peer) => {
        const parts = peer.kind === 'ip-block' ? lintBlock(context, direction, peer) : undefined;
        return parts === undefined ? [] : [findAt(policy, { ...parts, origin: peer.origin })];
      }),
    ),
  );
}

type Parts = Omit<FindingParts, 'origin'>;

function lintBlock(context: LintContext, direction: Direction, block: IpBlockPeer): Parts | undefined {
  const { cidr } = block;
  if (cidr.first === 0n && cidr.last === LAST_ADDRESS[cidr.family]) return undefined;
  const met = context.addressesIn(block);
  const pods = met.filter(({ owner }) => owner === 'pod');
  if (pods.length > 0) return overPods(block, pods);
  if (direction === 'ingress' || sizeOf(cidr) > SERVICE_RANGE_SIZE_MAX) return undefined;
  const [service] = met;
  if (service !== undefined) return service.owner === 'service' ? overService(block, service) : undefined;
  return overDefaultService(block);
}

function overPods(block: IpBlockPeer, [pod, ...others]: readonly NamedAddress[]): Parts {
  const isNaming = sizeOf(block.cidr) <= NAMING_SIZE_MAX;
  const who = `\`${pod!.name}\` (${formatIpAddress(pod!.address)})${others.length === 0 ? '' : ` and ${others.length} more`}`;
  return {
    code: 'ip-block-over-pods',
    severity: isNaming ? 'warning' : 'info',
    message: isNaming
      ? `the ipBlock \`${block.text}\` names pods by address, ${who}: a pod that takes their place has another one`
      : `the ipBlock \`${block.text}\` holds the addresses of pods, ${who}: the rule is about them as well`,
    help: isNaming ? 'name the pods by a podSelector' : 'if only what is outside the cluster is meant, except the range of the pods',
  };
}

function overService(block: IpBlockPeer, { name, address }: NamedAddress): Parts {
  return {
    code: 'ip-block-over-services',
    severity: 'warning',
    message: `the ipBlock \`${block.text}\` holds the address of the Service \`${name}\` (${formatIpAddress(address)}): policies are judged behind a Service, at the pods, so it opens nothing there`,
    help: name === 'default/kubernetes' ? 'name the addresses of the API servers themselves' : 'name the pods behind the Service by a podSelector',
  };
}

/** One address alone, that of a Service in many clusters. */
function overDefaultService(block: IpBlockPeer): Parts | undefined {
  if (block.cidr.first !== block.cidr.last) return undefined;
  const found = DEFAULT_SERVICE_ADDRESSES.find(({ address }) => isOnly(block.cidr, address));
  if (found === undefined) return undefined;
  return {
    code: 'ip-block-over-services',
    severity: 'info',
    message: `the ipBlock \`${block.text}\` is the Service of ${found.name} in many clusters: policies are judged behind a Service, at the pods, so it would open nothing there`,
    help: found.name === 'DNS' ? 'name the DNS pods by a podSelector' : 'name the addresses of the API servers themselves',
  };
}

function isOnly({ family, first }: IpRange, address: IpAddress): boolean {
  return family === address.family && first === address.value;
}

function sizeOf({ first, last }: IpRange): bigint {
  return last - first + 1n;
}
