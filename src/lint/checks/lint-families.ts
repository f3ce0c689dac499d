// Blocks of every address of one family where the other family is left out.
import type { Finding } from '../../base/finding.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import { wholeFamilyOf } from '../../compile/atom.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { Cluster } from '../../model/cluster.ts';
import { DIRECTIONS, type IpBlockPeer, type NetworkPolicy } from '../../model/network-policy.ts';
import { locateOrigin } from '../../model/origin.ts';
import type { LintContext } from '../context/lint-context.ts';
import { findAt } from '../edits/policy-place.ts';

/** Whether anything in the input has addresses of both families. */
export function isDualStack({ pods, nodes, services, podRanges }: Cluster): boolean {
  const hasBoth = (addresses: readonly { readonly family: IpFamily }[]): boolean => addresses.some(({ family }) => family === 4) && addresses.some(({ family }) => family === 6);
  return hasBoth(podRanges) || pods.some(({ addresses }) => hasBoth(addresses)) || nodes.some(({ addresses }) => hasBoth(addresses)) || services.some(({ clusterIps }) => hasBoth(clusterIps));
}

/** An allowance that forgets a family refuses too much, which only matters where the cluster has it. */
export function lintFamilies({ cluster }: LintContext): Finding[] {
  const ofTiers = cluster.clusterPolicies.flatMap(lintDenied);
  return isDualStack(cluster) ? [...ofTiers, ...cluster.policies.flatMap(lintAllowed)] : ofTiers;
}

function lintAllowed(policy: NetworkPolicy): Finding[] {
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap(({ peers }) =>
      loneFamilies((peers.kind === 'listed' ? peers.peers : []).filter((peer) => peer.kind === 'ip-block')).map(({ block, other }) =>
        findAt(policy, {
          code: 'one-address-family',
          severity: 'info',
          message: `the rule names every IPv${block.cidr.family} address (\`${block.text}\`) and no IPv${other} address, and the cluster has both families`,
          origin: block.origin,
          help: `add an ipBlock for \`${WHOLE[other]}\`, if both are meant`,
        }),
      ),
    ),
  );
}

/** A Deny that forgets a family leaves it open. */
function lintDenied(policy: ClusterPolicy): Finding[] {
  const denied = policy.egress.filter(({ action }) => action === 'Deny').flatMap(({ peers }) => (peers.kind === 'listed' ? peers.peers : []));
  return loneFamilies(denied.filter((peer) => peer.kind === 'ip-block')).map(({ block, other }) => ({
    code: 'one-address-family',
    severity: 'warning',
    message: `${policy.kind} \`${policy.name}\` denies every IPv${block.cidr.family} address (\`${block.text}\`), and IPv${other} stays open`,
    ...locateOrigin(block.origin),
    object: { kind: policy.kind, namespace: '', name: policy.name },
    help: `deny \`${WHOLE[other]}\` as well`,
  }));
}

const WHOLE: Readonly<Record<IpFamily, string>> = { 4: '0.0.0.0/0', 6: '::/0' };

interface LoneFamily {
  readonly block: IpBlockPeer;
  readonly other: IpFamily;
}

function loneFamilies(blocks: readonly IpBlockPeer[]): LoneFamily[] {
  const whole = blocks.find((block) => wholeFamilyOf({ ...block, except: [] }) !== undefined);
  if (whole === undefined) return [];
  const other = whole.cidr.family === 4 ? 6 : 4;
  return blocks.some(({ cidr }) => cidr.family === other) ? [] : [{ block: whole, other }];
}
