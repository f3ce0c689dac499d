// A policy in one direction with its port names resolved for the pods it governs.
import { intersectPorts, type PortSet } from '../base/port-set.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Group } from './group-pods.ts';
import type { PeerClass } from './class-table.ts';
import type { PeerClasses } from './peer-classes.ts';
import { rulePorts, type CompiledPolicy, type CompiledRule } from './policy-set.ts';
import { NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import type { RowDraft } from './row-draft.ts';
import type { TrieStep } from './subject-trie.ts';

export interface PolicyVariant<Policy> extends TrieStep {
  readonly policy: Policy;
  readonly rules: readonly VariantRule[];
}

export interface VariantRule {
  /** Place in the policy's section. */
  readonly index: number;
  /** undefined: everybody. */
  readonly peerSets: readonly number[] | undefined;
  /** Ports that hold for every peer. */
  readonly ports: number;
  /** Egress only: names that lead to other ports on each destination. */
  readonly portNames: readonly string[];
}

export interface VariantInput {
  readonly direction: Direction;
  readonly portSets: PortSetTable;
}

type AnyCompiledPolicy = Pick<CompiledPolicy<unknown, CompiledRule<unknown>>, Direction>;

/** Ingress port names are resolved on the governed pod, so pods that open different ports under a name get different variants. */
export class VariantTable<Policy extends AnyCompiledPolicy> {
  private readonly input: VariantInput;
  /** Of policies whose ports are the same for all pods, which are most; and of the others by what their names lead to. */
  private readonly plain = new Map<Policy, PolicyVariant<Policy>>();
  private readonly named = new Map<Policy, Map<string, PolicyVariant<Policy>>>();
  private count = 0;

  constructor(input: VariantInput) {
    this.input = input;
  }

  variantFor(policy: Policy, group: Pick<Group, 'namedPorts'>): PolicyVariant<Policy> {
    if (!this.resolvesNames(policy)) {
      let variant = this.plain.get(policy);
      if (variant === undefined) this.plain.set(policy, (variant = this.resolve(policy, group)));
      return variant;
    }
    let ofPolicy = this.named.get(policy);
    if (ofPolicy === undefined) this.named.set(policy, (ofPolicy = new Map()));
    const key = resolutionKey(policy, group);
    let variant = ofPolicy.get(key);
    if (variant === undefined) ofPolicy.set(key, (variant = this.resolve(policy, group)));
    return variant;
  }

  /** For a policy that is gone. */
  forget(policy: Policy): void {
    this.plain.delete(policy);
    this.named.delete(policy);
  }

  private resolvesNames(policy: Policy): boolean {
    return this.input.direction === 'ingress' && (policy.ingress ?? []).some((rule) => rule.portNames.length > 0);
  }

  private resolve(policy: Policy, group: Pick<Group, 'namedPorts'>): PolicyVariant<Policy> {
    const { direction, portSets } = this.input;
    const rules = (policy[direction] ?? []).map((rule, index) => ({
      index,
      peerSets: rule.peerSets,
      ports: direction === 'ingress' ? rulePorts(rule, group.namedPorts, portSets) : rule.ports,
      portNames: direction === 'ingress' ? NO_NAMES : rule.portNames,
    }));
    return { id: this.count++, policy, rules };
  }
}

const NO_NAMES: readonly string[] = [];

function resolutionKey(policy: AnyCompiledPolicy, group: Pick<Group, 'namedPorts'>): string {
  let key = '';
  for (const rule of policy.ingress ?? []) for (const name of rule.portNames) key += `${group.namedPorts.get(name) ?? ''} `;
  return key;
}

export interface RuleReader {
  readonly peers: PeerClasses;
  readonly portSets: PortSetTable;
}

/**
 * Calls `give` for each class from `first` on that the rule reaches through each of its peers, with the ports there; a
 * class that stands under two peers is given twice. A port name never reaches anybody through a block of addresses.
 */
export function eachClassOfRule(reader: RuleReader, rule: VariantRule, first: number, give: (peerClass: number, ports: number) => void): void {
  const { peers } = reader;
  const isNamed = rule.portNames.length > 0;
  if (rule.peerSets === undefined) {
    for (let peerClass = first; peerClass < peers.classes.length; peerClass++) give(peerClass, isNamed ? portsOn(reader, rule, peerClass) : rule.ports);
    return;
  }
  for (const peerSet of rule.peerSets) {
    const usesNames = isNamed && peers.isOfPods(peerSet);
    const classes = peers.classesOf(peerSet);
    for (let i = first === 0 ? 0 : peers.placeFrom(peerSet, first); i < classes.length; i++) {
      const ports = usesNames ? portsOn(reader, rule, classes[i]!) : rule.ports;
      if (ports !== NO_PORTS_ID) give(classes[i]!, ports);
    }
  }
}

/** Adds what a rule allows to the classes from `first` on. */
export function allowByRule(reader: RuleReader, rule: VariantRule, { draft, first }: { readonly draft: RowDraft; readonly first: number }): void {
  if (rule.peerSets === undefined || rule.portNames.length > 0) {
    eachClassOfRule(reader, rule, first, (peerClass, ports) => draft.allow(peerClass, ports));
    return;
  }
  for (const peerSet of rule.peerSets) {
    const bits = first === 0 ? reader.peers.bitsOf(peerSet) : undefined;
    if (bits === undefined) draft.allowAll(reader.peers.classesOf(peerSet), rule.ports, first);
    else draft.allowBits(bits, rule.ports);
  }
}

function portsOn({ peers, portSets }: RuleReader, rule: VariantRule, peerClass: number): number {
  return rulePorts(rule, peers.classes[peerClass]!.namedPorts, portSets);
}

/** What the rule says of one class, of the ports asked about. */
export function portsTowards({ peers, portSets }: RuleReader, rule: VariantRule, ends: { readonly peerClass: number; readonly ports: PortSet }): PortSet {
  const { namedPorts, peerSets }: PeerClass = peers.classes[ends.peerClass]!;
  let ports = NO_PORTS_ID;
  const reached = rule.peerSets?.filter((peerSet) => peerSets.includes(peerSet));
  if (reached === undefined || reached.some((peerSet) => peers.isOfPods(peerSet))) ports = rulePorts(rule, namedPorts, portSets);
  else if (reached.length > 0) ports = rule.ports;
  return intersectPorts(portSets.portSet(ports), ends.ports);
}
