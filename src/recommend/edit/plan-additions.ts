// How a policy lets through what one workload is to exchange with others: by the fewest lines, and no more than that.
import { compareText } from '../../base/finding.ts';
import { ALL_PORTS, hasOtherProtocols, NO_PORTS, portSetOf, subtractPorts, unionPorts, type PortSet } from '../../base/port-set.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Direction, NetworkPolicy, Peer, PodPeer, PolicyRule } from '../../model/network-policy.ts';
import { canonicalSelector, selects } from '../../model/selector.ts';
import type { Addition } from './additions.ts';
import { endKey, type Connection, type End } from '../ends/connection.ts';
import { peersOf, portsOf, rulePorts } from '../draft/draft-policies.ts';

export interface Planning {
  readonly cluster: Cluster;
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
}

/** The other end of a connection and what it is to have. */
interface Wanted {
  readonly connection: Connection;
  readonly peers: readonly Peer[];
  readonly ports: PortSet;
}

/**
 * Ports for a rule that names the same peers, else peers for one that names the same ports, else a rule, which those with equal
 * ports share. No rule gets both, for then each would open more than it was meant to.
 */
export function planAdditions(planning: Planning, connections: readonly Connection[]): readonly Addition[] {
  const { policy, direction } = planning;
  const rules = policy[direction] ?? [];
  const got = new Map<number, 'peers' | 'ports'>();
  const fresh: Wanted[] = [];
  const planned = sortByPeer(connections, direction).flatMap((connection): readonly Addition[] => {
    const wanted = wantedOf(connection, direction, policy.namespace);
    const isFree = (kind: 'peers' | 'ports') => ({ index }: PolicyRule): boolean => (got.get(index) ?? kind) === kind;
    const addition = portsFor(planning, rules.filter((rule) => isFree('ports')(rule) && !got.has(rule.index)), wanted) ?? peersFor(planning, rules.filter(isFree('peers')), wanted);
    if (addition === undefined) fresh.push(wanted);
    else got.set(addition.rule, addition.kind);
    return addition === undefined ? [] : [addition];
  });
  return [...planned, ...[...Map.groupBy(fresh, ({ ports }) => ports.join()).values()].map((same) => ruleFor(direction, same))];
}

export function peerEnd({ source, target }: Connection, direction: Direction): End {
  return direction === 'ingress' ? source : target;
}

export function wantedOf(connection: Connection, direction: Direction, namespace: string): Wanted {
  return { connection, peers: peersOf(peerEnd(connection, direction), namespace), ports: connection.ports };
}

export function sortByPeer(connections: readonly Connection[], direction: Direction): readonly Connection[] {
  return [...connections].sort((a, b) => compareText(endKey(peerEnd(a, direction)), endKey(peerEnd(b, direction))));
}

export function ruleFor(direction: Direction, same: readonly Wanted[]): Extract<Addition, { kind: 'rule' }> {
  return { kind: 'rule', direction, peers: same.flatMap(({ peers }) => peers), ports: rulePorts(same[0]!.ports), connections: same.map(({ connection }) => connection) };
}

function portsFor({ cluster, policy, direction }: Planning, rules: readonly PolicyRule[], { connection, peers, ports }: Wanted): Extract<Addition, { kind: 'ports' }> | undefined {
  for (const rule of rules) {
    const missing = subtractPorts(ports, numberedPorts(rule) ?? NO_PORTS);
    if (rule.ports.kind === 'every' || missing.length === 0 || hasOtherProtocols(ports) || rule.peers.kind === 'everybody' || !isSamePeers({ cluster, policy }, rule.peers.peers, peers)) continue;
    return { kind: 'ports', direction, rule: rule.index, ports: portsOf(missing), connections: [connection] };
  }
  return undefined;
}

/** What the rule names beyond what is wanted, the peers must have already. */
function peersFor(planning: Planning, rules: readonly PolicyRule[], { connection, peers, ports }: Wanted): Extract<Addition, { kind: 'peers' }> | undefined {
  for (const rule of rules) {
    const has = numberedPorts(rule);
    if (has === undefined || rule.peers.kind === 'everybody' || rule.peers.peers.length === 0 || subtractPorts(ports, has).length > 0) continue;
    const more = subtractPorts(has, ports);
    if (more.length > 0 && subtractPorts(more, grantedTo(planning, peers)).length > 0) continue;
    return { kind: 'peers', direction: planning.direction, rule: rule.index, peers, connections: [connection] };
  }
  return undefined;
}

/** undefined: it names ports by their names, which are others in each pod. */
function numberedPorts({ ports }: PolicyRule): PortSet | undefined {
  if (ports.kind === 'every') return ALL_PORTS;
  return ports.ports.reduce<PortSet | undefined>((all, port) => {
    if (all === undefined || port.kind === 'named') return undefined;
    return unionPorts(all, port.kind === 'protocol' ? portSetOf(port.protocol, 1, 65535) : portSetOf(port.protocol, port.first, port.last));
  }, NO_PORTS);
}

function grantedTo({ cluster, policy, direction }: Planning, peers: readonly Peer[]): PortSet {
  return (policy[direction] ?? []).reduce<PortSet>((all, rule) => {
    const named = rule.peers.kind === 'listed' ? rule.peers.peers : [];
    const has = peers.every((peer) => named.some((other) => isSamePeers({ cluster, policy }, [other], [peer])));
    return has ? unionPorts(all, numberedPorts(rule) ?? NO_PORTS) : all;
  }, NO_PORTS);
}

/** The same blocks; or one peer each, which select the same pods, and not all of a namespace. */
function isSamePeers(home: Pick<Planning, 'cluster' | 'policy'>, a: readonly Peer[], b: readonly Peer[]): boolean {
  const [first, other] = [a[0], b[0]];
  if (a.length === 1 && b.length === 1 && first?.kind === 'pods' && other?.kind === 'pods') return isSamePods(home, first, other);
  const texts = [a, b].map((peers) => (peers.every(({ kind }) => kind === 'ip-block') ? peers.map((peer) => (peer.kind === 'ip-block' ? peer.text : '')).sort().join() : undefined));
  return texts[0] !== undefined && texts[0] === texts[1];
}

function isSamePods({ cluster, policy }: Pick<Planning, 'cluster' | 'policy'>, a: PodPeer, b: PodPeer): boolean {
  if (peerText(a) === peerText(b)) return true;
  if (a.podSelector.requirements.length === 0 || b.podSelector.requirements.length === 0) return false;
  return selectedBy(cluster, policy, a) === selectedBy(cluster, policy, b);
}

function peerText({ namespaces, podSelector }: PodPeer): string {
  return `${namespaces.kind === 'own' ? '' : ` ${canonicalSelector(namespaces.selector)}`}\n${canonicalSelector(podSelector)}`;
}

const knownSelections = new WeakMap<Cluster, Map<string, string>>();

function selectedBy(cluster: Cluster, { namespace }: NetworkPolicy, peer: PodPeer): string {
  const known = knownSelections.get(cluster) ?? new Map<string, string>();
  knownSelections.set(cluster, known);
  const key = `${peer.namespaces.kind === 'own' ? namespace : ''}\n${peerText(peer)}`;
  const found = known.get(key) ?? podsOfPeer(cluster, namespace, peer);
  known.set(key, found);
  return found;
}

function podsOfPeer({ pods, namespaces: all }: Cluster, namespace: string, { namespaces, podSelector }: PodPeer): string {
  const names = new Set(namespaces.kind === 'own' ? [namespace] : all.filter((one) => selects(namespaces.selector, one)).map(({ name }) => name));
  return [...pods.keys()].filter((pod) => names.has(pods[pod]!.namespace) && selects(podSelector, pods[pod]!)).join();
}
