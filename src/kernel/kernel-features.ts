// What our table takes of a kernel, each with the first version that has it: tried one by one where the table is refused, to say what is missing.

export interface KernelFeature {
  /** A phrase: "the kernel lacks …". */
  readonly name: string;
  /** The first Linux with it, where its module is built. */
  readonly since: string;
  /** What `modprobe` loads, where it does not come by itself. */
  readonly module: string;
  /** Of a table of family `inet` that only a kernel with it takes. */
  readonly body: string;
}

/** Sources: linux/netfilter/nf_tables.h and the logs of net/netfilter. Older ones first: each is tried as if those before it were there. */
export const KERNEL_FEATURES: readonly KernelFeature[] = [
  { name: 'tables of family `inet`', since: '3.14', module: 'nf_tables', body: 'chain try { type filter hook forward priority 0; }' },
  { name: 'copies of packets for a log group', since: '3.17', module: 'nft_log', body: 'chain try { type filter hook forward priority 0; log group 1; }' },
  { name: 'addresses of connections in rules', since: '4.17', module: 'nft_ct', body: 'chain try { ct original ip saddr 192.0.2.1 accept; ct reply ip6 saddr 2001:db8::1 accept; }' },
  { name: 'ranges in keys of several fields', since: '5.6', module: 'nf_tables', body: 'set try { type ipv4_addr . inet_service; flags interval; }' },
  { name: 'counters in sets that packets fill', since: '5.7', module: 'nf_tables', body: 'set try { type ipv4_addr; size 16; flags dynamic,timeout; timeout 1m; counter; }' },
  { name: 'answers to refused packets before they are routed', since: '5.9', module: 'nft_reject_inet', body: 'chain try { type filter hook prerouting priority 0; meta l4proto tcp reject with tcp reset; reject with icmpx type admin-prohibited; }' },
];

/** `load` gives whether the kernel takes a text, and leaves nothing of it behind. */
export function findMissingFeatures(load: (text: string) => boolean, table: string): readonly KernelFeature[] {
  return KERNEL_FEATURES.filter(({ body }) => !load(`table inet ${table} {\n  flags dormant;\n  ${body}\n}\n`));
}

/** A clause without a final stop, and what mends it; undefined where nothing is missing. */
export function explainMissing(missing: readonly KernelFeature[]): { readonly reason: string; readonly remedy: string } | undefined {
  if (missing.length === 0) return undefined;
  const modules = [...new Set(missing.map(({ module }) => module))];
  return {
    reason: `this kernel lacks ${missing.map(({ name, since }) => `${name} (Linux ${since} and newer)`).join(', ')}`,
    remedy: `load the module${modules.length > 1 ? 's' : ''}: \`modprobe -a ${modules.join(' ')}\`, or use a newer kernel`,
  };
}
