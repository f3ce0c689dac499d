// A cluster's pods put onto nodes, with addresses: the first ones of a shuffled list on ours.
import type { IpAddress, IpRange } from '../src/base/ip-address.ts';
import type { Cluster } from '../src/model/cluster.ts';
import { Chance } from './generate-cluster.ts';

export const NODE = 'node-0';
const PODS_PER_NODE = 250;
/** Of nodes and pods: 10.0.0.0/8 holds more than there are here. */
const FIRST_ADDRESS = 0x0a000000n;
const LAST_ADDRESS = 0x0affffffn;

export function placedCluster(cluster: Cluster, localPods: number): Cluster {
  const chance = new Chance(3);
  const order = cluster.pods.map((_, index) => ({ index, at: chance.below(1 << 30) })).sort((a, b) => a.at - b.at);
  const pods = [...cluster.pods];
  for (const [place, { index }] of order.entries()) {
    const node = place < localPods ? 0 : 1 + Math.floor((place - localPods) / PODS_PER_NODE);
    pods[index] = { ...pods[index]!, nodeName: `node-${node}`, addresses: [addressAt(place)] };
  }
  const podRanges: IpRange[] = [{ family: 4, first: FIRST_ADDRESS, last: LAST_ADDRESS }];
  return { ...cluster, pods, podRanges };
}

export function addressAt(place: number): IpAddress {
  return { family: 4, value: FIRST_ADDRESS + 256n + BigInt(place) };
}
