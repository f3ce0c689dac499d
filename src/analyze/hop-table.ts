// Who is one connection away: ends by what decides about them as sources and as targets, so that alike ones are tried once.
import { ListInterner } from '../compile/list-interner.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { familyBits, type Quad } from './endpoint.ts';
import { VerdictsFrom } from './verdicts-from.ts';

/** Kinds of targets that are not reached yet; a search takes them out. */
export interface OpenTargets {
  readonly isOpen: Uint8Array;
  /** Those that are open, and some that no longer are. */
  list: number[];
  count: number;
}

export class HopTable {
  readonly sourceCount: number;
  /** Kind of source of each end. */
  readonly sourceOf: readonly number[];
  private readonly targetOf: readonly number[];
  private readonly sources: readonly Quad[];
  private readonly targets: readonly Quad[];
  /** By kind of target, the ends of it. */
  private readonly members: readonly (readonly number[])[];
  /** By egress class, kinds of targets. */
  private readonly targetsOfClass: number[][];
  private targetsLettingIn: number[][] | 'too large' | undefined;
  private readonly openToAll: number[] = [];
  private readonly verdicts: VerdictsFrom;
  private readonly program: Program;

  constructor(program: Program, quads: readonly Quad[]) {
    this.program = program;
    const sources = new Kinds(quads, ({ egressSubject, ingressClass, families }) => [egressSubject, ingressClass[4], ingressClass[6], familyBits(families)]);
    const targets = new Kinds(quads, ({ ingressSubject, egressClass, families }) => [ingressSubject, egressClass[4], egressClass[6], familyBits(families)]);
    this.sourceCount = sources.quads.length;
    this.sourceOf = sources.kindOf;
    this.sources = sources.quads;
    this.targets = targets.quads;
    this.targetOf = targets.kindOf;
    this.members = targets.members;
    this.targetsOfClass = Array.from({ length: program.egress.classCount }, () => []);
    for (const [kind, { egressClass }] of targets.quads.entries()) for (const peerClass of new Set([egressClass[4], egressClass[6]])) this.targetsOfClass[peerClass]!.push(kind);
    this.verdicts = new VerdictsFrom(program);
  }

  openTargets(): OpenTargets {
    return { isOpen: new Uint8Array(this.targets.length).fill(1), list: [...this.targets.keys()], count: this.targets.length };
  }

  /** Of these ends alone. */
  openTargetsOf(ends: readonly number[]): OpenTargets {
    const list = [...new Set(ends.map((end) => this.targetOf[end]!))];
    const isOpen = new Uint8Array(this.targets.length);
    for (const kind of list) isOpen[kind] = 1;
    return { isOpen, list, count: list.length };
  }

  /** Ends of the open kinds that a kind of source reaches; these are open no longer. */
  takeReached(source: number, open: OpenTargets): number[] {
    const reached: number[] = [];
    const isReached = this.verdictsOf(source, open);
    for (const kind of this.candidates(source, open)) {
      if (open.isOpen[kind] === 0 || !isReached(kind)) continue;
      open.isOpen[kind] = 0;
      open.count--;
      for (const end of this.members[kind]!) reached.push(end);
    }
    return reached;
  }

  /** A row is spread out only for more targets than a few. */
  private verdictsOf(source: number, open: OpenTargets): (kind: number) => boolean {
    const from = this.sources[source]!;
    if (open.count <= FEW_TARGETS) return (kind) => allowedBetween(this.program, { source: from, target: this.targets[kind]! }) !== NO_PORTS_ID;
    this.verdicts.setSource(from);
    return (kind) => this.verdicts.towards(this.targets[kind]) !== NO_PORTS_ID;
  }

  /** Behind the classes that the source's row names, or with rows that name its class, or all that are open: whichever are fewest. */
  private candidates(source: number, open: OpenTargets): readonly number[] {
    if (open.count * 2 < open.list.length) open.list = open.list.filter((kind) => open.isOpen[kind] === 1);
    const { egressSubject, ingressClass } = this.sources[source]!;
    const byEgress = this.program.egress.isGoverned(egressSubject) ? this.behindRow(egressSubject, open.list.length) : undefined;
    const letIn = this.lettingIn(ingressClass, (byEgress ?? open.list).length);
    return letIn ?? byEgress ?? open.list;
  }

  /** undefined: more than `most`. */
  private behindRow(egressSubject: number, most: number): number[] | undefined {
    const behind: number[] = [];
    let isTooMany = false;
    this.program.egress.rowOf(egressSubject).forEach((peerClass) => {
      if (isTooMany) return;
      for (const kind of this.targetsOfClass[peerClass]!) behind.push(kind);
      isTooMany = behind.length > most;
    });
    return isTooMany ? undefined : behind;
  }

  private lettingIn(classes: Quad['ingressClass'], most: number): number[] | undefined {
    this.targetsLettingIn ??= this.indexIngress();
    const index = this.targetsLettingIn;
    if (index === 'too large') return undefined;
    const lists = [this.openToAll, index[classes[4]]!, ...(classes[6] === classes[4] ? [] : [index[classes[6]]!])];
    return lists.reduce((sum, list) => sum + list.length, 0) > most ? undefined : lists.flat();
  }

  /** By ingress class, kinds of targets under a policy that let it in; a kind that nothing governs is in `openToAll`. */
  private indexIngress(): number[][] | 'too large' {
    const { ingress } = this.program;
    const index: number[][] = Array.from({ length: ingress.classCount }, () => []);
    let entries = 0;
    for (const [kind, { ingressSubject }] of this.targets.entries()) {
      if (!ingress.isGoverned(ingressSubject)) {
        this.openToAll.push(kind);
        continue;
      }
      ingress.rowOf(ingressSubject).forEach((peerClass) => {
        if (entries++ < INDEX_MAX) index[peerClass]!.push(kind);
      });
      if (entries > INDEX_MAX) return 'too large';
    }
    return index;
  }
}

/** Open targets up to which each is looked up by itself. */
const FEW_TARGETS = 64;

/** Entries of the index of who lets a class in; above it the open targets are tried one by one. */
const INDEX_MAX = 20_000_000;

class Kinds {
  readonly quads: Quad[] = [];
  readonly members: number[][] = [];
  readonly kindOf: readonly number[];

  constructor(quads: readonly Quad[], keyOf: (quad: Quad) => readonly number[]) {
    const ids = new ListInterner();
    this.kindOf = quads.map((quad, end) => {
      // The empty list has the first number.
      const id = ids.intern(keyOf(quad)) - 1;
      if (id === this.quads.length) {
        this.quads.push(quad);
        this.members.push([]);
      }
      this.members[id]!.push(end);
      return id;
    });
  }
}
