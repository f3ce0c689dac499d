// Rules of the old iptables (x_tables), which nftables knows nothing of, as `getsockopt` gives them.
import type { IpFamily } from '../../base/ip-address.ts';
import { loadLibc } from '../libc.ts';

export interface LegacyTable {
  readonly family: IpFamily;
  /** `filter`, `mangle` and so on. */
  readonly name: string;
  /** In the order in which they stand, those of all chains. */
  readonly rules: readonly LegacyRule[];
  /** Offset of the first rule of the chain FORWARD, and of its policy, which is a rule; undefined where the table has none. */
  readonly forward: { readonly first: number; readonly policy: number } | undefined;
}

export interface LegacyRule {
  readonly offset: number;
  readonly next: number;
  /** Whether an extension narrows it (`-m conntrack`, `-m mark` …), beyond addresses, devices and protocol. */
  readonly isMatched: boolean;
  /** `DROP`, `ACCEPT` and `RETURN` by `verdict`, which then has an empty name. */
  readonly target: string;
  /** Of an empty name: -1 drop, -2 accept, -5 return, else the offset to go on at. */
  readonly verdict: number;
  readonly revision: number;
  /** What the target is told. */
  readonly data: Buffer;
}

/** Sizes and places of linux/netfilter_ipv4/ip_tables.h and linux/netfilter_ipv6/ip6_tables.h. */
const LAYOUTS = {
  4: { domain: 2, level: 0, targetAt: 88, rule: 112, names: '/proc/thread-self/net/ip_tables_names' },
  6: { domain: 10, level: 41, targetAt: 140, rule: 168, names: '/proc/thread-self/net/ip6_tables_names' },
} as const;
const SOCK_DGRAM = 2;
const SO_GET_INFO = 64;
const SO_GET_ENTRIES = 65;
const NAME_BYTES = 32;
const INFO_BYTES = 84;
const ENTRIES_HEAD_BYTES = 40;
const HOOK_FORWARD = 2;
const HOOK_COUNT = 5;
const TARGET_HEAD_BYTES = 32;

/** Of the namespace that this thread is in. A table appears only once somebody used it; reading makes none. */
export function readLegacyTables(readText: (path: string) => string | undefined): LegacyTable[] {
  return ([4, 6] as const).flatMap((family) => {
    const names = (readText(LAYOUTS[family].names) ?? '').split('\n').filter((name) => name !== '');
    return names.flatMap((name) => readTable(family, name) ?? []);
  });
}

/** undefined where the kernel does not give it: without the right, or changed meanwhile. */
function readTable(family: IpFamily, name: string): LegacyTable | undefined {
  const { domain, level } = LAYOUTS[family];
  const libc = loadLibc();
  const fd = libc.socket(domain, SOCK_DGRAM, 0);
  try {
    const ask = (option: number, bytes: Buffer): boolean => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(bytes.length);
      bytes.write(name, 'latin1');
      return libc.getsockopt(fd, level, option, bytes, size) === 0;
    };
    const info = Buffer.alloc(INFO_BYTES);
    if (!ask(SO_GET_INFO, info)) return undefined;
    const entries = Buffer.alloc(ENTRIES_HEAD_BYTES + info.readUInt32LE(INFO_BYTES - 4));
    entries.writeUInt32LE(entries.length - ENTRIES_HEAD_BYTES, NAME_BYTES);
    if (!ask(SO_GET_ENTRIES, entries)) return undefined;
    return { family, name, rules: rulesIn(entries.subarray(ENTRIES_HEAD_BYTES), family), forward: forwardOf(info) };
  } finally {
    libc.close(fd);
  }
}

function forwardOf(info: Buffer): LegacyTable['forward'] {
  if ((info.readUInt32LE(NAME_BYTES) & (1 << HOOK_FORWARD)) === 0) return undefined;
  const first = NAME_BYTES + 4 + 4 * HOOK_FORWARD;
  return { first: info.readUInt32LE(first), policy: info.readUInt32LE(first + 4 * HOOK_COUNT) };
}

function rulesIn(entries: Buffer, family: IpFamily): LegacyRule[] {
  const { targetAt, rule } = LAYOUTS[family];
  const rules: LegacyRule[] = [];
  for (let offset = 0; offset < entries.length; ) {
    const [target, next] = [offset + entries.readUInt16LE(offset + targetAt), offset + entries.readUInt16LE(offset + targetAt + 2)];
    const name = entries.toString('latin1', target + 2, target + 31).replace(/\0.*/s, '');
    const data = entries.subarray(target + TARGET_HEAD_BYTES, target + entries.readUInt16LE(target));
    rules.push({ offset, next, isMatched: hasMatches(entries.subarray(offset + rule, target)), target: name, verdict: name === '' ? data.readInt32LE() : 0, revision: entries[target + 31]!, data });
    offset = next;
  }
  return rules;
}

/** A comment narrows nothing. */
function hasMatches(matches: Buffer): boolean {
  for (let offset = 0; offset < matches.length; offset += matches.readUInt16LE(offset)) {
    if (matches.toString('latin1', offset + 2, offset + 31).replace(/\0.*/s, '') !== 'comment') return true;
  }
  return false;
}
