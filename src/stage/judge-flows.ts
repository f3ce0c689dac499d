// Judges connections of the kernel's ledger once more, with some policies more or other than those in force.
import type { IpAddress } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../model/network-policy.ts';
import type { ClusterChange } from '../compile/cluster-change.ts';
import { LiveProgram } from '../compile/live-program.ts';
import type { Program } from '../compile/program.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import { endsOfSide, isSideAllowed, type AskedFlow } from '../flow/decide-side.ts';
import { flowPoint } from '../flow/flow-protocol.ts';
import type { LedgerEntry } from '../kernel/firewall.ts';

/** Of both kinds, as they would be in force. */
export type JudgedPolicy = NetworkPolicy | ClusterPolicy;

/** What this node's kernel judged, and what the engine says of it with the policies in their places. */
export interface FlowJudgment {
  readonly entry: LedgerEntry;
  readonly source: EndpointRef;
  readonly target: EndpointRef;
  /** Of each side that this node judges and that one of the policies, or of those whose places they take, governs. */
  readonly sides: readonly SideJudgment[];
  /** What all sides that this node judges say together, with the policies in force and with the others in their places. */
  readonly before: boolean;
  readonly after: boolean;
}

export interface SideJudgment {
  readonly direction: Direction;
  readonly isAllowed: boolean;
  /** The policies' own rules that decide; none where it is the lack of a rule that refuses. */
  readonly rules: readonly DecidingRule[];
}

export interface DecidingRule {
  readonly policy: JudgedPolicy;
  /** Position in its section, from 0. */
  readonly index: number;
}

interface ResolvedFlow extends AskedFlow {
  readonly entry: LedgerEntry;
  readonly directions: readonly Direction[];
  readonly before: ReadonlyMap<Direction, boolean>;
}

/** Good for one drain of the ledger. Only pods that the entries name are compiled, so its cost follows them and the policies. */
export class FlowJudge {
  readonly #live: LiveProgram;
  readonly #inForce: ReadonlyMap<string, JudgedPolicy>;
  readonly #flows: readonly ResolvedFlow[];
  /** Packets of entries of which an end is nobody's address any more. */
  readonly unknown: number;

  constructor(cluster: Cluster, node: string, entries: readonly LedgerEntry[]) {
    const named = new Set(entries.flatMap(({ source, target }) => [keyOf(source), keyOf(target)]));
    const pods = cluster.pods.filter(({ addresses }) => addresses.some((address) => named.has(keyOf(address))));
    this.#live = new LiveProgram({ ...cluster, pods });
    this.#inForce = new Map([...cluster.policies, ...cluster.clusterPolicies].map((policy) => [nameOf(policy), policy]));
    const { program } = this.#live;
    const podAt = new Map(program.cluster.pods.flatMap(({ addresses }, pod) => addresses.map((address): [string, number] => [keyOf(address), pod])));
    const resolved = entries.map((entry) => resolve(program, node, podAt, entry));
    this.#flows = resolved.filter((flow) => flow !== undefined);
    this.unknown = entries.filter((_, index) => resolved[index] === undefined).reduce((sum, { packets }) => sum + packets, 0);
  }

  /** Of the entries of which one of them, or of those that they replace, governs a side. Each stands in for the one of its kind and name; everything is as before afterwards. */
  judge(policies: readonly JudgedPolicy[]): readonly FlowJudgment[] {
    const inForce = policies.flatMap((policy) => this.#inForce.get(nameOf(policy)) ?? []);
    const replaced = this.#flows.map((flow) => flow.directions.filter((direction) => areGoverned(this.#live.program, inForce, flow, direction)));
    for (const policy of policies) this.#live.apply(putChange(policy));
    const { program } = this.#live;
    const judged = this.#flows.flatMap((flow, index) => {
      const sides = flow.directions
        .filter((direction) => replaced[index]!.includes(direction) || areGoverned(program, policies, flow, direction))
        .map((direction) => sideOf(program, policies, flow, direction));
      if (sides.length === 0) return [];
      const after = flow.directions.every((direction) => isSideAllowed(program, flow, direction));
      return [{ entry: flow.entry, source: flow.source, target: flow.target, sides, before: [...flow.before.values()].every(Boolean), after }];
    });
    for (const policy of policies) this.#live.apply(removeChange(policy));
    for (const policy of inForce) this.#live.apply(putChange(policy));
    return judged;
  }

  podAt(index: number): Pod {
    return this.#live.program.cluster.pods[index]!;
  }
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

function nameOf(policy: JudgedPolicy): string {
  return `${policy.kind} ${policy.kind === 'NetworkPolicy' ? policy.namespace : ''} ${policy.name}`;
}

function putChange(policy: JudgedPolicy): ClusterChange {
  return policy.kind === 'NetworkPolicy' ? { kind: 'put-policy', policy } : { kind: 'put-cluster-policy', policy };
}

function removeChange(policy: JudgedPolicy): ClusterChange {
  return policy.kind === 'NetworkPolicy' ? { kind: 'remove-policy', namespace: policy.namespace, name: policy.name } : { kind: 'remove-cluster-policy', policy };
}

/** undefined: one of its ends is gone, or no pod of this node is at either. */
function resolve(program: Program, node: string, podAt: ReadonlyMap<string, number>, entry: LedgerEntry): ResolvedFlow | undefined {
  const [source, target] = [endOf(program, podAt, entry.source), endOf(program, podAt, entry.target)];
  if (source === undefined || target === undefined) return undefined;
  const isLocal = (end: EndpointRef): boolean => end.kind === 'pod' && !program.cluster.pods[end.pod]!.hostNetwork && program.cluster.pods[end.pod]!.nodeName === node;
  const directions = DIRECTIONS.filter((direction) => isLocal(direction === 'egress' ? source : target));
  if (directions.length === 0) return undefined;
  const flow = { entry, source, target, family: entry.source.family, point: flowPoint(entry.protocol, entry.port), directions };
  return { ...flow, before: new Map(directions.map((direction) => [direction, isSideAllowed(program, flow, direction)])) };
}

/** undefined: an address from which pods get theirs, and no pod has it now. */
function endOf(program: Program, podAt: ReadonlyMap<string, number>, address: IpAddress): EndpointRef | undefined {
  const pod = podAt.get(keyOf(address));
  if (pod !== undefined) return { kind: 'pod', pod };
  const isPodRange = program.cluster.podRanges.some(({ family, first, last }) => family === address.family && first <= address.value && address.value <= last);
  return isPodRange ? undefined : { kind: 'address', address };
}

/** By one of them at least. */
function areGoverned(program: Program, policies: readonly JudgedPolicy[], flow: AskedFlow, direction: Direction): boolean {
  if (policies.length === 0) return false;
  const { subject } = endsOfSide(program, flow, direction);
  const governing: readonly JudgedPolicy[] = [...program[direction].policiesOf(subject), ...program[direction].clusterPoliciesOf(subject)];
  return policies.some((policy) => governing.includes(policy));
}

function sideOf(program: Program, policies: readonly JudgedPolicy[], flow: AskedFlow, direction: Direction): SideJudgment {
  const { subject, peerClass } = endsOfSide(program, flow, direction);
  const ports: PortSet = [flow.point, flow.point];
  const tiers = new Set(policies.flatMap((policy) => (policy.kind === 'NetworkPolicy' ? [] : policy.tier)));
  const found = [
    ...program[direction].allowingRules(subject, peerClass, ports),
    ...[...tiers].flatMap((tier) => program[direction].tierDecisions(tier, subject, { peerClass, ports })),
  ];
  const rules = policies.flatMap((policy) => [...new Set(found.filter((one) => one.policy === policy).map(({ rule }) => rule.index))].map((index) => ({ policy, index })));
  return { direction, isAllowed: isSideAllowed(program, flow, direction), rules };
}
