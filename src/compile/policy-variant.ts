// A policy in one direction with its port names resolved for the pods it governs.
import { intersectPorts, type PortSet } from '../base/port-set.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Group } from './group-pods.ts';
import type { PeerClass, PeerClasses } from './peer-classes.ts';
import { rulePorts, type CompiledPolicy, type CompiledRule } from './policy-set.ts';
import { NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';

export interface PolicyVariant<Policy> {
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
  private readonly variants = new Map<string, PolicyVariant<Policy>>();
  private readonly names: readonly string[];
  private readonly policy: Policy;
  private readonly input: VariantInput;

  constructor(policy: Policy, input: VariantInput) {
    this.policy = policy;
    this.input = input;
    const rules = policy[input.direction] ?? [];
    this.names = input.direction === 'ingress' ? [...new Set(rules.flatMap((rule) => rule.portNames))] : [];
  }

  variantFor(group: Group): PolicyVariant<Policy> {
    const key = this.names.map((name) => group.namedPorts.get(name) ?? '').join(' ');
    let variant = this.variants.get(key);
    if (variant === undefined) this.variants.set(key, (variant = this.resolve(group)));
    return variant;
  }

  private resolve(group: Group): PolicyVariant<Policy> {
    const { direction, portSets } = this.input;
    const rules = (this.policy[direction] ?? []).map((rule, index) => ({
      index,
      peerSets: rule.peerSets,
      ports: direction === 'ingress' ? rulePorts(rule, group.namedPorts, portSets) : rule.ports,
      portNames: direction === 'ingress' ? [] : rule.portNames,
    }));
    return { policy: this.policy, rules };
  }
}

export interface RuleReader {
  readonly peers: PeerClasses;
  readonly portSets: PortSetTable;
}

/**
 * Calls `give` for each class that the rule reaches through each of its peers, with the ports there; a class that
 * stands under two peers is given twice. A port name never reaches anybody through a block of addresses.
 */
export function eachClassOfRule({ peers, portSets }: RuleReader, rule: VariantRule, give: (peerClass: number, ports: number) => void): void {
  const resolve = (peerClass: number): number => rulePorts(rule, peers.classes[peerClass]!.namedPorts, portSets);
  const isNamed = rule.portNames.length > 0;
  if (rule.peerSets === undefined) {
    for (let peerClass = 0; peerClass < peers.classes.length; peerClass++) give(peerClass, isNamed ? resolve(peerClass) : rule.ports);
    return;
  }
  for (const peerSet of rule.peerSets) {
    const usesNames = isNamed && peers.isOfPods(peerSet);
    for (const peerClass of peers.classesOf(peerSet)) {
      const ports = usesNames ? resolve(peerClass) : rule.ports;
      if (ports !== NO_PORTS_ID) give(peerClass, ports);
    }
  }
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
