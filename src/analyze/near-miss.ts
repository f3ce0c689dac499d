// For a refusal by default: the rule that almost matched, the parts of it that fail, and the smallest edit that would let the connection through.
import { formatIpAddress, formatIpRange, LAST_ADDRESS, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import { hasPoint, OTHER_POINT, PROTOCOLS, PROTOCOL_BASE, type PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { findNamespace } from '../model/find-namespace.ts';
import type { Direction, NetworkPolicy, Peer, PodPeer, PolicyRule, PortMatch } from '../model/network-policy.ts';
import type { Origin } from '../model/origin.ts';
import { formatSelector, meetsRequirement, type LabelSet, type Requirement, type Selector } from '../model/selector.ts';
import type { EndpointRef } from './endpoint.ts';

/** Why one part of a rule does not match; `edit` says what to change there. */
export interface Mismatch {
  readonly part: 'namespace' | 'label' | 'cidr' | 'peer-kind' | 'port' | 'protocol' | 'no-rule';
  /** What is wrong, with both values: lower case, no final stop. */
  readonly message: string;
  /** One step that would make this part match. */
  readonly edit: string;
  readonly origin: Origin;
}

export interface RuleMiss {
  readonly policy: NetworkPolicy;
  /** undefined: the policy has no rule in this direction. */
  readonly rule: PolicyRule | undefined;
  /** Never empty; the fewer, the nearer. */
  readonly mismatches: readonly Mismatch[];
}

export interface MissQuestion {
  readonly direction: Direction;
  /** The end whose policies refuse. */
  readonly subject: EndpointRef;
  /** The other end. */
  readonly peer: EndpointRef;
  readonly family: IpFamily;
  /** Points asked about; undefined: any would do. */
  readonly ports: PortSet | undefined;
}

/** The rule of the isolating policies with the fewest parts that fail; the first in order among equals. */
export function findNearMiss(program: Program, policies: readonly NetworkPolicy[], question: MissQuestion): RuleMiss | undefined {
  const end = describePeer(program.cluster, question);
  let best: RuleMiss | undefined;
  for (const policy of policies) {
    for (const miss of missesOfPolicy(program.cluster, policy, { question, end })) {
      if (best === undefined || weight(miss) < weight(best)) best = miss;
      // Nothing is nearer than a rule of which one part fails.
      if (weight(best) === 1) return best;
    }
  }
  return best;
}

function weight({ mismatches }: RuleMiss): number {
  return mismatches.reduce((sum, { part }) => sum + (part === 'no-rule' ? 4 : part === 'peer-kind' ? 3 : 1), 0);
}

/** The other end as rules see it. */
interface PeerEnd {
  readonly pod: Pod | undefined;
  readonly address: IpAddress | undefined;
  readonly namespace: LabelSet | undefined;
  /** Where no address is known: all that it may be, in the family asked about. */
  readonly somewhereIn: readonly IpRange[];
}

interface MissContext {
  readonly question: MissQuestion;
  readonly end: PeerEnd;
}

function describePeer(cluster: Cluster, { peer, family }: MissQuestion): PeerEnd {
  const unknown = { pod: undefined, address: undefined, namespace: undefined, somewhereIn: [] };
  if (peer.kind === 'address') return { ...unknown, address: peer.address };
  if (peer.kind === 'domain-name') return { ...unknown, somewhereIn: [{ family, first: 0n, last: LAST_ADDRESS[family] }] };
  const pod = cluster.pods[peer.pod]!;
  return {
    pod,
    address: pod.addresses.find((address) => address.family === family),
    namespace: findNamespace(cluster, pod.namespace),
    somewhereIn: pod.hostNetwork || pod.addresses.length > 0 ? [] : cluster.podRanges.filter((range) => range.family === family),
  };
}

function* missesOfPolicy(cluster: Cluster, policy: NetworkPolicy, context: MissContext): Generator<RuleMiss> {
  const { direction } = context.question;
  const rules = policy[direction] ?? [];
  for (const rule of rules) yield { policy, rule, mismatches: missesOfRule(cluster, policy, { rule, ...context }) };
  if (rules.length > 0) return;
  const message = `\`${policy.name}\` has no ${direction} rule, so it allows nothing`;
  const edit = `add an ${direction} rule that names the other end and the port`;
  yield { policy, rule: undefined, mismatches: [{ part: 'no-rule', message, edit, origin: policy.origin }] };
}

function missesOfRule(cluster: Cluster, policy: NetworkPolicy, context: MissContext & { readonly rule: PolicyRule }): Mismatch[] {
  const { rule, end, question } = context;
  const peers = rule.peers.kind === 'everybody' ? [undefined] : rule.peers.peers;
  const byPeer = peers.map((peer) => [
    ...(peer === undefined ? [] : missesOfPeer(policy, peer, end)),
    ...missesOfPorts(rule, question.ports, namedPortsFor(cluster, peer, question)),
  ]);
  const nobody: Mismatch[] = [{ part: 'peer-kind', message: 'the rule has no peer left that can be understood', edit: 'add a peer that names the other end', origin: rule.origin }];
  return byPeer.reduce((best, misses) => (misses.length < best.length ? misses : best), byPeer[0] ?? nobody);
}

/** Ports that a name may stand for: an egress rule finds them on pods that a selector can match, never through a block. */
function namedPortsFor(cluster: Cluster, peer: Peer | undefined, { direction, subject, peer: other }: MissQuestion): Pod['ports'] {
  const target = direction === 'egress' ? other : subject;
  if (target.kind !== 'pod' || (direction === 'egress' && peer?.kind === 'ip-block')) return [];
  const pod = cluster.pods[target.pod]!;
  return pod.hostNetwork ? [] : pod.ports;
}

function missesOfPeer(policy: NetworkPolicy, peer: Peer, end: PeerEnd): Mismatch[] {
  if (peer.kind === 'ip-block') return missesOfBlock(peer, end);
  if (end.pod === undefined) {
    const address = end.address === undefined ? 'an address' : formatIpAddress(end.address);
    const message = `${address} is outside the cluster, and the peer selects pods`;
    return [{ part: 'peer-kind', message, edit: `add a peer \`ipBlock\` that holds ${address}`, origin: peer.origin }];
  }
  if (end.pod.hostNetwork) {
    const message = `\`${end.pod.name}\` uses its node's network, and no selector matches such a pod`;
    return [{ part: 'peer-kind', message, edit: 'add a peer `ipBlock` that holds the address of its node', origin: peer.origin }];
  }
  return [...missesOfNamespace(policy, peer, end), ...missesOfLabels(peer.podSelector, end.pod, { ...podName(end.pod), origin: peer.origin })];
}

const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

/** Labels of a controller's pods are written in its template. */
function podName({ name, workload }: Pod): Omit<Named, 'origin'> {
  return workload.kind === 'Pod' ? { name: `pod \`${name}\``, isPlural: false } : { name: `the pods of ${workload.kind} \`${workload.name}\``, isPlural: true };
}

function missesOfNamespace(policy: NetworkPolicy, peer: PodPeer, { pod, namespace }: PeerEnd): Mismatch[] {
  if (pod === undefined || namespace === undefined) return [];
  if (peer.namespaces.kind === 'selected') {
    const misses = missesOfLabels(peer.namespaces.selector, namespace, { name: `namespace \`${pod.namespace}\``, isPlural: false, origin: peer.origin });
    return misses.map((miss) => ({ ...miss, part: 'namespace' as const }));
  }
  if (pod.namespace === policy.namespace) return [];
  const message = `the peer selects pods of \`${policy.namespace}\` only, and \`${pod.name}\` is in \`${pod.namespace}\``;
  const edit = `add \`namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${pod.namespace} } }\` to the peer`;
  return [{ part: 'namespace', message, edit, origin: peer.origin }];
}

interface Named {
  readonly name: string;
  readonly isPlural: boolean;
  readonly origin: Origin;
}

function missesOfLabels(selector: Selector, object: LabelSet, named: Named): Mismatch[] {
  const failing = selector.requirements.filter((requirement) => !meetsRequirement(requirement, object));
  // A label that is added with a value is there.
  const isAdded = (key: string): boolean => failing.some((one) => one.kind === 'In' && one.key === key && fittingValue(selector, one, object) !== undefined);
  return failing
    .filter(({ kind, key }) => kind !== 'Exists' || !isAdded(key))
    .map((requirement) => ({ part: 'label', message: labelMessage(requirement, object, named), edit: labelEdit(requirement, { selector, object, name: named.name }), origin: named.origin }));
}

/** The first value that a label could be added with, as far as the whole selector goes. */
function fittingValue({ requirements }: Selector, { key, values }: Extract<Requirement, { kind: 'In' }>, object: LabelSet): string | undefined {
  if (object.labels.has(key)) return undefined;
  return values.find((value) => requirements.every((one) => one.key !== key || meetsRequirement(one, { labels: new Map([[key, value]]), unknownKeys: new Set() })));
}

function labelMessage(requirement: Requirement, object: LabelSet, { name, isPlural }: Named): string {
  const wanted = formatSelector({ requirements: [requirement] });
  const value = object.labels.get(requirement.key);
  return `the rule wants \`${wanted}\`, and ${name} ${isPlural ? 'have' : 'has'} ${value === undefined ? `no label \`${requirement.key}\`` : `\`${requirement.key}=${value}\``}`;
}

interface LabelContext {
  readonly selector: Selector;
  readonly object: LabelSet;
  readonly name: string;
}

function labelEdit(requirement: Requirement, { selector, object, name }: LabelContext): string {
  const { key } = requirement;
  const value = object.labels.get(key);
  const drop = `drop the requirement of \`${key}\` from the selector`;
  switch (requirement.kind) {
    case 'In': {
      // The API server holds this label at the name of the namespace; nobody can write another.
      if (key === NAMESPACE_NAME_LABEL) return `write \`${key}: ${value}\` in the selector`;
      if (value !== undefined) return `write \`${key}: ${value}\` in the selector, or label ${name} \`${key}=${requirement.values[0]}\``;
      const fitting = fittingValue(selector, requirement, object);
      return fitting === undefined ? drop : `label ${name} \`${key}=${fitting}\``;
    }
    case 'Exists':
      return selector.requirements.some((one) => one.kind === 'DoesNotExist' && one.key === key) ? drop : `label ${name} with \`${key}\``;
    case 'NotIn':
    case 'DoesNotExist':
      return `take \`${key}\` off ${name}, or drop the requirement`;
  }
}

function missesOfBlock(peer: Extract<Peer, { kind: 'ip-block' }>, { pod, address, somewhereIn }: PeerEnd): Mismatch[] {
  const { origin, cidr } = peer;
  if (address === undefined) {
    if (isWhollyIn(peer, somewhereIn)) return [];
    const message = `\`${pod?.name ?? 'the other end'}\` has no known address, and the peer is the block ${peer.text}`;
    return [{ part: 'peer-kind', message, edit: peerEdit(pod, undefined), origin }];
  }
  const text = formatIpAddress(address);
  const holds = (range: IpRange): boolean => range.family === address.family && range.first <= address.value && address.value <= range.last;
  if (!holds(cidr)) return [{ part: 'cidr', message: `${text} is outside the block ${peer.text}`, edit: peerEdit(pod, text), origin }];
  const hole = peer.except.find(holds);
  if (hole === undefined) return [];
  return [{ part: 'cidr', message: `${text} is in the \`except\` ${formatIpRange(hole)}`, edit: 'narrow the `except`, or add another peer', origin }];
}

/** A block matches an address that nobody knows only where it holds all that it may be. */
function isWhollyIn({ cidr, except }: Extract<Peer, { kind: 'ip-block' }>, ranges: readonly IpRange[]): boolean {
  const isIn = ({ family, first, last }: IpRange): boolean =>
    family === cidr.family && cidr.first <= first && last <= cidr.last && except.every((hole) => hole.family !== family || hole.last < first || last < hole.first);
  return ranges.length > 0 && ranges.every(isIn);
}

/** No selector matches a pod on the network of its node. */
function peerEdit(pod: Pod | undefined, address: string | undefined): string {
  if (pod !== undefined && !pod.hostNetwork) return 'add a peer that selects the pod by its labels';
  return `add a peer \`ipBlock\` that holds ${address ?? (pod === undefined ? 'its addresses' : 'the address of its node')}`;
}

function missesOfPorts(rule: PolicyRule, asked: PortSet | undefined, opened: Pod['ports']): Mismatch[] {
  if (rule.ports.kind === 'every') return [];
  const covered = rule.ports.ports.flatMap((port) => pointsOf(port, opened));
  const listed = rule.ports.ports.map(portText).join(', ');
  if (asked === undefined) return covered.length > 0 ? [] : [unknownNames(rule, listed)];
  const point = asked.find((candidate) => !covered.some((ports) => hasPoint(ports, candidate)));
  if (point === undefined) return [];
  const { protocol, text } = namePoint(point);
  const isProtocol = protocol !== undefined && !rule.ports.ports.some((port) => port.protocol === protocol);
  const message = `the rule lists ${listed || 'no port'}, and ${text} was asked`;
  const edit = protocol === undefined ? 'remove `ports` from the rule: only a rule without ports covers other protocols' : `add ${text} to the ports of the rule`;
  return [{ part: isProtocol ? 'protocol' : 'port', message, edit, origin: rule.origin }];
}

function unknownNames(rule: PolicyRule, listed: string): Mismatch {
  const message = `the rule lists ${listed}, and the pod that is connected to opens no port of that name`;
  return { part: 'port', message, edit: 'write the number of the port, or name the container port', origin: rule.origin };
}

function pointsOf(port: PortMatch, opened: Pod['ports']): PortSet[] {
  const base = PROTOCOL_BASE[port.protocol];
  switch (port.kind) {
    case 'protocol':
      return [[base + 1, base + 65535]];
    case 'range':
      return [[base + port.first, base + port.last]];
    case 'named':
      return opened.filter(({ name, protocol }) => name === port.name && protocol === port.protocol).map((own) => [base + own.port, base + own.port]);
  }
}

function portText(port: PortMatch): string {
  switch (port.kind) {
    case 'protocol':
      return `every ${port.protocol} port`;
    case 'range':
      return `${port.protocol} ${port.first}${port.last === port.first ? '' : `-${port.last}`}`;
    case 'named':
      return `${port.protocol} \`${port.name}\``;
  }
}

function namePoint(point: number): { readonly protocol: (typeof PROTOCOLS)[number] | undefined; readonly text: string } {
  if (point === OTHER_POINT) return { protocol: undefined, text: 'a protocol beyond TCP, UDP and SCTP' };
  const protocol = PROTOCOLS.find((candidate) => point > PROTOCOL_BASE[candidate] && point < PROTOCOL_BASE[candidate] + 65536)!;
  return { protocol, text: `${protocol} ${point - PROTOCOL_BASE[protocol]}` };
}
