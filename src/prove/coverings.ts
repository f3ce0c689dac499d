// Which parts of rules let a connection through together: for each live connection the atoms that each alone would allow it.
import { ALL_PORTS, hasPoint, intersectPorts, NO_PORTS, PROTOCOL_BASE, subtractPorts, unionPorts, type PortSet } from '../base/port-set.ts';
import type { IpFamily } from '../base/ip-address.ts';
import { WordError } from '../base/word-error.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule } from '../model/network-policy.ts';
import { compileCluster } from '../compile/compile.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import { quadKey, quadOfAtom, quadOfDomainName, quadOfGroup, type Quad } from '../analyze/endpoint.ts';
import type { RuleAtom, SplitCluster } from './policy-elements.ts';

export interface Coverings {
  readonly lists: readonly Covering[];
  /** Atoms that match anybody at all, though the other end may refuse. */
  readonly matching: ReadonlySet<number>;
  /** For each direction and subject the policies that isolate it, as written. */
  readonly isolation: readonly Isolation[];
}

/** A connection that really is open is allowed by these atoms and no others. */
export interface Covering {
  readonly atoms: readonly number[];
  /** Of some subject that several policies isolate: without one of them it stays isolated. */
  readonly isShared: boolean;
}

export interface Isolation {
  readonly policies: readonly NetworkPolicy[];
  /** Of a single policy: whether something opens when it goes. */
  readonly isNeeded: boolean;
}

/** Pairs of subject and peer class that are looked at; more are refused. */
const CELLS_MAX = 5_000_000;

/** Throws WordError for a cluster beyond the bound. */
export function findCoverings(split: SplitCluster): Coverings {
  const program = compileCluster(split.cluster);
  const ends = listEnds(program);
  const numbers = portNumbers(program);
  const lists = new Map<string, Covering>();
  const matching = new Set<number>();
  const isolation: Isolation[] = [];
  const bound = { cells: 0 };
  for (const direction of DIRECTIONS) {
    const side = new Side(program, direction, ends);
    for (const subject of side.subjects()) {
      const policies = program[direction].policiesOf(subject);
      isolation.push({ policies: policies.map((policy) => split.policyOf.get(policy)!), isNeeded: policies.length === 1 && side.differsWithout(subject) });
      side.eachCell(subject, (peerClass, undecided) => {
        if (++bound.cells > CELLS_MAX) throw new WordError(`this cluster is too large to search for what is redundant (more than ${CELLS_MAX} pairs of policies' pods and peers)`, 'name the manifests of fewer namespaces');
        const rules = program[direction].allowingRules(subject, peerClass, undecided).map(({ rule }) => rule);
        for (const rule of rules) matching.add(split.atomOfRule.get(rule)!.id);
        const live = intersectPorts(side.livePorts(subject, peerClass, undecided), undecided);
        for (const atoms of coveringLists({ program, direction, subject, peerClass, numbers }, { rules, live }, split.atomOfRule)) {
          const key = atoms.join();
          lists.set(key, { atoms, isShared: policies.length > 1 || lists.get(key)?.isShared === true });
        }
      });
    }
  }
  return { lists: [...lists.values()], matching, isolation };
}

interface Cell {
  readonly program: Program;
  readonly direction: Direction;
  readonly subject: number;
  readonly peerClass: number;
  readonly numbers: PortNumbers;
}

/** One list for each stretch of live ports on which the same rules speak. */
function coveringLists(cell: Cell, { rules, live }: { readonly rules: readonly PolicyRule[]; readonly live: PortSet }, atomOfRule: ReadonlyMap<PolicyRule, RuleAtom>): number[][] {
  if (live.length === 0) return [];
  const known = rules.map(portsWithoutNames);
  const asks = known.includes(undefined);
  return cutPoints(cell.numbers, rules, live).flatMap((point) => {
    const covering = asks
      ? cell.program[cell.direction].allowingRules(cell.subject, cell.peerClass, [point, point]).map(({ rule }) => rule)
      : rules.filter((_, index) => hasPoint(known[index]!, point));
    return covering.length === 0 ? [] : [covering.map((rule) => atomOfRule.get(rule)!.id).sort((a, b) => a - b)];
  });
}

/** undefined: a name, whose numbers differ from pod to pod. */
function portsWithoutNames({ ports }: PolicyRule): PortSet | undefined {
  if (ports.kind === 'every') return ALL_PORTS;
  let result: PortSet = NO_PORTS;
  for (const port of ports.ports) {
    const base = PROTOCOL_BASE[port.protocol];
    if (port.kind === 'named') return undefined;
    result = unionPorts(result, port.kind === 'protocol' ? [base + 1, base + 65535] : [base + port.first, base + port.last]);
  }
  return result;
}

/** The first point of each stretch of `live` in which no rule begins or ends. */
function cutPoints(numbers: PortNumbers, rules: readonly PolicyRule[], live: PortSet): number[] {
  const cuts = new Set<number>();
  for (let i = 0; i < live.length; i += 2) cuts.add(live[i]!);
  const add = (first: number, last: number): void => void cuts.add(first).add(last + 1);
  for (const { ports } of rules) {
    for (const port of ports.kind === 'listed' ? ports.ports : []) {
      const base = PROTOCOL_BASE[port.protocol];
      if (port.kind === 'range') add(base + port.first, base + port.last);
      else if (port.kind === 'protocol') add(base + 1, base + 65535);
      else for (const number of numbers.get(`${port.protocol}/${port.name}`) ?? []) add(base + number, base + number);
    }
  }
  return [...cuts].filter((point) => hasPoint(live, point));
}

/** All numbers that the pods of the cluster open under a `PROTOCOL/name`. */
type PortNumbers = ReadonlyMap<string, ReadonlySet<number>>;

function portNumbers({ cluster }: Program): PortNumbers {
  const named = Map.groupBy(cluster.pods.flatMap(({ ports }) => ports), ({ protocol, name }) => `${protocol}/${name ?? ''}`);
  return new Map([...named].map(([key, ports]) => [key, new Set(ports.map(({ port }) => port))]));
}

/** Ends that every policy treats alike. */
interface End {
  readonly quad: Quad;
  readonly pods: number;
  readonly isOutside: boolean;
}

function listEnds(program: Program): readonly End[] {
  const groups = program.groups.map((group) => ({ quad: quadOfGroup(program, group.id), pods: group.size, isOutside: false }));
  const outside = program.atoms.flatMap(({ isPodRange }, atom) => (isPodRange ? [] : [{ quad: quadOfAtom(program, atom), pods: 0, isOutside: true }]));
  const names = program.domainNames.map((name) => ({ quad: quadOfDomainName(program, name), pods: 0, isOutside: true }));
  const alike = Map.groupBy([...groups, ...outside, ...names], ({ quad, isOutside }) => `${quadKey(quad)} ${isOutside}`);
  return [...alike.values()].map((members) => ({ ...members[0]!, pods: members.reduce((sum, { pods }) => sum + pods, 0) }));
}

const FAMILIES: readonly IpFamily[] = [4, 6];

/** One direction: its subjects, and who stands behind a peer class. */
class Side {
  private readonly direction: DirectionProgram;
  private readonly other: DirectionProgram;
  private readonly endsOfSubject: Map<number, End[]>;
  private readonly endsOfClass: Readonly<Record<IpFamily, Map<number, End[]>>>;
  private readonly hasTiers: boolean;
  private readonly portSet: (id: number) => PortSet;
  private readonly isIngress: boolean;

  constructor(program: Program, direction: Direction, ends: readonly End[]) {
    this.isIngress = direction === 'ingress';
    this.direction = program[direction];
    this.other = this.isIngress ? program.egress : program.ingress;
    this.portSet = (id) => program.portSets.portSet(id);
    this.hasTiers = program.cluster.clusterPolicies.length > 0;
    this.endsOfSubject = Map.groupBy(ends.filter(({ isOutside }) => !isOutside), ({ quad }) => (this.isIngress ? quad.ingressSubject : quad.egressSubject));
    const ofFamily = (family: IpFamily): Map<number, End[]> =>
      Map.groupBy(ends.filter(({ quad }) => quad.families.includes(family)), ({ quad }) => (this.isIngress ? quad.ingressClass : quad.egressClass)[family]);
    this.endsOfClass = { 4: ofFamily(4), 6: ofFamily(6) };
  }

  subjects(): number[] {
    return [...this.endsOfSubject.keys()].filter((subject) => this.direction.isIsolated(subject));
  }

  /** Classes towards which NetworkPolicies allow anything, with what no higher tier has decided there. */
  eachCell(subject: number, give: (peerClass: number, undecided: PortSet) => void): void {
    if (!this.hasTiers) this.direction.rowOf(subject).forEach((peerClass) => give(peerClass, ALL_PORTS));
    else for (let peerClass = 0; peerClass < this.direction.classCount; peerClass++) give(peerClass, this.undecided(subject, peerClass));
  }

  /** Whether a subject that one policy alone isolates would be open to more without it, or would lose to the Baseline tier what it lets through. */
  differsWithout(subject: number): boolean {
    for (let peerClass = 0; peerClass < this.direction.classCount; peerClass++) {
      const undecided = this.undecided(subject, peerClass);
      const allowed = this.portSet(this.direction.portsOf(subject, peerClass));
      const denied = this.baselineDenied(subject, peerClass, undecided);
      const gained = subtractPorts(subtractPorts(undecided, allowed), denied);
      const differing = unionPorts(gained, intersectPorts(intersectPorts(undecided, allowed), denied));
      if (differing.length > 0 && intersectPorts(this.livePorts(subject, peerClass, differing), differing).length > 0) return true;
    }
    return false;
  }

  /** What the other end's policies let through between the subject and anybody of the class; stops when all that is wanted is found. */
  livePorts(subject: number, peerClass: number, wanted: PortSet): PortSet {
    let live: PortSet = NO_PORTS;
    for (const family of FAMILIES) {
      for (const peer of this.endsOfClass[family].get(peerClass) ?? []) {
        for (const own of this.endsOfSubject.get(subject)!) {
          if (!own.quad.families.includes(family) || (own === peer && own.pods < 2)) continue;
          live = unionPorts(live, this.otherPorts(own.quad, peer.quad, family));
          if (subtractPorts(wanted, live).length === 0) return live;
        }
      }
    }
    return live;
  }

  private otherPorts(own: Quad, peer: Quad, family: IpFamily): PortSet {
    const id = this.isIngress ? this.other.portsOf(peer.egressSubject, own.egressClass[family]) : this.other.portsOf(peer.ingressSubject, own.ingressClass[family]);
    return this.portSet(id);
  }

  /** What the Admin tier leaves to NetworkPolicies. */
  private undecided(subject: number, peerClass: number): PortSet {
    if (!this.hasTiers) return ALL_PORTS;
    const decisions = this.direction.tierDecisions('Admin', subject, { peerClass, ports: ALL_PORTS });
    return decisions.filter(({ rule }) => rule.action !== 'Pass').reduce((rest, { ports }) => subtractPorts(rest, ports), ALL_PORTS);
  }

  private baselineDenied(subject: number, peerClass: number, ports: PortSet): PortSet {
    if (!this.hasTiers) return NO_PORTS;
    const decisions = this.direction.tierDecisions('Baseline', subject, { peerClass, ports });
    return decisions.filter(({ rule }) => rule.action === 'Deny').reduce((denied, decision) => unionPorts(denied, decision.ports), NO_PORTS);
  }
}
