// Which rules of policies let none of the recorded flows through, and which peers and ports of those that let some; and the same policies without them.
import { compareText } from '../../base/finding.ts';
import { pointOf } from '../../base/port-set.ts';
import { FlowJudge } from '../../flow/flow.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule } from '../../model/network-policy.ts';
import { pairAt } from '../proof/prove-flows.ts';

export type PieceKind = 'peer' | 'port';

const PIECE_KINDS: readonly PieceKind[] = ['peer', 'port'];

/** A rule of a policy of the input, or one peer or port of it. */
export interface UnusedPart {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  /** From 0. */
  readonly rule: number;
  /** undefined: the whole rule. `index` is from 0. */
  readonly piece: { readonly kind: PieceKind; readonly index: number } | undefined;
}

/** Of these policies, by namespace and name; `cluster` may have them with more at the end of their lists. A range of ports is one port. */
export function findUnused(cluster: Cluster, policies: readonly NetworkPolicy[], table: FlowTable): readonly UnusedPart[] {
  const used = { peer: usedPieces(cluster, table, 'peer'), port: usedPieces(cluster, table, 'port') };
  const all = policies.flatMap((policy) => DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).flatMap((own): readonly UnusedPart[] => {
    const part = { policy, direction, rule: own.index };
    const key = partKey(policy, direction, own.index);
    if (!used.peer.has(key)) return [{ ...part, piece: undefined }];
    return PIECE_KINDS.flatMap((kind) => piecesOf(own, kind).flatMap((_, index) => (used[kind].get(key)!.has(index) ? [] : [{ ...part, piece: { kind, index } }])));
  })));
  return all.sort((a, b) => compareText(policyKey(a.policy), policyKey(b.policy)));
}

/** An answer of the DNS that is too long for UDP is asked for again over TCP (RFC 7766, section 5): who needs the one needs the other. */
const OVER_TCP: ReadonlyMap<number, number> = new Map([53, 5353].map((port) => [pointOf('UDP', port), pointOf('TCP', port)]));

/** By rule, of those that let a flow through. */
function usedPieces(cluster: Cluster, table: FlowTable, kind: PieceKind): ReadonlyMap<string, ReadonlySet<number>> {
  const split = cluster.policies.map((policy) => splitPolicy(policy, kind));
  const judge = new FlowJudge({ ...cluster, policies: split.map(({ policy }) => policy) }, table.ends.all);
  const pieces = new Map(split.map((one) => [policyKey(one.policy), one.pieces]));
  const used = new Map<string, Set<number>>();
  for (let row = 0; row < table.size; row++) {
    const pair = pairAt(table, row);
    const again = OVER_TCP.get(pair.point);
    const asked = again === undefined ? [pair] : [pair, { ...pair, point: again }];
    for (const { kind: kindOfPolicy, namespace, name, index, direction } of asked.flatMap((one) => judge.rulesOf(one))) {
      if (kindOfPolicy !== 'NetworkPolicy') continue;
      const policy = { namespace, name };
      const { rule, piece } = pieces.get(policyKey(policy))![direction][index]!;
      const key = partKey(policy, direction, rule);
      used.set(key, (used.get(key) ?? new Set()).add(piece));
    }
  }
  return used;
}

interface SplitPolicy {
  /** With a rule for each piece. */
  readonly policy: NetworkPolicy;
  /** Of each of its rules, where it comes from. */
  readonly pieces: Readonly<Record<Direction, readonly { readonly rule: number; readonly piece: number }[]>>;
}

function splitPolicy(policy: NetworkPolicy, kind: PieceKind): SplitPolicy {
  const parts = (direction: Direction): readonly { readonly rule: number; readonly piece: number; readonly of: PolicyRule }[] => (policy[direction] ?? []).flatMap((rule) => piecesOf(rule, kind).map((of, piece) => ({ rule: rule.index, piece, of })));
  const rulesOf = (direction: Direction): NetworkPolicy[Direction] => (policy[direction] === undefined ? undefined : parts(direction).map(({ of }, index) => ({ ...of, index })));
  return { policy: { ...policy, ingress: rulesOf('ingress'), egress: rulesOf('egress') }, pieces: { ingress: parts('ingress'), egress: parts('egress') } };
}

/** The rule as many, each with one of its peers or ports; one that names none, or every, is its own piece. */
function piecesOf(rule: PolicyRule, kind: PieceKind): readonly PolicyRule[] {
  const { peers, ports } = rule;
  if (kind === 'peer') return peers.kind === 'everybody' || peers.peers.length === 0 ? [rule] : peers.peers.map((peer) => ({ ...rule, peers: { kind: 'listed', peers: [peer] } }));
  return ports.kind === 'every' || ports.ports.length === 0 ? [rule] : ports.ports.map((port) => ({ ...rule, ports: { kind: 'listed', ports: [port] } }));
}

/** The policies without these parts; the rules that are left are numbered anew. */
export function withoutParts(cluster: Cluster, removed: readonly UnusedPart[]): Cluster {
  const gone = Map.groupBy(removed, ({ policy }) => policyKey(policy));
  return { ...cluster, policies: cluster.policies.map((policy) => withoutOwn(policy, gone.get(policyKey(policy)) ?? [])) };
}

function withoutOwn(policy: NetworkPolicy, gone: readonly UnusedPart[]): NetworkPolicy {
  return DIRECTIONS.reduce((all, direction) => {
    const own = Map.groupBy(gone.filter((one) => one.direction === direction), ({ rule }) => rule);
    if (own.size === 0) return all;
    const left = (policy[direction] ?? []).flatMap((rule) => withoutPieces(rule, own.get(rule.index) ?? []) ?? []);
    return { ...all, [direction]: left.map((rule, index) => ({ ...rule, index })) };
  }, policy);
}

function withoutPieces({ peers, ports, ...rule }: PolicyRule, gone: readonly UnusedPart[]): PolicyRule | undefined {
  if (gone.some(({ piece }) => piece === undefined)) return undefined;
  const isLeft = (kind: PieceKind) => (_: unknown, index: number): boolean => !gone.some(({ piece }) => piece?.kind === kind && piece.index === index);
  return {
    ...rule,
    peers: peers.kind === 'everybody' ? peers : { kind: 'listed', peers: peers.peers.filter(isLeft('peer')) },
    ports: ports.kind === 'every' ? ports : { kind: 'listed', ports: ports.ports.filter(isLeft('port')) },
  };
}

function partKey(policy: Pick<NetworkPolicy, 'namespace' | 'name'>, direction: Direction, rule: number): string {
  return `${direction} ${rule} ${policyKey(policy)}`;
}

function policyKey({ namespace, name }: Pick<NetworkPolicy, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
