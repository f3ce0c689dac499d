// What on a node keeps policy from being enforced, or may: how its pods are wired, who else writes marks, how Services are reached.
import { readFileSync } from 'node:fs';
import { GENERATION_MASK } from './generation-number.ts';
import { findLegacyDrops, readDroppingChains } from './internal/forward-drops.ts';
import { readLegacyTables, type LegacyTable } from './internal/legacy-rules.ts';
import { findLegacyMarkWriters, readMarkWriters, type MarkWriter } from './internal/mark-writers.ts';
import { NetfilterSocket } from './internal/netfilter-socket.ts';
import { readLinks, type Link } from './internal/read-links.ts';
import { inNamespace, type NamespaceFd } from './network-namespace.ts';

/**
 * `ipvs`: kube-proxy takes Services past the rules. `bridge-unfiltered`: pods of one node reach each other past them.
 * `mark-taken`: others write the bits that say which connections were judged. `forward-dropped`: others drop what
 * policies may allow.
 */
export type NodeObstacleCode = 'ipvs' | 'bridge-unfiltered' | 'mark-taken' | 'forward-dropped';

/** Sentences without a final stop. */
export interface NodeObstacle {
  readonly code: NodeObstacleCode;
  /** Whether policy would be a claim that does not hold, so that starting would be wrong. */
  readonly isFatal: boolean;
  readonly reason: string;
  readonly remedy: string;
}

export interface NodeCheckOptions {
  /** Without it the namespace that this process is in. */
  readonly namespace?: NamespaceFd;
  readonly markMask?: number;
  readonly table?: string;
}

/** Reads only; some milliseconds, and more where others have many rules. */
export function checkNode({ namespace, markMask = GENERATION_MASK, table = 'bulkhead' }: NodeCheckOptions = {}): readonly NodeObstacle[] {
  const links = readLinks(namespace);
  const read = (path: string): string | undefined => readText(namespace, path);
  return [...findIpvs(links, read), ...findUnfilteredBridges(links, read), ...findRulesOfOthers({ namespace, markMask, table, legacy: readLegacy(namespace) })];
}

interface OthersInput {
  readonly namespace: NamespaceFd | undefined;
  readonly markMask: number;
  readonly table: string;
  readonly legacy: readonly LegacyTable[];
}

function readLegacy(namespace: NamespaceFd | undefined): readonly LegacyTable[] {
  const read = (): readonly LegacyTable[] => readLegacyTables((path) => readText(undefined, path));
  return namespace === undefined ? read() : inNamespace(namespace, read);
}

/** kube-proxy's own device in this mode. */
const IPVS_DEVICE = 'kube-ipvs0';
/** Of /proc/net/ip_vs, above the Services. */
const IPVS_HEAD_LINES = 3;

function findIpvs(links: readonly Link[], read: (path: string) => string | undefined): NodeObstacle[] {
  const services = (read('/proc/thread-self/net/ip_vs') ?? '').trim().split('\n').length - IPVS_HEAD_LINES;
  if (services <= 0 && !links.some(({ name }) => name === IPVS_DEVICE)) return [];
  return [{
    code: 'ipvs',
    isFatal: true,
    reason: 'kube-proxy runs in IPVS mode, in which connections to Services pass the node without being forwarded: no policy would be asked about them',
    remedy: 'set `mode: nftables` (or `iptables`) in the configuration of kube-proxy, restart it, and run `kube-proxy --cleanup` on each node',
  }];
}

function findUnfilteredBridges(links: readonly Link[], read: (path: string) => string | undefined): NodeObstacle[] {
  const bridges = links.filter(({ kind, index }) => kind === 'bridge' && links.some((port) => port.master === index && port.kind === 'veth'));
  const families = [{ family: 4, file: 'bridge-nf-call-iptables', name: 'IPv4' }, { family: 6, file: 'bridge-nf-call-ip6tables', name: 'IPv6' }] as const;
  return families.flatMap(({ family, file, name }): NodeObstacle[] => {
    const setting = read(`/proc/sys/net/bridge/${file}`)?.trim();
    const open = bridges.filter(({ filters }) => setting !== '1' && !filters[family]);
    if (open.length === 0) return [];
    return [{
      code: 'bridge-unfiltered',
      isFatal: false,
      reason: `${name} between pods of this node crosses ${open.map((bridge) => `\`${bridge.name}\``).join(', ')} without being judged: ${setting === undefined ? 'the module br_netfilter is not loaded' : `\`net.bridge.${file}\` is ${setting}`}`,
      remedy: `${setting === undefined ? '`modprobe br_netfilter`, then ' : ''}\`sysctl -w net.bridge.${file}=1\`, and both where the node keeps its settings (/etc/modules-load.d, /etc/sysctl.d)`,
    }];
  });
}

function findRulesOfOthers({ namespace, markMask, table, legacy }: OthersInput): NodeObstacle[] {
  const socket = new NetfilterSocket(namespace);
  try {
    const own = new Set([table, `${table}_next`, `${table}_draft`]);
    const writers = [...readMarkWriters(socket, own), ...findLegacyMarkWriters(legacy)].filter(({ bits }) => (bits & markMask) !== 0);
    return [...explainMarkWriters(writers, markMask), ...explainDrops([...readDroppingChains(socket, own), ...findLegacyDrops(legacy)])];
  } finally {
    socket.close();
  }
}

function explainMarkWriters(writers: readonly MarkWriter[], markMask: number): NodeObstacle[] {
  if (writers.length === 0) return [];
  const names = [...new Set(writers.map(({ family, table: name, chain }) => `${family} ${name} ${chain}`.trim()))];
  return [{
    code: 'mark-taken',
    isFatal: false,
    reason: `rules of others write bits of the conntrack mark that are ours (${hex(markMask)}), so that connections are judged at every packet or not cut when a policy changes: ${listNames(names)}`,
    remedy: `choose bits that nobody writes with \`--ct-mask\`; these are written: ${hex(writers.reduce((bits, writer) => bits | writer.bits, 0))}`,
  }];
}

function explainDrops(names: readonly string[]): NodeObstacle[] {
  if (names.length === 0) return [];
  return [{
    code: 'forward-dropped',
    isFatal: false,
    reason: `others drop forwarded packets, so that connections which policies allow may not come through: ${listNames(names)}`,
    remedy: 'let the addresses of pods through there, in both directions; the CNI plugin or kube-proxy usually does',
  }];
}

function listNames(names: readonly string[]): string {
  return `chain ${names.slice(0, NAMES_MAX).map((name) => `\`${name}\``).join(', ')}${names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : ''}`;
}

const NAMES_MAX = 5;

function hex(bits: number): string {
  return `0x${(bits >>> 0).toString(16)}`;
}

/** undefined where there is no such file. */
function readText(namespace: NamespaceFd | undefined, path: string): string | undefined {
  const read = (): string => readFileSync(path, 'utf8');
  try {
    return namespace === undefined ? read() : inNamespace(namespace, read);
  } catch {
    return undefined;
  }
}
