// The known addresses of pods, nodes and Services in order, so that a block is held against them without visiting all.
import type { IpAddress, IpFamily } from '../../base/ip-address.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { IpBlockPeer } from '../../model/network-policy.ts';

export interface NamedAddress {
  readonly address: IpAddress;
  readonly owner: 'pod' | 'node' | 'service';
  /** `namespace/name`; of a node its name. */
  readonly name: string;
}

/** The addresses in a block and in none of its excepts; at most as many as `MET_MAX`. */
export type AddressIndex = (block: IpBlockPeer) => readonly NamedAddress[];

/** Addresses looked at for one block. */
const MET_MAX = 1_000;

/** Made when first asked. Pods on the host's network have their node's address and are left out. */
export function createAddressIndex(cluster: Cluster): AddressIndex {
  let sorted: Readonly<Record<IpFamily, readonly NamedAddress[]>> | undefined;
  return ({ cidr, except }) => {
    sorted ??= sortAddresses(cluster);
    const list = sorted[cidr.family];
    const start = firstFrom(list, cidr.first);
    const met: NamedAddress[] = [];
    for (let at = start; at < list.length && at < start + MET_MAX && list[at]!.address.value <= cidr.last; at++) {
      const { value } = list[at]!.address;
      if (!except.some(({ family, first, last }) => family === cidr.family && first <= value && value <= last)) met.push(list[at]!);
    }
    return met;
  };
}

function sortAddresses({ pods, nodes, services }: Cluster): Record<IpFamily, NamedAddress[]> {
  const all: NamedAddress[] = [
    ...pods.filter(({ hostNetwork }) => !hostNetwork).flatMap(({ namespace, name, addresses }) => addresses.map((address) => ({ address, owner: 'pod' as const, name: `${namespace}/${name}` }))),
    ...nodes.flatMap(({ name, addresses }) => addresses.map((address) => ({ address, owner: 'node' as const, name }))),
    ...services.flatMap(({ namespace, name, clusterIps }) => clusterIps.map((address) => ({ address, owner: 'service' as const, name: `${namespace}/${name}` }))),
  ];
  const ofFamily = (wanted: IpFamily): NamedAddress[] =>
    all.filter(({ address }) => address.family === wanted).sort((a, b) => (a.address.value < b.address.value ? -1 : a.address.value > b.address.value ? 1 : 0));
  return { 4: ofFamily(4), 6: ofFamily(6) };
}

function firstFrom(list: readonly NamedAddress[], least: bigint): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.address.value < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
