// What went over the wire, decided once more by the rules: each recorded flow becomes allowed or refused, with the policies and rules of both directions.
import type { IpFamily } from '../base/ip-address.ts';
import { hasPoint } from '../base/port-set.ts';
import { compileCluster } from '../compile/compile.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import { portsOfTiers } from '../compile/tier-ports.ts';
import { quadKey, quadOf, type Quad } from '../analyze/endpoint.ts';
import type { Cluster } from '../model/cluster.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { endsOfSide, isSideAllowed, type AskedFlow } from './decide-side.ts';
import { membersOf, ofFamily, pairsOf, refOf, type EndMember, type MemberPair } from './end-members.ts';
import { flowPoint } from './flow-protocol.ts';
import { FlowEnds } from './flow-ends.ts';
import type { FlowEnd, FlowReason, FlowRecord, RuleName } from './flow-record.ts';
import { IPV6_BIT, type FlowTable } from './flow-table.ts';
import { withNamedAddresses } from './named-addresses.ts';
import { placeEnds } from './place-ends.ts';
import { ownNodeReason, reasonOf } from './side-reason.ts';

/** One question, by the numbers of the ends. */
export interface AskedPair {
  readonly source: number;
  readonly target: number;
  readonly family: IpFamily;
  /** On the line of ports. */
  readonly point: number;
}

export interface DirectedRule extends RuleName {
  readonly direction: Direction;
}

const NO_POD = -1;

/** Reasons that are remembered for other ends. */
const SHARED_MAX = 65_536;

/** Good for one cluster and one list of ends. A class, for it remembers what it looked up. */
export class FlowJudge {
  readonly #program: Program;
  readonly #members: readonly (readonly EndMember[])[];
  /** Of ends that one look-up decides about; undefined: more must be looked at. */
  readonly #quads: readonly (Quad | undefined)[];

  /** The one pod that an end is; else `NO_POD`. */
  readonly #pods: Int32Array;

  /** What decides about an end, where one look-up does. */
  readonly #kinds: readonly (string | undefined)[];
  readonly #shared = new Map<string, FlowReason>();

  constructor(cluster: Cluster, ends: readonly FlowEnd[]) {
    const placed = placeEnds(cluster, ends);
    this.#program = compileCluster(withNamedAddresses(placed.cluster, ends, placed.podsOf));
    this.#members = ends.map((end, index) => membersOf(this.#program, end, placed.podsOf[index]!));
    this.#quads = this.#members.map((members) => (isPlain(members) ? quadOf(this.#program, refOf(members[0]!)) : undefined));
    this.#kinds = this.#quads.map((quad, index) => (quad === undefined ? undefined : `${ends[index]!.kind} ${quadKey(quad)}`));
    this.#pods = Int32Array.from(this.#members, ([member]) => (member?.kind === 'pods' ? member.pods.at(-1)! : NO_POD));
  }

  /** Of pods of a workload that policies treat differently: whether all of them may. */
  isAllowed(pair: AskedPair): boolean {
    const [source, target] = [this.#quads[pair.source], this.#quads[pair.target]];
    if (source === undefined || target === undefined || (this.#pods[pair.source] !== NO_POD && this.#pods[pair.source] === this.#pods[pair.target])) return this.#refusedFlow(pair) === undefined;
    const { egress, ingress } = this.#program;
    return this.#hasPoint(egress.portsOf(source.egressSubject, target.egressClass[pair.family]), pair.point) && this.#hasPoint(ingress.portsOf(target.ingressSubject, source.ingressClass[pair.family]), pair.point);
  }

  /** What both directions say; where pods of a workload differ, of one that is refused. A reason without a near miss names neither end, and is that of all that are governed alike. */
  reasonOf(pair: AskedPair): FlowReason {
    const key = this.#sharedKey(pair);
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known !== undefined) return known;
    const reason = this.#findReason(pair);
    const namesNobody = DIRECTIONS.every((direction) => reason[direction].nearMiss === undefined);
    if (key !== undefined && namesNobody && this.#shared.size < SHARED_MAX) this.#shared.set(key, reason);
    return reason;
  }

  #sharedKey({ source, target, family, point }: AskedPair): string | undefined {
    const [from, into] = [this.#kinds[source], this.#kinds[target]];
    const isItself = this.#pods[source] === this.#pods[target] && this.#pods[source] !== NO_POD;
    return from === undefined || into === undefined || isItself ? undefined : `${from} > ${into} ${family} ${point}`;
  }

  #findReason(pair: AskedPair): FlowReason {
    return this.#reasonOfFlow(this.#refusedFlow(pair) ?? this.#flowsOf(pair)[0]!);
  }

  /** Of all pods that the ends are: where those of a workload differ, each may be let through by rules of its own. */
  rulesOf(pair: AskedPair): readonly DirectedRule[] {
    return this.#flowsOf(pair).flatMap((flow) => ruleNames(this.#reasonOfFlow(flow)));
  }

  #reasonOfFlow(flow: PlacedFlow): FlowReason {
    return flow.isOnOwnNode ? ownNodeReason(this.#program, flow, flow.source.kind === 'address') : reasonOf(this.#program, flow);
  }

  /** 1 for each row that is allowed. Ends of which one look-up decides lie in plain arrays: there are millions of rows. */
  allowedRows(table: FlowTable): Uint8Array {
    const { source, target, port, protocol, flags } = table.columns;
    const [sends, takes] = [lookUps(this.#program.egress, this.#quads), lookUps(this.#program.ingress, this.#quads)];
    const allowed = new Uint8Array(table.size);
    for (let row = 0; row < allowed.length; row++) {
      const [from, into] = [source[row]!, target[row]!];
      const family = (flags[row]! & IPV6_BIT) === 0 ? 4 : 6;
      const point = flowPoint(protocol[row]!, port[row]!);
      if (sends.subject[from] === NO_SUBJECT || sends.subject[into] === NO_SUBJECT || (this.#pods[from] === this.#pods[into] && this.#pods[from] !== NO_POD)) {
        allowed[row] = this.isAllowed({ source: from, target: into, family, point }) ? 1 : 0;
      } else allowed[row] = this.#hasPoint(sends.portsOf(from, into, family), point) && this.#hasPoint(takes.portsOf(into, from, family), point) ? 1 : 0;
    }
    return allowed;
  }

  #hasPoint(ports: number, point: number): boolean {
    return ports === ALL_PORTS_ID || (ports !== NO_PORTS_ID && hasPoint(this.#program.portSets.portSet(ports), point));
  }

  #flowsOf({ source, target, family, point }: AskedPair): readonly PlacedFlow[] {
    const [sources, targets] = [ofFamily(this.#members[source]!, family), ofFamily(this.#members[target]!, family)];
    return sources.flatMap((from) => targets.flatMap((into) => pairsOf(this.#program, from, into))).map((pair) => ({ ...pair, family, point }));
  }

  #refusedFlow(pair: AskedPair): PlacedFlow | undefined {
    return this.#flowsOf(pair).find((flow) => (flow.isOnOwnNode ? !isAllowedOnOwnNode(this.#program, flow) : !DIRECTIONS.every((direction) => isSideAllowed(this.#program, flow, direction))));
  }
}

type PlacedFlow = AskedFlow & MemberPair;

/** One direction of all ends, by their numbers. */
interface LookUps {
  /** `NO_SUBJECT`: one look-up does not decide about the end. */
  readonly subject: Int32Array;
  /** Port set id of what the end that is governed may exchange with the other one. */
  portsOf(governed: number, other: number, family: IpFamily): number;
}

const NO_SUBJECT = -1;

function lookUps(program: DirectionProgram, quads: readonly (Quad | undefined)[]): LookUps {
  const isEgress = program.direction === 'egress';
  const subject = Int32Array.from(quads, (quad) => (isEgress ? quad?.egressSubject : quad?.ingressSubject) ?? NO_SUBJECT);
  const classes = { 4: classesOf(quads, program.direction, 4), 6: classesOf(quads, program.direction, 6) };
  const rows: (Row | undefined)[] = Array.from({ length: program.subjectCount }, () => undefined);
  const rowOf = (of: number): Row => (rows[of] ??= program.rowOf(of));
  return { subject, portsOf: (governed, other, family) => rowOf(subject[governed]!).at((family === 4 ? classes[4] : classes[6])[other]!) };
}

function classesOf(quads: readonly (Quad | undefined)[], direction: Direction, family: IpFamily): Int32Array {
  return Int32Array.from(quads, (quad) => quad?.[direction === 'egress' ? 'egressClass' : 'ingressClass'][family] ?? 0);
}

/** Each with its reason: what the rules say of it, whatever was seen. Beyond `ENDS_MAX` different ends without one. */
export function judgeRecords(cluster: Cluster, records: readonly FlowRecord[]): readonly FlowRecord[] {
  const ends = new FlowEnds();
  const pairs = records.map((record) => ({ source: ends.intern(record.source), target: ends.intern(record.target) }));
  const judge = new FlowJudge(cluster, ends.all);
  return records.map((record, index) => {
    const { source, target } = pairs[index]!;
    return source === undefined || target === undefined ? record : { ...record, reason: judge.reasonOf(pairOf(record, { source, target })) };
  });
}

/** The rules that decide of any of them, each as often as it does. Ends beyond `ENDS_MAX` are not asked about. */
export function* usedRules(cluster: Cluster, records: readonly FlowRecord[]): Generator<DirectedRule> {
  const ends = new FlowEnds();
  const pairs = records.map((record) => ({ source: ends.intern(record.source), target: ends.intern(record.target) }));
  const judge = new FlowJudge(cluster, ends.all);
  for (const [index, record] of records.entries()) {
    const { source, target } = pairs[index]!;
    if (source !== undefined && target !== undefined) yield* judge.rulesOf(pairOf(record, { source, target }));
  }
}

/** The same of a table, without a record for each of its rows: there may be millions. */
export function* usedRulesOfTable(cluster: Cluster, table: FlowTable): Generator<DirectedRule> {
  const judge = new FlowJudge(cluster, table.ends.all);
  const { source, target, protocol, port } = table.columns;
  for (let row = 0; row < table.size; row++) {
    if (table.verdictAt(row) === 'denied') continue;
    yield* judge.rulesOf(pairOf({ family: table.familyAt(row), protocol: protocol[row]!, port: port[row]! }, { source: source[row]!, target: target[row]! }));
  }
}

export function pairOf({ family, protocol, port }: Pick<FlowRecord, 'family' | 'protocol' | 'port'>, ends: { readonly source: number; readonly target: number }): AskedPair {
  return { ...ends, family, point: flowPoint(protocol, port) };
}

export function isAllowedBy(reason: FlowReason): boolean {
  return DIRECTIONS.every((direction) => reason[direction].verdict !== 'refuses');
}

/** The rows of a table as records that are judged. */
export function* judgedRows(cluster: Cluster, table: FlowTable): Generator<FlowRecord> {
  const judge = new FlowJudge(cluster, table.ends.all);
  for (let row = 0; row < table.size; row++) yield judgedRow(judge, table, row);
}

export function judgedRow(judge: FlowJudge, table: FlowTable, row: number): FlowRecord {
  const record = table.recordAt(row);
  const { source, target } = table.columns;
  return { ...record, reason: judge.reasonOf(pairOf(record, { source: source[row]!, target: target[row]! })) };
}

function ruleNames(reason: FlowReason): readonly DirectedRule[] {
  return DIRECTIONS.flatMap((direction) => reason[direction].rules.map((rule) => ({ ...rule, direction })));
}

/** With the node's own network, verdicts depend on the node of the other end. */
function isPlain([member, ...others]: readonly EndMember[]): boolean {
  if (member === undefined || others.length > 0) return false;
  return member.kind === 'pods' ? !member.hostNetwork : !member.isOwnNode;
}

/** What a pod sends to its own node NetworkPolicy lets pass, and tiers judge; what the node sends nobody judges. */
function isAllowedOnOwnNode(program: Program, flow: PlacedFlow): boolean {
  return flow.source.kind === 'address' || hasPoint(portsOfTiers(program.egress, endsOfSide(program, flow, 'egress')), flow.point);
}
