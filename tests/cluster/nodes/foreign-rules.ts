// Everything in a node's kernel that is not Bulkhead's own: the rules of kube-proxy, the kubelet and the CNI, and what other marks go through.
import type { RunningNode } from './node-cluster.ts';
import { onNode } from './node-cluster.ts';

/** Every table but ours as text, without the figures that traffic changes. */
export function foreignRules(node: RunningNode): string {
  const tables = run(node, ['nft', 'list', 'tables']).split('\n').filter((line) => line !== '' && line !== 'table inet bulkhead');
  return tables.map((table) => run(node, ['nft', 'list', ...table.split(' ')]).replaceAll(/packets [0-9]+ bytes [0-9]+/g, 'counter')).join('');
}

/** Settings of the kernel that an agent could be tempted to change. */
export function kernelSettings(node: RunningNode): string {
  return run(node, ['sysctl', '-a', '-r', '^net\\.(ipv4|ipv6|bridge|netfilter)\\.']).split('\n')
    // What the kernel itself counts.
    .filter((line) => !/nf_conntrack_count|_route\.flush|stable_secret|random/.test(line)).join('\n');
}

export function hasOurTable(node: RunningNode): boolean {
  return run(node, ['nft', 'list', 'tables']).split('\n').includes('table inet bulkhead');
}

function run(node: RunningNode, words: readonly string[]): string {
  const { status, stdout, stderr } = onNode(node, words);
  if (status !== 0 && words[0] !== 'sysctl') throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

/** A table of somebody else's: it sets bits of the packet mark and of the connection's before us, and counts behind us whether they are still there. */
const OBSERVER = `
table inet observer {
  counter marked { }
  counter kept { }
  counter lost { }
  counter snat_wanted { }
  chain first {
    type filter hook prerouting priority mangle; policy accept;
    meta mark set meta mark and 0x0000ffff or 0x5a120000
    counter name marked
  }
  chain last {
    type filter hook forward priority 300; policy accept;
    meta mark and 0xffff0000 == 0x5a120000 counter name kept return
    counter name lost
  }
  chain masqueraded {
    type filter hook postrouting priority 90; policy accept;
    meta mark and 0x00004000 == 0x00004000 counter name snat_wanted
  }
}
`;

export function observeMarks(node: RunningNode): void {
  const { status, stderr } = onNode(node, ['nft', '-f', '-'], OBSERVER);
  if (status !== 0) throw new Error(stderr);
}

export interface SeenMarks {
  /** Forwarded packets with the foreign bits, and without. */
  readonly kept: number;
  readonly lost: number;
  /** Packets that kube-proxy wants masqueraded. */
  readonly masquerade: number;
}

export function seenMarks(node: RunningNode): SeenMarks {
  const text = run(node, ['nft', 'list', 'counters', 'table', 'inet', 'observer']);
  const packets = (name: string): number => Number(new RegExp(`counter ${name} \\{\\s*packets ([0-9]+)`).exec(text)![1]);
  return { kept: packets('kept'), lost: packets('lost'), masquerade: packets('snat_wanted') };
}

export function forgetMarks(node: RunningNode): void {
  run(node, ['nft', 'reset', 'counters', 'table', 'inet', 'observer']);
}
