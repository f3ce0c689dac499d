// What is gained and lost between pods of one node of which one is on its host network: what policies say of ends like these is not all there.
import { unionPorts } from '../base/port-set.ts';
import { portsOnOwnNode } from '../analyze/own-node.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { JointEndpoint } from './joint-endpoint.ts';
import type { ProgramPair } from './program-pair.ts';
import type { Residence } from './residence.ts';
import type { JointPorts, PortChange, VerdictDifference } from './verdict-difference.ts';

type Side = keyof ProgramPair;

const SIDES: readonly Side[] = ['before', 'after'];

export interface OwnNodeInput {
  readonly pair: ProgramPair;
  readonly placed: readonly JointEndpoint[];
  readonly verdicts: VerdictDifference;
  readonly translate: (id: number) => number;
}

/** Pairs of pods of two ends that share a node in both sets, or in one of them alone. */
interface Meeting {
  both: number;
  before: number;
  after: number;
}

/** Pods of an end on a node. */
interface Resident {
  readonly end: number;
  readonly residence: Residence;
}

interface NodeResidents {
  readonly hosts: Resident[];
  readonly others: Resident[];
}

export class OwnNodeChanges {
  private readonly input: OwnNodeInput;
  private readonly nodes: Readonly<Record<Side, Map<string, NodeResidents>>> = { before: new Map(), after: new Map() };
  /** Nobody has moved and no tier judges: then only a pair whose pods are all on one node is not as policies say. */
  private readonly isSettled: boolean;

  constructor(input: OwnNodeInput) {
    this.input = input;
    const { pair, placed } = input;
    for (const [end, { residences, isHost }] of placed.entries()) {
      for (const residence of residences) for (const side of SIDES) this.enter(side, { end, residence }, isHost[side]);
    }
    const hasTiers = SIDES.some((side) => pair[side].cluster.clusterPolicies.length > 0);
    this.isSettled = !hasTiers && placed.every(({ residences, isHost }) => isHost.before === isHost.after && residences.every(({ before, after }) => before === after));
  }

  private enter(side: Side, resident: Resident, isHost: boolean): void {
    const name = resident.residence[side];
    if (name === undefined) return;
    const nodes = this.nodes[side];
    let node = nodes.get(name);
    if (node === undefined) nodes.set(name, (node = { hosts: [], others: [] }));
    (isHost ? node.hosts : node.others).push(resident);
  }

  /** By target, where the change is not the one that policies make between ends like these; undefined: there is none. */
  correctionsOf(source: number): ReadonlyMap<number, PortChange | undefined> {
    const corrections = new Map<number, PortChange | undefined>();
    const { placed, verdicts } = this.input;
    const meetings = this.meetingsOf(source);
    if (meetings.size === 0) return corrections;
    verdicts.setSource(placed[source]!.quads);
    for (const [target, meeting] of meetings) {
      const byPolicies = verdicts.portsTowards(placed[target]!.quads);
      const plain = verdicts.changeOf(byPolicies.before, byPolicies.after);
      const change = this.changeOf(meeting, { source, target, byPolicies });
      if (!isSameChange(plain, change)) corrections.set(target, change);
    }
    return corrections;
  }

  private changeOf({ both, before, after }: Meeting, { source, target, byPolicies }: { readonly source: number; readonly target: number; readonly byPolicies: JointPorts }): PortChange | undefined {
    const { verdicts } = this.input;
    const apart = podsOf(this.end(source)) * podsOf(this.end(target)) - both - before - after;
    const own = { before: this.ownPorts('before', source, target), after: this.ownPorts('after', source, target) };
    return [
      apart > 0 ? verdicts.changeOf(byPolicies.before, byPolicies.after) : undefined,
      both > 0 ? verdicts.changeOf(own.before, own.after) : undefined,
      before > 0 ? verdicts.changeOf(own.before, byPolicies.after) : undefined,
      after > 0 ? verdicts.changeOf(byPolicies.before, own.after) : undefined,
    ].reduce(uniteChanges);
  }

  private ownPorts(side: Side, source: number, target: number): number {
    const { pair, translate } = this.input;
    const [from, into] = [this.end(source), this.end(target)];
    const [sourceQuad, targetQuad] = [from.quads[side], into.quads[side]];
    if (sourceQuad === undefined || targetQuad === undefined) return NO_PORTS_ID;
    const ports = portsOnOwnNode(pair[side], { source: sourceQuad, target: targetQuad, isFromHost: from.isHost[side] });
    return side === 'after' ? translate(ports) : ports;
  }

  private meetingsOf(source: number): ReadonlyMap<number, Meeting> {
    const meetings = new Map<number, Meeting>();
    const { residences, isHost } = this.end(source);
    if (this.isSettled && residences.length > 1) return meetings;
    for (const own of residences) {
      for (const side of SIDES) {
        const node = own[side] === undefined ? undefined : this.nodes[side].get(own[side]);
        if (node === undefined) continue;
        for (const { end, residence } of isHost[side] ? node.others : node.hosts) {
          if (this.isSettled && this.end(end).residences.length > 1) continue;
          const isAlsoOther = this.share(otherSide(side), { end: source, residence: own }, { end, residence });
          // Those that share a node in both sets were met on the first side.
          if (isAlsoOther && side === 'after') continue;
          const meeting = meetings.get(end) ?? { both: 0, before: 0, after: 0 };
          meeting[isAlsoOther ? 'both' : side] += own.pods * residence.pods;
          meetings.set(end, meeting);
        }
      }
    }
    return meetings;
  }

  private share(side: Side, a: Resident, b: Resident): boolean {
    const node = a.residence[side];
    return node !== undefined && node === b.residence[side] && this.end(a.end).isHost[side] !== this.end(b.end).isHost[side];
  }

  private end(index: number): JointEndpoint {
    return this.input.placed[index]!;
  }
}

function otherSide(side: Side): Side {
  return side === 'before' ? 'after' : 'before';
}

function podsOf({ residences }: JointEndpoint): number {
  return residences.reduce((sum, { pods }) => sum + pods, 0);
}

function uniteChanges(a: PortChange | undefined, b: PortChange | undefined): PortChange | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { gained: unionPorts(a.gained, b.gained), lost: unionPorts(a.lost, b.lost) };
}

function isSameChange(a: PortChange | undefined, b: PortChange | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.gained.join() === b.gained.join() && a.lost.join() === b.lost.join());
}
