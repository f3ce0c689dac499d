// A random cluster put onto two nodes: every pod with an address of each family, and what each node sees.
import { parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import type { Placement } from '../../src/emit/placement.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';

export const NODES = ['n1', 'n2'] as const;

export type NodeName = (typeof NODES)[number];

/** Replicas become pods of their own. Addresses that the cluster has stay; the others are spread over the blocks that random policies name. */
export function onTwoNodes(cluster: Cluster): Cluster {
  const taken = new Set(cluster.pods.flatMap((pod) => (pod.hostNetwork ? [] : pod.addresses.map(keyOf))));
  const pods = cluster.pods.flatMap((pod) => Array.from({ length: pod.replicas }, (): Pod => ({ ...pod, replicas: 1 })));
  let next = 0;
  const free = (family: 4 | 6): IpAddress => {
    for (;;) {
      const number = next++;
      const address = family === 4 ? freeAddress4(number) : parseIpAddress(number % 2 === 0 ? `fd00::${(number + 2).toString(16)}` : `fd00:0:0:1::${(number + 2).toString(16)}`)!;
      if (!taken.has(keyOf(address))) return address;
    }
  };
  const placed = pods.map((pod, index): Pod => {
    const node = NODES[index % 2]!;
    if (pod.hostNetwork) return { ...pod, nodeName: node, addresses: addressesOfNode(node) };
    const addresses = ([4, 6] as const).map((family) => pod.addresses.find((address) => address.family === family) ?? free(family));
    return { ...pod, nodeName: node, addresses };
  });
  return { ...cluster, pods: placed };
}

function freeAddress4(number: number): IpAddress {
  const prefixes = ['10.0.0.', '10.1.0.', '192.168.0.', '10.0.0.'];
  return parseIpAddress(`${prefixes[number % 4]!}${number % 2 === 0 ? 2 + number : 130 + (number % 100)}`)!;
}

export function addressesOfNode(node: NodeName): IpAddress[] {
  const number = NODES.indexOf(node) + 1;
  return [parseIpAddress(`10.200.0.${number}`)!, parseIpAddress(`fd02::${number}`)!];
}

export function placementOf(cluster: Cluster, node: NodeName): Placement {
  const places = cluster.pods.map(({ addresses }, pod) => ({ pod, addresses }));
  const isHere = ({ pod }: { readonly pod: number }): boolean => cluster.pods[pod]!.nodeName === node;
  return {
    localPods: places.filter(isHere),
    remotePods: places.filter((place) => !isHere(place)),
    podRanges: cluster.podRanges,
    // The random ranges are not divided between nodes; each node knows all of its own pods here.
    localPodRanges: [],
  };
}

function keyOf(address: IpAddress): string {
  return `${address.family} ${address.value}`;
}
