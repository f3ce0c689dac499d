// What is added to a NetworkPolicy: peers or ports to a rule that it has, or a rule of its own; and the same policy with it, or without one piece of it.
import { DIRECTIONS, type Direction, type NetworkPolicy, type Peer, type PolicyRule, type PortMatch, type RulePorts } from '../../model/network-policy.ts';
import { UNWRITTEN } from '../../model/policy-draft.ts';
import type { Connection } from '../ends/connection.ts';

export type Addition = AddedPeers | AddedPorts | AddedRule;

interface Added {
  readonly direction: Direction;
  /** Which it was made for; each let through by this addition alone. */
  readonly connections: readonly Connection[];
}

export interface AddedPeers extends Added {
  readonly kind: 'peers';
  /** Position in its section, from 0. */
  readonly rule: number;
  readonly peers: readonly Peer[];
}

export interface AddedPorts extends Added {
  readonly kind: 'ports';
  readonly rule: number;
  readonly ports: readonly PortMatch[];
}

/** Behind the rules that the section has. */
export interface AddedRule extends Added {
  readonly kind: 'rule';
  readonly peers: readonly Peer[];
  readonly ports: RulePorts;
}

/** Rules are added in the order of the additions. */
export function withAdditions(policy: NetworkPolicy, additions: readonly Addition[]): NetworkPolicy {
  return DIRECTIONS.reduce((all, direction) => {
    const own = additions.filter((addition) => addition.direction === direction);
    return own.length === 0 ? all : { ...all, [direction]: own.reduce(withAddition, policy[direction] ?? []) };
  }, policy);
}

function withAddition(rules: readonly PolicyRule[], addition: Addition): readonly PolicyRule[] {
  if (addition.kind === 'rule') return [...rules, { index: rules.length, peers: { kind: 'listed', peers: addition.peers }, ports: addition.ports, origin: UNWRITTEN }];
  return rules.map((rule) => (rule.index === addition.rule ? widened(rule, addition) : rule));
}

function widened(rule: PolicyRule, addition: AddedPeers | AddedPorts): PolicyRule {
  if (addition.kind === 'peers') return rule.peers.kind === 'everybody' ? rule : { ...rule, peers: { kind: 'listed', peers: [...rule.peers.peers, ...addition.peers] } };
  return rule.ports.kind === 'every' ? rule : { ...rule, ports: { kind: 'listed', ports: [...rule.ports.ports, ...addition.ports] } };
}

/** The smallest pieces that can be taken away by themselves: what is left without each; undefined: nothing. */
export function withoutEachPiece(addition: Addition): readonly (Addition | undefined)[] {
  switch (addition.kind) {
    case 'peers':
      return withoutEach(addition.peers).map((peers) => (peers.length === 0 ? undefined : { ...addition, peers }));
    case 'ports':
      return withoutEach(addition.ports).map((ports) => (ports.length === 0 ? undefined : { ...addition, ports }));
    case 'rule': {
      const ports = addition.ports.kind === 'every' ? [] : addition.ports.ports;
      if (addition.peers.length <= 1 && ports.length <= 1) return [undefined];
      return [
        ...(addition.peers.length > 1 ? withoutEach(addition.peers).map((peers) => ({ ...addition, peers })) : []),
        ...(ports.length > 1 ? withoutEach(ports).map((left) => ({ ...addition, ports: { kind: 'listed' as const, ports: left } })) : []),
      ];
    }
  }
}

function withoutEach<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return items.map((_, index) => items.toSpliced(index, 1));
}
