// The address ranges that a lab takes for its pods, Services and nodes: private ones that no ipBlock of the input meets, where such are free.
import { ADDRESS_BITS, formatIpRange, parseIpAddress, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import { blockRanges } from '../compile/atom.ts';
import type { Cluster } from '../model/cluster.ts';
import type { IpBlockPeer } from '../model/network-policy.ts';
import { overlaps } from './range-list.ts';

export type BlockUse = 'pods' | 'services' | 'nodes';

export interface AddressBlock {
  readonly use: BlockUse;
  readonly range: IpRange;
  /** ipBlocks that meet the range although another was looked for; the expected verdicts count with it. */
  readonly metBlocks: readonly string[];
}

/** The first address of a block names it and is given to nobody. */
export function addressInBlock(block: AddressBlock, index: number): IpAddress {
  return { family: block.range.family, value: block.range.first + 1n + BigInt(index) };
}

/** One block of each use and family, disjoint. */
export function chooseAddressBlocks(cluster: Cluster, families: readonly IpFamily[]): AddressBlock[] {
  const blocks = ipBlocksOf(cluster);
  const chosen: AddressBlock[] = [];
  for (const family of families) {
    const met = blocks.flatMap((block) => (block.cidr.family === family ? blockRanges(block) : []));
    for (const use of USES) {
      const taken = chosen.map(({ range }) => range);
      const range = findBlock({ family, use, avoid: [...met, ...taken] }) ?? findBlock({ family, use, avoid: taken })!;
      const metBlocks = blocks.filter((block) => blockRanges(block).some((part) => overlaps(part, range)));
      chosen.push({ use, range, metBlocks: [...new Set(metBlocks.map(({ text }) => text))] });
    }
  }
  return chosen;
}

/** One sentence for each block that could not be kept out of every ipBlock. */
export function describeMetBlocks(blocks: readonly AddressBlock[]): string[] {
  return blocks
    .filter(({ use, metBlocks }) => use !== 'services' && metBlocks.length > 0)
    .map(({ use, range, metBlocks }) => `the lab's ${use} stand in ${formatIpRange(range)}, which the input's ipBlocks meet: ${metBlocks.join(', ')}`);
}

function ipBlocksOf(cluster: Cluster): IpBlockPeer[] {
  const blocks = new Map<string, IpBlockPeer>();
  for (const policy of cluster.policies) {
    for (const rule of [...(policy.ingress ?? []), ...(policy.egress ?? [])]) {
      if (rule.peers.kind !== 'listed') continue;
      for (const peer of rule.peers.peers) if (peer.kind === 'ip-block') blocks.set(peer.text, peer);
    }
  }
  return [...blocks.values()];
}

interface BlockWish {
  readonly family: IpFamily;
  readonly use: BlockUse;
  readonly avoid: readonly IpRange[];
}

function findBlock({ family, use, avoid }: BlockWish): IpRange | undefined {
  for (const candidate of candidates(family, use)) {
    if (!avoid.some((range) => overlaps(range, candidate))) return candidate;
  }
  return undefined;
}

/** First what people expect to see, then all of the private space in steps. */
function* candidates(family: IpFamily, use: BlockUse): Generator<IpRange> {
  const bits = BigInt(ADDRESS_BITS[family] - BLOCK_PREFIX[family]);
  yield blockAt(PREFERRED[family][use], bits);
  for (const { start, prefix, stepsMax } of PRIVATE_SPACE[family]) {
    const space = 1n << BigInt(ADDRESS_BITS[family] - prefix);
    const blocks = space >> bits;
    const steps = blocks < BigInt(stepsMax) ? blocks : BigInt(stepsMax);
    const stride = (blocks / steps) << bits;
    for (let step = 0n; step < steps; step++) yield blockAt({ family, value: start.value + step * stride }, bits);
  }
}

function blockAt({ family, value }: IpAddress, bits: bigint): IpRange {
  return { family, first: value, last: value + (1n << bits) - 1n };
}

const USES: readonly BlockUse[] = ['pods', 'services', 'nodes'];

/** 4,096 addresses of family 4, 65,536 of family 6. */
const BLOCK_PREFIX: Readonly<Record<IpFamily, number>> = { 4: 20, 6: 112 };

/** Addresses of a block that may be given away: neither the first nor the last. */
export const BLOCK_ADDRESSES_MAX = 4094;

const PREFERRED: Readonly<Record<IpFamily, Readonly<Record<BlockUse, IpAddress>>>> = {
  4: { pods: address('10.244.0.0'), services: address('10.96.0.0'), nodes: address('172.18.0.0') },
  6: { pods: address('fd00:10:244::'), services: address('fd00:10:96::'), nodes: address('fd00:172:18::') },
};

interface Space {
  readonly start: IpAddress;
  readonly prefix: number;
  readonly stepsMax: number;
}

/** RFC 1918, RFC 6598, RFC 2544 (every block of 4,096 is tried); RFC 4193 (so many blocks, evenly spread). */
const PRIVATE_SPACE: Readonly<Record<IpFamily, readonly Space[]>> = {
  4: [
    { start: address('10.0.0.0'), prefix: 8, stepsMax: 4096 },
    { start: address('172.16.0.0'), prefix: 12, stepsMax: 4096 },
    { start: address('192.168.0.0'), prefix: 16, stepsMax: 4096 },
    { start: address('100.64.0.0'), prefix: 10, stepsMax: 4096 },
    { start: address('198.18.0.0'), prefix: 15, stepsMax: 4096 },
  ],
  6: [{ start: address('fd00::'), prefix: 8, stepsMax: 1024 }],
};

function address(text: string): IpAddress {
  return parseIpAddress(text)!;
}
