// The nft text of a table that only counts: hooks before and behind those of all others, and no rule with a verdict.
import type { IpFamily } from '../../base/ip-address.ts';
import { FAMILIES } from '../../emit/set-shape.ts';
import { LEDGER_SIZE } from './skeleton.ts';

/** Of what came, and of what nobody had dropped. */
export type ObservedSet = 'seen' | 'passed';

export const OBSERVED_MINUTES = 15;

/** What the node sends itself passes as well: where the second were full, what passes would look refused. */
const SIZE: Readonly<Record<ObservedSet, number>> = { seen: LEDGER_SIZE, passed: 4 * LEDGER_SIZE };

/** Engines judge what is forwarded at priority 0, and some behind the routing at about 100; only the confirmation by conntrack is later than the second. */
const FIRST_PRIORITY = -500;
const LAST_PRIORITY = 500;

/** Nothing is marked, and every chain lets everything go on: what others decide is as if the table were not there. */
export function observerText(table: string): string {
  const sets = FAMILIES.flatMap((family) => (['seen', 'passed'] as const).map((set) => observedSet(set, family))).join('');
  return `table inet ${table} {
${sets}  set unrecorded { type inet_proto; size 256; flags dynamic,timeout; timeout 1d; counter; }
${countingChain('seen')}${countingChain('passed')}  chain first {
    type filter hook forward priority ${FIRST_PRIORITY}; policy accept;
    ct state new goto seen
  }
  chain last {
    type filter hook postrouting priority ${LAST_PRIORITY}; policy accept;
    ct state new goto passed
  }
}
`;
}

function ip(family: IpFamily): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}

function observedSet(set: ObservedSet, family: IpFamily): string {
  return `  set ${set}${family} { typeof ${ip(family)} saddr . ${ip(family)} daddr . meta l4proto . th dport; size ${SIZE[set]}; flags dynamic,timeout; timeout ${OBSERVED_MINUTES}m; counter; }\n`;
}

// Both ends from the conntrack tuples: the real client and the real back end. `return` in a base chain lets go on.
function countingChain(set: ObservedSet): string {
  const count = (family: IpFamily, protocol: string): string => {
    const ends = `ct original ${ip(family)} saddr . ct reply ${ip(family)} saddr . meta l4proto`;
    const port = protocol === '' ? '0' : 'ct reply proto-src';
    return `    meta nfproto ipv${family} ${protocol === '' ? '' : `meta l4proto ${protocol} `}update @${set}${family} { ${ends} . ${port} } return\n`;
  };
  const rules = ['tcp', 'udp', 'sctp', ''].flatMap((protocol) => [
    ...FAMILIES.map((family) => count(family, protocol)),
    protocol === '' ? '' : `    meta l4proto ${protocol} ${UNRECORDED} return\n`,
  ]);
  return `  chain ${set} {\n${rules.join('')}    ${UNRECORDED}\n  }\n`;
}

const UNRECORDED = 'update @unrecorded { meta l4proto }';
