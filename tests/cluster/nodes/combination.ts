// The kinds of cluster that the suite runs on: a few in which every two settings meet in each run, all sixteen in the nightly setting.

export interface Combination {
  readonly cni: 'bridge' | 'ptp';
  readonly nodes: 1 | 2;
  readonly isDualStack: boolean;
  readonly proxy: 'nftables' | 'iptables';
}

/** Of four settings with two values each, every two values of two settings meet in one of these; fewer than five cannot do it. */
const PAIRWISE: readonly Combination[] = [
  { cni: 'bridge', nodes: 2, isDualStack: true, proxy: 'iptables' },
  { cni: 'bridge', nodes: 1, isDualStack: false, proxy: 'nftables' },
  { cni: 'ptp', nodes: 1, isDualStack: true, proxy: 'iptables' },
  { cni: 'ptp', nodes: 2, isDualStack: false, proxy: 'iptables' },
  { cni: 'ptp', nodes: 2, isDualStack: true, proxy: 'nftables' },
];

export function combinations(): readonly Combination[] {
  return process.env['BULKHEAD_NIGHTLY'] === '1' ? ALL : PAIRWISE;
}

const ALL: readonly Combination[] = (['bridge', 'ptp'] as const).flatMap((cni) =>
  ([1, 2] as const).flatMap((nodes) => [false, true].flatMap((isDualStack) => (['nftables', 'iptables'] as const).map((proxy): Combination => ({ cni, nodes, isDualStack, proxy })))));

/** `bridge, 2 nodes, dual stack, kube-proxy nftables`. */
export function describeCombination({ cni, nodes, isDualStack, proxy }: Combination): string {
  return `${cni}, ${nodes === 1 ? 'one node' : `${nodes} nodes`}, ${isDualStack ? 'dual stack' : 'IPv4'}, kube-proxy ${proxy}`;
}
