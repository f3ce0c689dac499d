// One direction of a Program: rows of ports by peer class, made when asked, each from its parent's and one policy more.
import type { Direction, NetworkPolicy } from '../model/network-policy.ts';
import { intersectPorts, type PortSet } from '../base/port-set.ts';
import type { PeerClasses, PeerClass } from './peer-classes.ts';
import { ALL_PORTS_ID, NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import type { DirectionProgram, Row, RuleReference } from './program.ts';
import type { PolicyVariant, SubjectTrie, VariantRule } from './subject-trie.ts';

export interface DirectionInput {
  readonly direction: Direction;
  readonly peers: PeerClasses;
  readonly trie: SubjectTrie;
  readonly portSets: PortSetTable;
}

/** The subject that no policy governs. */
export const UNGOVERNED = 0;

export function createDirection({ direction, peers, trie, portSets }: DirectionInput): DirectionProgram {
  const rows = new RowTable({ peers, trie, portSets });
  const variantsOf = (subject: number): PolicyVariant[] => {
    const variants: PolicyVariant[] = [];
    for (let node = subject; node !== UNGOVERNED; node = trie.parents[node]!) variants.push(trie.variants[node]!);
    return variants.sort((a, b) => compareByName(a.policy.policy, b.policy.policy));
  };
  return {
    direction,
    subjectOfGroup: trie.subjectOfGroup,
    subjectCount: trie.parents.length,
    classOfGroup: peers.classOfGroup,
    classOfAtom: peers.classOfAtom,
    classCount: peers.classes.length,
    isIsolated: (subject) => subject !== UNGOVERNED,
    portsOf: (subject, peerClass) => rows.rowOf(subject)[peerClass]!,
    rowOf: (subject) => rows.rowOf(subject),
    policiesOf: (subject) => variantsOf(subject).map((variant) => variant.policy.policy),
    allowingRules: (subject, peerClass, ports) =>
      variantsOf(subject).flatMap((variant) => {
        const passing = variant.rules.filter((rule) => letsThrough(rule, { peerClass: peers.classes[peerClass]!, ports, portSets }));
        return passing.map((rule): RuleReference => ({ policy: variant.policy.policy, rule: variant.policy[direction]![rule.index]!.rule }));
      }),
  };
}

interface PeerAndPorts {
  readonly peerClass: PeerClass;
  readonly ports: PortSet;
  readonly portSets: PortSetTable;
}

function letsThrough(rule: VariantRule, { peerClass, ports, portSets }: PeerAndPorts): boolean {
  if (rule.peerSets !== undefined && !rule.peerSets.some((peerSet) => peerClass.peerSets.includes(peerSet))) return false;
  return intersectPorts(portSets.portSet(portsFor(rule, peerClass, portSets)), ports).length > 0;
}

function portsFor(rule: VariantRule, peerClass: PeerClass, portSets: PortSetTable): number {
  let ports = rule.ports;
  for (const name of rule.portNames) ports = portSets.union(ports, peerClass.namedPorts.get(name) ?? NO_PORTS_ID);
  return ports;
}

// The same order as `cluster.policies`, whatever the order in which the trie was built.
function compareByName(a: NetworkPolicy, b: NetworkPolicy): number {
  return a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

type RowInput = Omit<DirectionInput, 'direction'>;

/**
 * Keeps the rows of subjects that were asked for and of nodes where paths part; those between are passed through.
 * Invariant: the row of node 0 as a subject allows everything, as an ancestor nothing: two arrays, never one.
 */
class RowTable {
  private readonly rows = new Map<number, Row>();
  private readonly everything: Row;
  private readonly nothing: Row;
  private readonly input: RowInput;

  constructor(input: RowInput) {
    this.input = input;
    this.everything = new Uint32Array(input.peers.classes.length).fill(ALL_PORTS_ID);
    this.nothing = new Uint32Array(input.peers.classes.length).fill(NO_PORTS_ID);
  }

  rowOf(subject: number): Row {
    return subject === UNGOVERNED ? this.everything : (this.rows.get(subject) ?? this.makeRow(subject));
  }

  private makeRow(subject: number): Row {
    const { parents, variants, childCounts } = this.input.trie;
    const path: number[] = [];
    let node = subject;
    for (; node !== UNGOVERNED && !this.rows.has(node); node = parents[node]!) path.push(node);
    let row = (this.rows.get(node) ?? this.nothing).slice();
    for (const step of path.reverse()) {
      for (const rule of variants[step]!.rules) this.allow(row, rule);
      if (step === subject || childCounts[step]! < 2) continue;
      this.rows.set(step, row);
      row = row.slice();
    }
    this.rows.set(subject, row);
    return row;
  }

  private allow(row: Row, rule: VariantRule): void {
    const { peers, portSets } = this.input;
    if (rule.peerSets === undefined) {
      for (let peerClass = 0; peerClass < row.length; peerClass++) this.allowClass(row, rule, peerClass);
      return;
    }
    for (const peerSet of rule.peerSets) {
      const classes = peers.classesOf(peerSet);
      if (rule.portNames.length > 0) for (const peerClass of classes) this.allowClass(row, rule, peerClass);
      else for (const peerClass of classes) row[peerClass] = row[peerClass] === NO_PORTS_ID ? rule.ports : portSets.union(row[peerClass]!, rule.ports);
    }
  }

  private allowClass(row: Row, rule: VariantRule, peerClass: number): void {
    const { peers, portSets } = this.input;
    row[peerClass] = portSets.union(row[peerClass]!, portsFor(rule, peers.classes[peerClass]!, portSets));
  }
}
