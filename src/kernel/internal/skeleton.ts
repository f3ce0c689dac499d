// The nft text of our table: a fixed set of chains that look everything up in maps and sets, so that all policy is elements.
import type { IpFamily } from '../../base/ip-address.ts';
import { FAMILIES, FRESH_SHAPES, SET_SHAPES, type FieldKind, type SetName, type SetShape } from '../../emit/set-shape.ts';
import { markOf } from '../generation-number.ts';
import { answerChains, answerHooks, answerSets } from './answer-chains.ts';
import { askedRule, askedSet, askedType, PORT_PROTOCOLS, type PortProtocol } from './asked-sets.ts';
import { formatChain, type Chain } from './chain-text.ts';
import { CUT_HOOK_PRIORITY, CUT_SET, REMEMBER_CUT, resetCut } from './cut-connections.ts';
import { REFUSAL_CODE } from './refusal-code.ts';
import { formatId } from '../../emit/format-ruleset.ts';

export interface SkeletonOptions {
  readonly table: string;
  readonly deny: 'drop' | 'reject';
  /** The generation at the start, from 1. */
  readonly generation: number;
  /** Bits of the conntrack mark that hold it. */
  readonly mask: number;
  /** Answers of DNS go to this log group; nobody looks at them when missing. */
  readonly answerGroup?: number | undefined;
  /** Refusals ring this log group, a few times for each pair; none when missing. */
  readonly denialGroup?: number | undefined;
  /** What stands in the sets, as nft text; nothing when missing. */
  readonly elementsOf?: (shape: SetShape<SetName>) => readonly string[];
}

/** Records that each of the four ledgers holds until they are 15 minutes old; at the bound new ones are not recorded, verdicts stay right. */
export const LEDGER_SIZE = 65535;
export const LEDGER_MINUTES = 15;
/** Counts by protocol what found no room in a ledger. */
export const UNRECORDED_SET = 'unrecorded';

/** The base chain that judges what is forwarded. */
export const HOOK_CHAIN = 'hook_forward';

/** Everything but the hook: no packet comes here yet. */
export function skeletonText(options: SkeletonOptions): string {
  const { answerGroup, denialGroup } = options;
  const sets = [...SET_SHAPES.map((shape) => formatSet(shape, options.elementsOf?.(shape) ?? [])), ...Object.values(FRESH_SHAPES).map((shape) => formatSet(shape, []))];
  const chains = [
    ...FAMILIES.flatMap((family) => [ledgerChain('flow', family), withBell(ledgerChain('deny', family), family, denialGroup)]),
    ...endChains(options),
    ...sideChains(INGRESS),
    ...namedChains(),
    ...sideChains(EGRESS),
    ...untrackedChains(),
    ...ownNodeChains(),
    ...judgeChains(options),
    ...(answerGroup === undefined ? [] : answerChains(answerGroup)),
  ];
  return `table inet ${options.table} {\n${sets.join('')}${FAMILIES.map(ledgerSets).join('')}${UNRECORDED}${CUT_SET}${denialGroup === undefined ? '' : FAMILIES.map(bellSet).join('')}${answerGroup === undefined ? '' : answerSets()}${chains.map(formatChain).join('')}}\n`;
}

/** What puts the skeleton to work; loaded when all elements are there. */
export function hookText({ table, mask, answerGroup }: Pick<SkeletonOptions, 'table' | 'mask' | 'answerGroup'>): string {
  const answers = answerGroup === undefined ? NO_ANSWERS : answerHooks();
  const hook = (name: string, rules: readonly string[], priority = 0): string => `  chain hook_${name} {\n    type filter hook ${name} priority ${priority}; policy accept;\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`;
  const output = answers.output.length === 0 ? '' : hook('output', answers.output);
  const prerouting = hook('prerouting', [resetCut(`ct mark and ${hex(mask)} == 0x0`)], CUT_HOOK_PRIORITY);
  return `table inet ${table} {\n${prerouting}${hook('forward', [...answers.forward, 'goto judge'])}${hook('input', ['goto own_node'])}${output}}\n`;
}

const NO_ANSWERS: ReturnType<typeof answerHooks> = { forward: [], output: [] };

function formatSet(shape: SetShape, elements: readonly string[]): string {
  const list = elements.length === 0 ? '' : `    elements = {\n${elements.map((element) => `      ${element}`).join(',\n')}\n    }\n`;
  return `  # ${shape.meaning}\n  ${shape.isMap ? 'map' : 'set'} ${shape.name} {\n    ${setType(shape)}\n${list}  }\n`;
}

const TYPE_NAME: Readonly<Record<FieldKind, string>> = {
  address4: 'ipv4_addr',
  address6: 'ipv6_addr',
  id: 'classid',
  protocol: 'inet_proto',
  port: 'inet_service',
};

function setType({ fields, isMap, isInterval, sizeMax, notedForSeconds }: SetShape): string {
  const key = fields.map((field) => TYPE_NAME[field]).join(' . ');
  const lines = [`type ${key}${isMap ? ' : classid' : ''}`];
  if (isInterval) lines.push('flags interval');
  if (sizeMax !== undefined) lines.push(`size ${sizeMax}`, 'flags timeout');
  if (notedForSeconds !== undefined) lines.push(`timeout ${notedForSeconds}s`);
  return lines.join('\n    ');
}

function ledgerSets(family: IpFamily): string {
  const type = `typeof ${ip(family)} saddr . ${ip(family)} daddr . meta l4proto . th dport . meta priority`;
  const set = (name: string, meaning: string): string =>
    `  # ${meaning}\n  set ${name}${family} { ${type}; size ${LEDGER_SIZE}; flags dynamic,timeout; timeout ${LEDGER_MINUTES}m; counter; }\n`;
  return set('flow', 'opened: source, target, protocol, port, profile') + set('deny', 'refused: source, target, protocol, port, reason') + askedSets(family);
}

function askedSets(family: IpFamily): string {
  const set = (kind: LedgerKind, protocol: PortProtocol): string =>
    `  # ${kind === 'flow' ? 'opened' : 'refused'} over ${protocol}: source, target, port, and the address and port that were asked for\n  set ${askedSet(kind, protocol, family)} { ${askedType(family)}; size ${LEDGER_SIZE}; flags dynamic,timeout; timeout ${LEDGER_MINUTES}m; counter; }\n`;
  return LEDGER_KINDS.flatMap((kind) => PORT_PROTOCOLS.map((protocol) => set(kind, protocol))).join('');
}

const UNRECORDED = `  # judgments that found no room in a ledger, by protocol\n  set ${UNRECORDED_SET} { type inet_proto; size 256; flags dynamic,timeout; timeout 1d; counter; }\n`;

const COUNT_UNRECORDED = `update @${UNRECORDED_SET} { meta l4proto }`;

function ip(family: IpFamily): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}

/** As the sets of a ledger begin: what was let through, and what was refused. */
export const LEDGER_KINDS = ['flow', 'deny'] as const;

export type LedgerKind = (typeof LEDGER_KINDS)[number];

// A full ledger makes `update` fail, which ends that rule alone: no verdict ever stands behind one in the same rule, but `return`.
// No chain of its own for what was asked for: the kernel follows 16 jumps in a row at most, and these are among the last.
function ledgerChain(kind: LedgerKind, family: IpFamily): Chain {
  const set = `@${kind}${family}`;
  const ends = `ct original ${ip(family)} saddr . ct reply ${ip(family)} saddr . meta l4proto`;
  return {
    name: `${kind}_${family}`,
    rules: [
      ...PORT_PROTOCOLS.flatMap((protocol) => [
        askedRule(kind, protocol, family),
        `meta l4proto ${protocol} update ${set} { ${ends} . ct reply proto-src . meta priority } return`,
        `meta l4proto ${protocol} ${COUNT_UNRECORDED} return`,
      ]),
      `update ${set} { ${ends} . 0 . meta priority } return`,
      COUNT_UNRECORDED,
    ],
  };
}

/** Of one pair; the drain that follows brings all that was refused until then. */
const RINGS_PER_MINUTE = 6;
const RINGS_AT_ONCE = 5;
const PAIRS_RINGING_MAX = 4_096;
/** Enough to be a packet. */
const BELL_BYTES = 64;

function bellSet(family: IpFamily): string {
  return `  # pairs of which one was refused lately\n  set rung${family} { typeof ${ip(family)} saddr . ${ip(family)} daddr; size ${PAIRS_RINGING_MAX}; flags dynamic,timeout; timeout 2m; }\n`;
}

// First, for the rules behind it return. A full set, or a pair that rings too often, ends the rule and not the chain.
function withBell({ name, rules }: Chain, family: IpFamily, group: number | undefined): Chain {
  if (group === undefined) return { name, rules };
  const pair = `ct original ${ip(family)} saddr . ct reply ${ip(family)} saddr`;
  return { name, rules: [`update @rung${family} { ${pair} limit rate ${RINGS_PER_MINUTE}/minute burst ${RINGS_AT_ONCE} packets } log prefix "denied" group ${group} snaplen ${BELL_BYTES} queue-threshold 1`, ...rules] };
}

function clearedMark(mask: number): string {
  return `ct mark and ${hex(~mask)}`;
}

function hex(bits: number): string {
  return `0x${(bits >>> 0).toString(16)}`;
}

const RECORD_DENY = FAMILIES.map((family) => `meta nfproto ipv${family} jump deny_${family}`);

function endChains({ deny, mask }: SkeletonOptions): Chain[] {
  const clear = `ct mark set ${clearedMark(mask)}`;
  const answer =
    deny === 'reject'
      ? ['meta l4proto tcp reject with tcp reset', 'reject with icmpx type admin-prohibited']
      : ['tcp flags & (syn | rst) == 0x0 reject with tcp reset', 'drop'];
  return [
    { name: 'allow', rules: [...FAMILIES.map((family) => `meta nfproto ipv${family} jump flow_${family}`), 'meta priority set 0:0', 'accept'] },
    { name: 'cut', rules: [clear, ...RECORD_DENY, 'meta priority set 0:0', REMEMBER_CUT, ...answer] },
    {
      name: 'unknown_pod',
      remark: 'no answer: the flow goes on once the pod is known',
      rules: [clear, `meta priority set ${formatId(REFUSAL_CODE['unknown-pod'])}`, ...RECORD_DENY, 'drop'],
    },
  ];
}

/** One direction: whose policy is asked, who its peer is, and where an allowed packet goes on. */
interface Side {
  readonly letter: 'e' | 'i' | 'n' | 'd';
  readonly name: 'egress' | 'ingress';
  readonly local: string;
  readonly peer: string;
  readonly next: string;
}

// Both ends come from the conntrack tuples: the real client and the real back end, in both directions of the flow.
const SOURCE = 'ct original FAMILY saddr';
const TARGET = 'ct reply FAMILY saddr';
const EGRESS: Side = { letter: 'e', name: 'egress', local: SOURCE, peer: TARGET, next: 'ingress' };
const INGRESS: Side = { letter: 'i', name: 'ingress', local: TARGET, peer: SOURCE, next: 'allow' };

function sideChains(side: Side): Chain[] {
  const { letter, name, next } = side;
  const end = (which: 'local' | 'peer', family: IpFamily): string => side[which].replace('FAMILY', ip(family));
  return [
    {
      name: `no_${letter}`,
      rules: [
        'meta priority set 0:0',
        ...FAMILIES.map((family) => `${SOURCE.replace('FAMILY', ip(family))} . ${TARGET.replace('FAMILY', ip(family))} @self${family} goto allow`),
        ...(letter === 'e' ? [...NAMED_GATE, 'goto no_d'] : refuse(name)),
      ],
    },
    { name: `profile_${letter}`, rules: profileRules(side) },
    ...FAMILIES.flatMap((family): Chain[] => [
      {
        name: `${name}_pair_${family}`,
        rules: [`meta priority set ${end('local', family)} . meta priority map @p${letter}${family} goto profile_${letter}`, `goto no_${letter}`],
      },
      {
        name: `${name}_${family}`,
        rules: [
          `meta priority 0:0 goto ${next}`,
          `meta priority set ${end('peer', family)} map @pc${letter}${family} goto ${name}_pair_${family}`,
          `meta priority set ${end('peer', family)} map @bc${letter}${family} goto ${name}_pair_${family}`,
          `goto no_${letter}`,
        ],
      },
    ]),
    {
      name,
      remark: 'a miss, or the wrong family, ends the rule and not the chain',
      rules: [
        ...FAMILIES.map((family) => `meta priority set ${end('local', family)} map @l${letter}${family} goto ${name}_${family}`),
        ...FAMILIES.map((family) => `${end('local', family)} @podrange${family} goto unknown_pod`),
        `goto ${next}`,
      ],
    },
  ];
}

function refuse(name: 'egress' | 'ingress'): string[] {
  return [`meta priority set ${formatId(REFUSAL_CODE[name])}`, 'goto cut'];
}

const namedEnds = (family: IpFamily): string => `${SOURCE} . ${TARGET}`.replaceAll('FAMILY', ip(family));

/** The end of a TTL ends no connection that is there. */
const NAMED_GATE: readonly string[] = ['ct state established goto named', ...FAMILIES.map((family) => `${namedEnds(family)} @fresh${family} goto named`)];

// What a pod may not do with an address as such it may do with one that it was told for a name.
function namedChains(): Chain[] {
  const names: Side = { ...EGRESS, letter: 'd' };
  return [
    { name: 'no_d', rules: refuse('egress') },
    { name: 'profile_d', rules: profileRules(names) },
    { name: 'named', rules: [...FAMILIES.map((family) => `meta priority set ${namedEnds(family)} map @named${family} goto profile_d`), 'goto no_d'] },
  ];
}

function profileRules({ letter, next }: Pick<Side, 'letter' | 'next'>): string[] {
  const byPort = (map: string): string[] =>
    PORT_PROTOCOLS.map((protocol) => `meta l4proto ${protocol} meta priority set meta priority . meta l4proto . ct reply proto-src map @${map} goto ${next}`);
  return [
    `meta priority and 8000:0 == 8000:0 goto ${next}`,
    ...byPort('px'),
    `meta priority set meta priority . meta l4proto map @pp goto ${next}`,
    ...byPort('pr'),
    ...PORT_PROTOCOLS.map((protocol) => `meta l4proto ${protocol} goto no_${letter}`),
    `meta priority and 4000:0 == 4000:0 goto ${next}`,
    `goto no_${letter}`,
  ];
}

// Packets without a conntrack entry: no isolated or unknown pod at either end; all else passes, as does neighbor discovery on a bridge.
function untrackedChains(): Chain[] {
  const record = (family: IpFamily, port: string): string =>
    `update @deny${family} { ${ip(family)} saddr . ${ip(family)} daddr . meta l4proto . ${port} . meta priority }`;
  const look = (family: IpFamily, end: 'saddr' | 'daddr'): string[] => [
    `${ip(family)} ${end} @podrange${family} meta priority set ${formatId(REFUSAL_CODE['unknown-pod'])}`,
    `meta priority set ${ip(family)} ${end} map @l${end === 'saddr' ? 'e' : 'i'}${family}`,
    'meta priority != 0:0 goto no_connection',
  ];
  return [
    {
      name: 'no_connection',
      rules: [
        `meta priority set ${formatId(REFUSAL_CODE['no-connection'])}`,
        ...PORT_PROTOCOLS.flatMap((protocol) => [...FAMILIES.map((family) => `meta l4proto ${protocol} ${record(family, 'th dport')}`), `meta l4proto ${protocol} drop`]),
        ...FAMILIES.map((family) => record(family, '0')),
        'drop',
      ],
    },
    {
      name: 'untracked',
      rules: [
        'icmpv6 type 133-136 accept',
        'meta priority set 0:0',
        ...FAMILIES.flatMap((family) => [...look(family, 'saddr'), ...look(family, 'daddr')]),
        'accept',
      ],
    },
  ];
}

// What a pod sends to the node it runs on: cluster-wide policies alone judge it. What the node opened itself is answered.
function ownNodeChains(): Chain[] {
  const node: Side = { letter: 'n', name: 'egress', local: SOURCE, peer: TARGET, next: 'allow' };
  const ends = (family: IpFamily): string => `${SOURCE} . ${TARGET}`.replaceAll('FAMILY', ip(family));
  return [
    { name: 'no_n', rules: refuse('egress') },
    { name: 'profile_n', rules: profileRules(node) },
    ...FAMILIES.map((family): Chain => ({ name: `own_node_${family}`, rules: [`meta priority set ${ends(family)} map @on${family} goto profile_n`, 'goto no_n'] })),
    {
      name: 'judge_own_node',
      rules: [
        'meta priority set 0:0',
        'ct direction reply accept',
        'jump gate',
        'icmpv6 type 133-136 accept',
        ...RELATED,
        'ct state invalid,untracked goto no_connection',
        'jump stamp',
        ...FAMILIES.map((family) => `meta nfproto ipv${family} goto own_node_${family}`),
      ],
    },
    { name: 'own_node', rules: FAMILIES.map((family) => `meta priority set ${ip(family)} saddr map @ln${family} goto judge_own_node`) },
  ];
}

/** By number: a slim image has no /etc/protocols, in which nft looks for their names. */
const RELATED = ['ct state related meta l4proto 1 accept', 'ct state related meta l4proto 58 accept'];

// The stamp comes before the look-ups: a packet that is judged by old elements must not carry the new generation.
function judgeChains({ generation, mask }: SkeletonOptions): Chain[] {
  const mark = hex(markOf(generation, mask));
  return [
    { name: 'stamp', remark: 'this chain and the next are what a new generation replaces', rules: [`ct mark set ${clearedMark(mask)} or ${mark}`] },
    { name: 'gate', rules: [`ct state established ct mark and ${hex(mask)} == ${mark} accept`] },
    {
      name: 'judge',
      rules: [
        'jump gate',
        ...RELATED,
        'ct state invalid,untracked goto untracked',
        'jump stamp',
        'meta priority set 0:0',
        'goto egress',
      ],
    },
  ];
}
