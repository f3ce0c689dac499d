// For a refusal by default: the rule that almost matched, the parts of it that fail, and the smallest edit that would let the connection through.
import { formatIpAddress, formatIpRange, LAST_ADDRESS, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import { hasPoint, OTHER_POINT, PROTOCOLS, PROTOCOL_BASE, type PortSet, type Protocol } from '../base/port-set.ts';
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
  const best = nearestRule(program, policies, question);
  return best && { policy: best.policy, rule: best.rule, mismatches: best.misses.map(({ part, origin, say }) => ({ part, ...say(), origin })) };
}

/** A mismatch whose words are made only for the rule that is shown. */
interface Miss extends Pick<Mismatch, 'part' | 'origin'> {
  readonly say: () => Pick<Mismatch, 'message' | 'edit'>;
}

interface MissedRule extends Pick<RuleMiss, 'policy' | 'rule'> {
  readonly misses: readonly Miss[];
}

function nearestRule(program: Program, policies: readonly NetworkPolicy[], question: MissQuestion): MissedRule | undefined {
  const end = describePeer(program.cluster, question);
  let best: MissedRule | undefined;
  let bestWeight = Number.POSITIVE_INFINITY;
  for (const policy of policies) {
    const rules = policy[question.direction] ?? [];
    // Without any rule the policy itself is what is nearest.
    for (const rule of rules.length === 0 ? [undefined] : rules) {
      const misses = rule === undefined ? [noRule(policy, question.direction)] : missesOfRule(program.cluster, policy, { rule, question, end });
      const weight = weightOf(misses);
      if (weight >= bestWeight) continue;
      best = { policy, rule, misses };
      bestWeight = weight;
      // Nothing is nearer than a rule of which one part fails.
      if (weight === 1) return best;
    }
  }
  return best;
}

function weightOf(misses: readonly Miss[]): number {
  return misses.reduce((sum, { part }) => sum + (part === 'no-rule' ? 4 : part === 'peer-kind' ? 3 : 1), 0);
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

function noRule(policy: NetworkPolicy, direction: Direction): Miss {
  const say = (): ReturnType<Miss['say']> => ({ message: `\`${policy.name}\` has no ${direction} rule, so it allows nothing`, edit: `add an ${direction} rule that names the other end and the port` });
  return { part: 'no-rule', origin: policy.origin, say };
}

function missesOfRule(cluster: Cluster, policy: NetworkPolicy, context: MissContext & { readonly rule: PolicyRule }): Miss[] {
  const { rule, end, question } = context;
  const peers = rule.peers.kind === 'everybody' ? [undefined] : rule.peers.peers;
  const byPeer = peers.map((peer) => [
    ...(peer === undefined ? [] : missesOfPeer(policy, peer, end)),
    ...missesOfPorts(rule, question.ports, namedPortsFor(cluster, peer, question)),
  ]);
  const nobody: Miss[] = [{ part: 'peer-kind', origin: rule.origin, say: () => ({ message: 'the rule has no peer left that can be understood', edit: 'add a peer that names the other end' }) }];
  return byPeer.reduce((best, misses) => (misses.length < best.length ? misses : best), byPeer[0] ?? nobody);
}

/** Ports that a name may stand for: an egress rule finds them on pods that a selector can match, never through a block. */
function namedPortsFor(cluster: Cluster, peer: Peer | undefined, { direction, subject, peer: other }: MissQuestion): Pod['ports'] {
  const target = direction === 'egress' ? other : subject;
  if (target.kind !== 'pod' || (direction === 'egress' && peer?.kind === 'ip-block')) return [];
  const pod = cluster.pods[target.pod]!;
  return pod.hostNetwork ? [] : pod.ports;
}

function missesOfPeer(policy: NetworkPolicy, peer: Peer, end: PeerEnd): Miss[] {
  if (peer.kind === 'ip-block') return missesOfBlock(peer, end);
  if (end.pod === undefined) {
    const { address } = end;
    return [{ part: 'peer-kind', origin: peer.origin, say: () => sayOutside(address === undefined ? 'an address' : formatIpAddress(address)) }];
  }
  if (end.pod.hostNetwork) {
    const { name } = end.pod;
    return [{ part: 'peer-kind', origin: peer.origin, say: () => ({ message: `\`${name}\` uses its node's network, and no selector matches such a pod`, edit: 'add a peer `ipBlock` that holds the address of its node' }) }];
  }
  return [...missesOfNamespace(policy, peer, end), ...missesOfLabels(peer.podSelector, end.pod, { ...podName(end.pod), origin: peer.origin })];
}

function sayOutside(address: string): ReturnType<Miss['say']> {
  return { message: `${address} is outside the cluster, and the peer selects pods`, edit: `add a peer \`ipBlock\` that holds ${address}` };
}

const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

/** Labels of a controller's pods are written in its template. */
function podName({ name, workload }: Pod): Omit<Named, 'origin'> {
  return workload.kind === 'Pod' ? { name: `pod \`${name}\``, isPlural: false } : { name: `the pods of ${workload.kind} \`${workload.name}\``, isPlural: true };
}

function missesOfNamespace(policy: NetworkPolicy, peer: PodPeer, { pod, namespace }: PeerEnd): Miss[] {
  if (pod === undefined || namespace === undefined) return [];
  if (peer.namespaces.kind === 'selected') {
    const misses = missesOfLabels(peer.namespaces.selector, namespace, { name: `namespace \`${pod.namespace}\``, isPlural: false, origin: peer.origin });
    return misses.map((miss) => ({ ...miss, part: 'namespace' as const }));
  }
  if (pod.namespace === policy.namespace) return [];
  const say = (): ReturnType<Miss['say']> => ({
    message: `the peer selects pods of \`${policy.namespace}\` only, and \`${pod.name}\` is in \`${pod.namespace}\``,
    edit: `add \`namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${pod.namespace} } }\` to the peer`,
  });
  return [{ part: 'namespace', origin: peer.origin, say }];
}

interface Named {
  readonly name: string;
  readonly isPlural: boolean;
  readonly origin: Origin;
}

function missesOfLabels(selector: Selector, object: LabelSet, named: Named): Miss[] {
  const failing = selector.requirements.filter((requirement) => !meetsRequirement(requirement, object));
  // A label that is added with a value is there.
  const isAdded = (key: string): boolean => failing.some((one) => one.kind === 'In' && one.key === key && fittingValue(selector, one, object) !== undefined);
  return failing
    .filter(({ kind, key }) => kind !== 'Exists' || !isAdded(key))
    .map((requirement) => ({
      part: 'label',
      origin: named.origin,
      say: () => ({ message: labelMessage(requirement, object, named), edit: labelEdit(requirement, { selector, object, name: named.name }) }),
    }));
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

function missesOfBlock(peer: Extract<Peer, { kind: 'ip-block' }>, { pod, address, somewhereIn }: PeerEnd): Miss[] {
  const { origin, cidr } = peer;
  if (address === undefined) {
    if (isWhollyIn(peer, somewhereIn)) return [];
    return [{ part: 'peer-kind', origin, say: () => ({ message: `\`${pod?.name ?? 'the other end'}\` has no known address, and the peer is the block ${peer.text}`, edit: peerEdit(pod, undefined) }) }];
  }
  const holds = (range: IpRange): boolean => range.family === address.family && range.first <= address.value && address.value <= range.last;
  const text = (): string => formatIpAddress(address);
  if (!holds(cidr)) return [{ part: 'cidr', origin, say: () => ({ message: `${text()} is outside the block ${peer.text}`, edit: peerEdit(pod, text()) }) }];
  const hole = peer.except.find(holds);
  if (hole === undefined) return [];
  return [{ part: 'cidr', origin, say: () => ({ message: `${text()} is in the \`except\` ${formatIpRange(hole)}`, edit: 'narrow the `except`, or add another peer' }) }];
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

function missesOfPorts(rule: PolicyRule, asked: PortSet | undefined, opened: Pod['ports']): Miss[] {
  if (rule.ports.kind === 'every') return [];
  const covered = rule.ports.ports.flatMap((port) => pointsOf(port, opened));
  if (asked === undefined) return covered.length > 0 ? [] : [unknownNames(rule)];
  const point = asked.find((candidate) => !covered.some((ports) => hasPoint(ports, candidate)));
  if (point === undefined) return [];
  const protocol = protocolOf(point);
  const isProtocol = protocol !== undefined && !rule.ports.ports.some((port) => port.protocol === protocol);
  return [{ part: isProtocol ? 'protocol' : 'port', origin: rule.origin, say: () => sayPort(rule, point) }];
}

function sayPort(rule: PolicyRule, point: number): ReturnType<Miss['say']> {
  const protocol = protocolOf(point);
  const text = protocol === undefined ? 'a protocol beyond TCP, UDP and SCTP' : `${protocol} ${point - PROTOCOL_BASE[protocol]}`;
  const edit = protocol === undefined ? 'remove `ports` from the rule: only a rule without ports covers other protocols' : `add ${text} to the ports of the rule`;
  return { message: `the rule lists ${listedPorts(rule) || 'no port'}, and ${text} was asked`, edit };
}

function listedPorts({ ports }: PolicyRule): string {
  return ports.kind === 'every' ? 'every port' : ports.ports.map(portText).join(', ');
}

function unknownNames(rule: PolicyRule): Miss {
  const say = (): ReturnType<Miss['say']> => ({ message: `the rule lists ${listedPorts(rule)}, and the pod that is connected to opens no port of that name`, edit: 'write the number of the port, or name the container port' });
  return { part: 'port', origin: rule.origin, say };
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

/** undefined: beyond the three. */
function protocolOf(point: number): Protocol | undefined {
  return point === OTHER_POINT ? undefined : PROTOCOLS.find((candidate) => point > PROTOCOL_BASE[candidate] && point < PROTOCOL_BASE[candidate] + 65536);
}
