// Whether any connection changes when parts of policies are taken away: looked for only where their rules speak, both ends together.
import { intersectPorts, type PortSet } from '../base/port-set.ts';
import { WordError } from '../base/word-error.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { Program } from '../compile/program.ts';
import { FAMILIES } from '../analyze/endpoint.ts';
import { isOwnNode } from '../analyze/own-node.ts';
import { classOf, ofEach, subjectOf, type AlikeEnd, type EndIndex } from './alike-ends.ts';
import { decideCell, NOTHING_GONE, rulesOfCell, type Cell, type CellRules, type CellVerdict, type Removal } from './cell-verdict.ts';
import type { AnyPolicy, PolicyElement, SplitCluster } from './policy-elements.ts';

/** Pairs of subject and peer class that are looked at; more are refused. */
const CELLS_MAX = 20_000_000;
/** Cells whose rules are kept at a time. */
const KEPT_MAX = 200_000;

/** A cell where an element may speak: without it all is decided alike, or not alike but refused by the other ends, or by nobody met. */
export interface TouchedCell {
  readonly rules: CellRules;
  readonly outcome: 'alike' | 'refused' | 'nobody-there';
}

interface KnownCell {
  readonly rules: CellRules;
  readonly whole: CellVerdict;
}

export class RemovalSearch {
  private readonly program: Program;
  private readonly split: SplitCluster;
  private readonly ends: EndIndex;
  private readonly governed: Readonly<Record<Direction, ReadonlyMap<AnyPolicy, readonly number[]>>>;
  private readonly known = new Map<string, KnownCell>();
  private cellCount = 0;

  constructor(program: Program, split: SplitCluster, ends: EndIndex) {
    this.program = program;
    this.split = split;
    this.ends = ends;
    this.governed = ofEach((direction) => this.governedBy(direction));
  }

  /** Whether the element governs any pod. */
  governs({ policy }: PolicyElement): boolean {
    return DIRECTIONS.some((direction) => this.governed[direction].has(policy));
  }

  /**
   * Whether a connection changes when `gone`, of which the element is a part, is taken away; what the rest of `gone`
   * changes by itself is not looked for. `see` is told of each cell on the way. Throws WordError for a cluster beyond the bound.
   */
  changesAnything(element: PolicyElement, gone: Removal, see: (cell: TouchedCell) => void = () => {}): boolean {
    for (const cell of this.cellsOf(element, gone)) {
      if (++this.cellCount > CELLS_MAX) throw new WordError(`this cluster is too large to search for what is redundant (more than ${CELLS_MAX} pairs of policies' pods and peers)`, 'name the manifests of fewer namespaces');
      const { rules, whole } = this.cell(cell);
      const without = decideCell(rules, this.split, gone);
      const outcome = isSameVerdict(whole, without) ? 'alike' : this.outcomeOfPairs(cell, { whole, without }, gone);
      if (outcome === 'changed') return true;
      see({ rules, outcome });
    }
    return false;
  }

  private governedBy(direction: Direction): ReadonlyMap<AnyPolicy, readonly number[]> {
    const side = this.program[direction];
    const governed = new Map<AnyPolicy, number[]>();
    for (const subject of this.ends.bySubject[direction].keys()) {
      for (const policy of [...side.policiesOf(subject), ...side.clusterPoliciesOf(subject)]) {
        const written = this.split.policyOf.get(policy)!;
        const subjects = governed.get(written);
        if (subjects === undefined) governed.set(written, [subject]);
        else subjects.push(subject);
      }
    }
    return governed;
  }

  /** Where the element may speak: towards everybody if it isolates or denies, else only where its subject lets anything through. */
  private *cellsOf({ policy, direction: only }: PolicyElement, gone: Removal): Generator<Cell> {
    for (const direction of only === undefined ? DIRECTIONS : [only]) {
      const side = this.program[direction];
      for (const subject of this.governed[direction].get(policy) ?? []) {
        const isIsolatedStill = side.policiesOf(subject).some((one) => !gone.policies.has(this.split.policyOf.get(one)!));
        const isSparse = isIsolatedStill && side.clusterPoliciesOf(subject).length === 0;
        for (const peerClass of isSparse ? classesOfRow(side.rowOf(subject)) : this.allClasses(direction)) yield { direction, subject, peerClass };
      }
    }
  }

  /** Those that anybody has. */
  private allClasses(direction: Direction): Iterable<number> {
    const { 4: v4, 6: v6 } = this.ends.byClass[direction];
    return new Set([...v4.keys(), ...v6.keys()]);
  }

  private cell(cell: Cell): KnownCell {
    const key = `${cell.direction} ${cell.subject} ${cell.peerClass}`;
    let known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= KEPT_MAX) this.known.clear();
    const rules = rulesOfCell(this.program, this.split, cell);
    known = { rules, whole: decideCell(rules, this.split, NOTHING_GONE) };
    this.known.set(key, known);
    return known;
  }

  private outcomeOfPairs({ direction, subject, peerClass }: Cell, verdicts: Verdicts, gone: Removal): 'changed' | 'refused' | 'nobody-there' {
    const other: Direction = direction === 'ingress' ? 'egress' : 'ingress';
    const answers = new Map<string, boolean>();
    for (const family of FAMILIES) {
      for (const peer of this.ends.byClass[direction][family].get(peerClass) ?? []) {
        for (const own of this.ends.bySubject[direction].get(subject)!) {
          if (!own.quad.families.includes(family) || (own === peer && own.pods < 2)) continue;
          const cell: Cell = { direction: other, subject: subjectOf(peer.quad, other), peerClass: classOf(own.quad, other, family) };
          const isOwn = isOwnNode(own, peer);
          const key = `${cell.subject} ${cell.peerClass} ${isOwn}`;
          let changes = answers.get(key);
          if (changes === undefined) answers.set(key, (changes = isOwn ? changesOnOwnNode(direction, peer, verdicts) : this.changesBetween(cell, verdicts, gone)));
          if (changes) return 'changed';
        }
      }
    }
    return answers.size === 0 ? 'nobody-there' : 'refused';
  }

  private changesBetween(other: Cell, { whole, without }: Verdicts, gone: Removal): boolean {
    const { rules, whole: otherWhole } = this.cell(other);
    const otherWithout = decideCell(rules, this.split, gone);
    return !isSamePorts(intersectPorts(whole.ports, otherWhole.ports), intersectPorts(without.ports, otherWithout.ports));
  }
}

interface Verdicts {
  readonly whole: CellVerdict;
  readonly without: CellVerdict;
}

/** Between a pod and its own node the pod's egress is judged, and that alone, towards the node. */
function changesOnOwnNode(direction: Direction, peer: AlikeEnd, { whole, without }: Verdicts): boolean {
  return direction === 'egress' && peer.hostNetwork && !isSamePorts(whole.ownNodePorts, without.ownNodePorts);
}

function isSameVerdict(a: CellVerdict, b: CellVerdict): boolean {
  return isSamePorts(a.ports, b.ports) && isSamePorts(a.ownNodePorts, b.ownNodePorts);
}

function isSamePorts(a: PortSet, b: PortSet): boolean {
  return a.length === b.length && a.every((point, index) => point === b[index]);
}

function classesOfRow(row: { forEach(give: (peerClass: number) => void): void }): number[] {
  const classes: number[] = [];
  row.forEach((peerClass) => classes.push(peerClass));
  return classes;
}
