// Holds the written policies against what was seen: all of it is allowed, and nothing besides.
import { LAST_ADDRESS, type IpAddress, type IpFamily, type IpRange } from '../../base/ip-address.ts';
import { ALL_PORTS, intersectPorts, NO_PORTS, subtractPorts, unionPorts, type PortSet } from '../../base/port-set.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { Program } from '../../compile/program.ts';
import { listEndpoints, type PlacedEndpoint } from '../../analyze/endpoints.ts';
import { reach } from '../../analyze/reach.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import { comparePrecedence, type ClusterPolicy } from '../../model/cluster-policy.ts';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { selects } from '../../model/selector.ts';
import type { Block, Connection, End } from '../ends/connection.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';

export interface Proof {
  /** Pairs of ends that were asked for. */
  readonly pairs: number;
  /** Connections that were seen and that cluster-wide policies of the input refuse all the same, with the ports. */
  readonly refused: readonly { readonly connection: Connection; readonly ports: PortSet }[];
}

export interface ProofQuestion {
  readonly cluster: Cluster;
  readonly policies: readonly NetworkPolicy[];
  /** Of a kind that never judges who comes from outside. */
  readonly clusterPolicies: readonly ClusterPolicy[];
  readonly subjects: Subjects;
  /** Namespaces that the policies close. */
  readonly namespaces: ReadonlySet<string>;
  readonly connections: readonly Connection[];
}

/**
 * Throws where the policies let through too much or too little: that is a bug, whatever the input.
 * Cluster-wide policies are judged apart, for nothing that is written here can overrule them.
 */
export function provePolicies(question: ProofQuestion): Proof {
  const { cluster, policies, clusterPolicies, connections } = question;
  const own = compileCluster({ ...cluster, policies, clusterPolicies });
  const { pairs, faults } = compareWithSeen(own, question);
  if (faults.length > 0) throw new Error(`bug: the policies differ from what was seen: ${faults.slice(0, FAULTS_SHOWN).join('; ')}`);
  if (cluster.clusterPolicies.length === 0) return { pairs, refused: [] };
  return { pairs, refused: refusedConnections(compileCluster({ ...cluster, policies, clusterPolicies: [...cluster.clusterPolicies, ...clusterPolicies].sort(comparePrecedence) }), question.subjects, connections) };
}

const FAULTS_SHOWN = 5;

function compareWithSeen(program: Program, { cluster, clusterPolicies, subjects, namespaces, connections }: ProofQuestion): { readonly pairs: number; readonly faults: readonly string[] } {
  const ends = listEndpoints(program, 'workload').map((placed) => memberOf(placed, { cluster, subjects, namespaces }));
  const reachability = reach(program, { by: 'workload' });
  const portsBetween = indexConnections(connections, clusterPolicies.length === 0);
  const faults: string[] = [];
  let pairs = 0;
  for (const [from, source] of ends.entries()) {
    if (source.isOnHost || source.dnsName !== undefined) continue;
    const ports = reachability.portsFrom(from);
    for (const [to, target] of ends.entries()) {
      if (target.isOnHost || !(source.isClosed || target.isClosed)) continue;
      pairs++;
      const allowed = reachability.portSet(ports[to]!);
      const isPair = source.families.some((family) => target.families.includes(family)) && !(from === to && source.count < 2);
      const wanted = isPair ? portsBetween(source, target) : NO_PORTS;
      if (allowed.length === 0 && wanted.length === 0) continue;
      if (subtractPorts(allowed, wanted).length > 0) faults.push(`${source.name} to ${target.name} is open without a reason`);
      if (subtractPorts(wanted, allowed).length > 0) faults.push(`${source.name} to ${target.name} is needed and closed`);
    }
  }
  return { pairs, faults };
}

/** An end of the answer, as connections speak of it. */
interface Member {
  readonly name: string;
  readonly subject: Subject | undefined;
  readonly pods: readonly Pod[];
  /** Of a range the first and the last. */
  readonly addresses: readonly IpAddress[];
  /** Of what only its name is known. */
  readonly dnsName: string | undefined;
  readonly count: number;
  /** Over which there can be a connection at all. */
  readonly families: readonly IpFamily[];
  /** The policies govern it, both ways. */
  readonly isClosed: boolean;
  /** Nobody's policies judge what comes from a pod's own node, and none can select what has its network. */
  readonly isOnHost: boolean;
}

function memberOf({ endpoint, range, podIndices, quads }: PlacedEndpoint, { cluster, subjects, namespaces }: Pick<ProofQuestion, 'cluster' | 'subjects' | 'namespaces'>): Member {
  const pods = podIndices.map((pod) => cluster.pods[pod]!);
  const addresses = range === undefined ? pods.flatMap((pod) => pod.addresses) : [range.first, range.last].map((value) => ({ family: range.family, value }));
  const isOnHost = 'hostNetwork' in endpoint && endpoint.hostNetwork;
  return {
    name: endpoint.id,
    subject: podIndices.length === 0 ? undefined : subjects.of(podIndices[0]!),
    pods,
    addresses,
    dnsName: endpoint.kind === 'DomainName' ? endpoint.name : undefined,
    count: 'pods' in endpoint ? endpoint.pods : 0,
    families: quads.flatMap(({ quad }) => quad.families),
    isClosed: pods.length > 0 && namespaces.has(pods[0]!.namespace) && !isOnHost,
    isOnHost,
  };
}

/** What connections let through at one end: by subject, and what has to be looked at for each other end. */
interface Side {
  readonly bySubject: ReadonlyMap<Subject, PortSet>;
  readonly others: readonly (readonly [end: End, ports: PortSet])[];
}

const NOTHING: Side = { bySubject: new Map(), others: [] };

function indexSides(connections: readonly Connection[], own: 'source' | 'target'): ReadonlyMap<Subject, Side> {
  const sides = new Map<Subject, { bySubject: Map<Subject, PortSet>; others: [End, PortSet][] }>();
  for (const connection of connections) {
    const end = connection[own];
    if (end.kind !== 'subject') continue;
    const other = own === 'source' ? connection.target : connection.source;
    const side = sides.get(end.subject) ?? { bySubject: new Map<Subject, PortSet>(), others: [] };
    sides.set(end.subject, side);
    if (other.kind === 'subject') side.bySubject.set(other.subject, unionPorts(side.bySubject.get(other.subject) ?? [], connection.ports));
    else side.others.push([other, connection.ports]);
  }
  return sides;
}

/** What both sides let through: each whatever a connection shows, and everything where no policy governs it. */
function indexConnections(connections: readonly Connection[], judgesOutside: boolean): (source: Member, target: Member) => PortSet {
  const bySource = indexSides(connections, 'source');
  const byTarget = indexSides(connections, 'target');
  return (source, target) => {
    const out = source.isClosed ? portsTo(sideOf(bySource, source), target) : ALL_PORTS;
    if (out.length === 0) return out;
    return intersectPorts(out, target.isClosed && (judgesOutside || source.pods.length > 0) ? portsTo(sideOf(byTarget, target), source) : ALL_PORTS);
  };
}

function sideOf(sides: ReadonlyMap<Subject, Side>, { subject }: Member): Side {
  return (subject === undefined ? undefined : sides.get(subject)) ?? NOTHING;
}

/** Of several addresses each may be let through by another end: what all of them may. */
function portsTo({ bySubject, others }: Side, member: Member): PortSet {
  let ports: PortSet = (member.subject === undefined ? undefined : bySubject.get(member.subject)) ?? NO_PORTS;
  for (const [end, more] of others) if (holds(end, member)) ports = unionPorts(ports, more);
  if (member.dnsName !== undefined || member.addresses.length === 0) return ports;
  return unionPorts(ports, member.addresses.map((address) => portsToAddress(others, address)).reduce(intersectPorts));
}

function portsToAddress(others: Side['others'], address: IpAddress): PortSet {
  let ports = NO_PORTS;
  for (const [end, more] of others) if (end.kind === 'addresses' && end.dnsName === undefined && end.blocks.some((block) => isInBlock(block, address))) ports = unionPorts(ports, more);
  return ports;
}

/** Whether the end is the member as it is called, whatever its addresses. */
function holds(end: End, { subject, pods, dnsName }: Member): boolean {
  switch (end.kind) {
    case 'subject':
      return end.subject === subject;
    case 'pods':
      return pods.length > 0 && pods.every((pod) => (end.namespace === undefined || end.namespace === pod.namespace) && end.selectors.some((selector) => selects(selector, pod)));
    case 'addresses':
      if (end.dnsName !== undefined || dnsName === undefined) return end.dnsName !== undefined && end.dnsName === dnsName;
      return end.blocks.some(({ cidr, except }) => except.length === 0 && cidr.first === 0n && cidr.last === LAST_ADDRESS[cidr.family]);
  }
}

function isInBlock({ cidr, except }: Block, address: IpAddress): boolean {
  return contains(cidr, address) && !except.some((range) => contains(range, address));
}

function contains({ family, first, last }: IpRange, { family: own, value }: IpAddress): boolean {
  return family === own && first <= value && value <= last;
}

function refusedConnections(program: Program, subjects: Subjects, connections: readonly Connection[]): Proof['refused'] {
  const reachability = reach(program, { by: 'workload' });
  const ends = listEndpoints(program, 'workload').map(({ podIndices }) => (podIndices.length === 0 ? undefined : subjects.of(podIndices[0]!)));
  return connections.flatMap((connection) => {
    const { source, target, ports } = connection;
    if (source.kind !== 'subject' || target.kind !== 'subject') return [];
    let missing: PortSet = [];
    for (const [from, subject] of ends.entries()) {
      if (subject !== source.subject) continue;
      const allowed = reachability.portsFrom(from).slice();
      for (const [to, other] of ends.entries()) if (other === target.subject && from !== to) missing = unionPorts(missing, subtractPorts(ports, reachability.portSet(allowed[to]!)));
    }
    return missing.length === 0 ? [] : [{ connection, ports: missing }];
  });
}
