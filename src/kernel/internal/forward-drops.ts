// Who else on a node drops what is forwarded, so that connections which policies allow do not come through.
import type { LegacyRule, LegacyTable } from './legacy-rules.ts';
import { SUBSYSTEM_NFTABLES, visitAttributes, type Message } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';

// linux/netfilter/nf_tables.h
const NFT_MSG_GETCHAIN = 4;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_HOOK_NUMBER = 1;
const HOOK_FORWARD = 2;
const NF_DROP = 0;
/** bridge, arp and netdev number their hooks otherwise. */
const FAMILY_NAMES: Readonly<Record<number, string>> = { 1: 'inet', 2: 'ip', 10: 'ip6' };

/** `family table chain` of each base chain of nftables whose policy is to drop; iptables over nftables included. */
export function readDroppingChains(socket: NetfilterSocket, ownTables: ReadonlySet<string>): string[] {
  return socket.dump<string>(
    { subsystem: SUBSYSTEM_NFTABLES, type: NFT_MSG_GETCHAIN, family: 0 },
    { doing: 'read the chains of others', body: () => undefined, parse: (message, found) => found.push(...droppingChain(message, ownTables)) },
  );
}

function droppingChain({ family, bytes, start, end }: Message, ownTables: ReadonlySet<string>): string[] {
  let [table, chain, hook, policy] = ['', '', -1, -1];
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === NFTA_CHAIN_TABLE) table = bytes.toString('latin1', from, until - 1);
    if (type === NFTA_CHAIN_NAME) chain = bytes.toString('latin1', from, until - 1);
    if (type === NFTA_CHAIN_POLICY) policy = bytes.readUInt32BE(from);
    if (type === NFTA_CHAIN_HOOK) visitAttributes(bytes, from, until, (part, at) => part === NFTA_HOOK_NUMBER && (hook = bytes.readUInt32BE(at)));
  });
  const name = FAMILY_NAMES[family];
  return name !== undefined && hook === HOOK_FORWARD && policy === NF_DROP && !(name === 'inet' && ownTables.has(table)) ? [`${name} ${table} ${chain}`] : [];
}

/** `iptables-legacy filter FORWARD`, of each table whose chain drops by its policy, or by a rule that no extension narrows. */
export function findLegacyDrops(tables: readonly LegacyTable[]): string[] {
  return tables.filter(dropsForwards).map(({ family, name }) => `${family === 4 ? 'iptables' : 'ip6tables'}-legacy ${name} FORWARD`);
}

const VERDICT_DROP = -1;
/** The head of each chain that is not built in. */
const CHAIN_HEAD = 'ERROR';

function dropsForwards(table: LegacyTable): boolean {
  return rulesOfForward(table).some(({ isMatched, target, verdict }) => !isMatched && (target === 'REJECT' || (target === '' && verdict === VERDICT_DROP)));
}

/** Those of the chains that it jumps to included. */
function rulesOfForward({ rules, forward }: LegacyTable): LegacyRule[] {
  if (forward === undefined) return [];
  const byOffset = new Map(rules.map((rule) => [rule.offset, rule]));
  const reached = new Set<LegacyRule>();
  const starts = [forward.first];
  for (let start = starts.pop(); start !== undefined; start = starts.pop()) {
    for (let rule = byOffset.get(start); rule !== undefined && rule.target !== CHAIN_HEAD && !reached.has(rule); rule = byOffset.get(rule.next)) {
      reached.add(rule);
      if (rule.offset === forward.policy) break;
      if (rule.target === '' && rule.verdict >= 0) starts.push(rule.verdict);
    }
  }
  return [...reached];
}
