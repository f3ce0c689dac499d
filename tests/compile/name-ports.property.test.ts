// What an address is allowed that pods were told for a name is what it would be allowed if rules named the address itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unionPorts } from '../../src/base/port-set.ts';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { coversDomainName } from '../../src/compile/domain-pattern.ts';
import { portsOfNames } from '../../src/compile/name-ports.ts';
import type { Program } from '../../src/compile/program.ts';
import type { ClusterPolicy, TierPeer, TierRule } from '../../src/model/cluster-policy.ts';
import { checkWith } from '../clusters/check-property.ts';
import { settleCluster } from '../clusters/settle.ts';

/** Of names that random rules name, and of addresses in and out of the blocks that they name. */
const told = fc.record({
  names: fc.uniqueArray(fc.constantFrom('example.org', 'www.example.org', 'a.b.example.org', 'a.www.example.org', 'example.net'), { minLength: 1, maxLength: 2 }),
  address: fc.constantFrom('192.168.0.77', '10.200.0.77', '10.128.0.1', '203.0.113.1', 'fd02::77', '2001:db8::1', '::a00:1').map((text) => parseIpAddress(text)!),
});

test('a name and its address are allowed what the address would be', () => {
  let compared = 0;
  checkWith(told, (raw, { names, address }) => {
    const cluster = settleCluster(raw);
    if (cluster.pods.some((pod) => pod.addresses.some((one) => one.family === address.family && one.value === address.value))) return;
    const [named, plain] = [compileCluster(cluster), compileCluster({ ...cluster, clusterPolicies: cluster.clusterPolicies.map((policy) => withAddress(policy, names, address)) })];
    for (const pod of cluster.pods.keys()) {
      const [found, wanted] = [portsByName(named, pod, { names, address }), portsOfAddress(plain, pod, address)];
      if (named.domainNames.length > 0) compared++;
      assert.deepEqual(found, wanted, `${cluster.pods[pod]!.name} to ${formatIpAddress(address)} as ${names.join(', ')}`);
    }
  });
  assert.ok(compared > 100, `${compared} pods under rules that name domains`);
});

function withAddress(policy: ClusterPolicy, names: readonly string[], address: IpAddress): ClusterPolicy {
  const egress = policy.egress.map((rule): TierRule => (rule.peers.kind === 'everybody' ? rule : { ...rule, peers: { kind: 'listed', peers: rule.peers.peers.flatMap((peer) => peerWithAddress(peer, names, address)) } }));
  return { ...policy, egress };
}

function peerWithAddress(peer: TierPeer, names: readonly string[], address: IpAddress): readonly TierPeer[] {
  if (peer.kind !== 'domain-name') return [peer];
  const cidr = { family: address.family, first: address.value, last: address.value };
  return names.some((name) => coversDomainName(peer.pattern, name)) ? [{ kind: 'ip-block', cidr, except: [], text: formatIpAddress(address), origin: peer.origin }] : [];
}

function portsOfAddress(program: Program, pod: number, address: IpAddress): readonly number[] {
  const { egress, portSets } = program;
  return portSets.portSet(egress.portsOf(subjectOf(program, pod), egress.classOfAtom[program.findAtom(address)]!));
}

function portsByName(program: Program, pod: number, { names, address }: { readonly names: readonly string[]; readonly address: IpAddress }): readonly number[] {
  const { egress, domainNames } = program;
  const subject = subjectOf(program, pod);
  const own = portsOfAddress(program, pod, address);
  if (!egress.isGoverned(subject)) return own;
  const nameClasses = domainNames.flatMap((pattern, place) => (names.some((name) => coversDomainName(pattern, name)) ? [egress.classOfDomainName[address.family][place]!] : []));
  return unionPorts(own, portsOfNames(egress, { subject, peerClass: egress.classOfAtom[program.findAtom(address)]!, nameClasses }));
}

function subjectOf({ egress, groupOfPod }: Program, pod: number): number {
  return egress.subjectOfGroup[groupOfPod[pod]!]!;
}

