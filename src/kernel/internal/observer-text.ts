// The nft text of a table that only counts: hooks before and behind those of all others, and no rule with a verdict.
import type { IpFamily } from '../../base/ip-address.ts';
import { FAMILIES } from '../../emit/set-shape.ts';
import { askedRule, askedSet, askedType, PORT_PROTOCOLS, type PortProtocol } from './asked-sets.ts';
import { LEDGER_SIZE } from './skeleton.ts';

/** Of what came, and of what nobody had dropped. */
export const OBSERVED_SETS = ['seen', 'passed'] as const;

export type ObservedSet = (typeof OBSERVED_SETS)[number];

export const OBSERVED_MINUTES = 15;

/** What the node sends itself passes as well: where the second were full, what passes would look refused. */
const SIZE: Readonly<Record<ObservedSet, number>> = { seen: LEDGER_SIZE, passed: 4 * LEDGER_SIZE };

/** Engines judge what is forwarded at priority 0, and some behind the routing at about 100; only the confirmation by conntrack is later than the second. */
const FIRST_PRIORITY = -500;
const LAST_PRIORITY = 500;

/** Nothing is marked, and every chain lets everything go on: what others decide is as if the table were not there. */
export function observerText(table: string): string {
  const sets = FAMILIES.flatMap((family) => OBSERVED_SETS.map((set) => observedSets(set, family))).join('');
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

function observedSets(set: ObservedSet, family: IpFamily): string {
  const counting = (name: string, type: string): string => `  set ${name} { ${type}; size ${SIZE[set]}; flags dynamic,timeout; timeout ${OBSERVED_MINUTES}m; counter; }\n`;
  const judged = counting(`${set}${family}`, `typeof ${ip(family)} saddr . ${ip(family)} daddr . meta l4proto . th dport`);
  return judged + PORT_PROTOCOLS.map((protocol) => counting(askedSet(set, protocol, family), askedType(family))).join('');
}

// Both ends from the conntrack tuples: the real client and the real back end. `return` in a base chain lets go on.
function countingChain(set: ObservedSet): string {
  const ends = (family: IpFamily): string => `ct original ${ip(family)} saddr . ct reply ${ip(family)} saddr . meta l4proto`;
  const ported = (family: IpFamily, protocol: PortProtocol): readonly string[] => [
    `meta nfproto ipv${family} ${askedRule(set, protocol, family)}`,
    `meta nfproto ipv${family} meta l4proto ${protocol} update @${set}${family} { ${ends(family)} . ct reply proto-src } return`,
  ];
  const rules = [
    ...PORT_PROTOCOLS.flatMap((protocol) => [...FAMILIES.flatMap((family) => ported(family, protocol)), `meta l4proto ${protocol} ${UNRECORDED} return`]),
    ...FAMILIES.map((family) => `meta nfproto ipv${family} update @${set}${family} { ${ends(family)} . 0 } return`),
    UNRECORDED,
  ];
  return `  chain ${set} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`;
}

const UNRECORDED = 'update @unrecorded { meta l4proto }';
