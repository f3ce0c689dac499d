// Takes each piece of an addition away and asks whether a flow that it was made for is refused: what nothing needs is left out.
import { FlowJudge, type AskedPair } from '../../flow/flow.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Direction, NetworkPolicy } from '../../model/network-policy.ts';
import { withAdditions, withoutEachPiece, type Addition } from './additions.ts';
import { pairAt, workloadOf, workloadText } from '../proof/prove-flows.ts';
import { inDirection } from '../proof/refused-rows.ts';
import type { Subject } from '../ends/subjects.ts';

export interface PieceQuestion {
  readonly cluster: Cluster;
  readonly table: FlowTable;
  readonly direction: Direction;
}

/** What one workload gets. */
export interface SubjectPieces {
  readonly subject: Subject;
  /** The policies that select some of its pods. */
  readonly over: readonly NetworkPolicy[];
  readonly proposed: readonly Proposed[];
}

/** Selects pods of the one workload alone. */
export interface Proposed {
  readonly policy: NetworkPolicy;
  /** It is not among the policies of the cluster. */
  readonly isNew: boolean;
  readonly additions: readonly Addition[];
}

/**
 * For each workload the same, with nothing in it that can be spared. In each round one piece of every workload is taken away, for no
 * pod is of two of them; its flows are asked together, for what one piece lets through another may as well.
 */
export function dropSpare(question: PieceQuestion, all: readonly SubjectPieces[]): readonly SubjectPieces[] {
  const trials = all.map(startTrial);
  for (let open = trials; ; ) {
    open = open.filter((trial) => trial.tries.length > 0);
    if (open.length === 0) break;
    const isRefused = askTogether(question, open);
    for (const trial of open) {
      const needed = kept(trial).connections.some(({ seen }) => seen?.rows.some(isRefused)) || trial.rows.some(isRefused);
      if (needed) trial.tries.shift();
      else trial.pieces = { ...trial.pieces, proposed: trial.tries[0]! };
      if (needed && trial.tries.length === 0) trial.place++;
      if (trial.tries.length === 0 || !needed) trial.tries = triesAt(trial);
    }
  }
  return trials.map(({ pieces }) => ({ ...pieces, proposed: pieces.proposed.filter(({ additions }) => additions.length > 0) }));
}

interface Trial {
  pieces: SubjectPieces;
  /** Of the addition that is looked at, over all that are proposed. */
  place: number;
  /** What is left without each of its pieces that was not tried yet; empty: all were. */
  tries: (readonly Proposed[])[];
  readonly rows: readonly number[];
}

function startTrial(pieces: SubjectPieces): Trial {
  const rows = [...new Set(pieces.proposed.flatMap(({ additions }) => additions.flatMap(({ connections }) => connections.flatMap(({ seen }) => seen?.rows ?? []))))];
  const trial = { pieces, place: 0, tries: [], rows };
  return { ...trial, tries: triesAt(trial) };
}

function triesAt({ pieces: { proposed }, place }: Pick<Trial, 'pieces' | 'place'>): (readonly Proposed[])[] {
  const found = locate(proposed, place);
  if (found === undefined) return [];
  const { one, at } = found;
  const own = proposed[one]!;
  return withoutEachPiece(own.additions[at]!).map((left) => proposed.with(one, { ...own, additions: own.additions.toSpliced(at, 1, ...(left === undefined ? [] : [left])) }));
}

function locate(proposed: readonly Proposed[], place: number): { readonly one: number; readonly at: number } | undefined {
  let at = place;
  for (const [one, { additions }] of proposed.entries()) {
    if (at < additions.length) return { one, at };
    at -= additions.length;
  }
  return undefined;
}

/** The addition of which pieces are tried: its flows are the ones that need it. */
function kept({ pieces: { proposed }, place }: Trial): Addition {
  const { one, at } = locate(proposed, place)!; // there is one as long as there is something to try
  return proposed[one]!.additions[at]!;
}

/** Of the direction alone, by the first try of each. */
function askTogether({ cluster, table, direction }: PieceQuestion, trials: readonly Trial[]): (row: number) => boolean {
  const rows = new Set(trials.flatMap((trial) => trial.rows));
  const numbers = [...new Set([...rows].flatMap((row) => [table.columns.source[row]!, table.columns.target[row]!]))];
  const numberOf = new Map(numbers.map((end, index) => [end, index]));
  const workloads = new Set(numbers.flatMap((end) => workloadOf(table, end) ?? []));
  const own = new Set(trials.flatMap(({ pieces: { subject } }) => subject.pods));
  const pods = cluster.pods.filter(({ workload }, index) => own.has(index) || workloads.has(workloadText(workload)));
  const changed = new Map(trials.flatMap(({ tries }) => tries[0]!.map(({ policy, additions }) => [policy, withAdditions(policy, additions)] as const)));
  const standing = new Set(trials.flatMap(({ pieces: { over } }) => over).filter((policy) => !changed.has(policy)));
  const policies = [...standing, ...changed.values()].map((policy) => inDirection(policy, direction));
  const judge = new FlowJudge({ ...cluster, pods, policies, clusterPolicies: [] }, numbers.map((end) => table.ends.all[end]!));
  return (row) => !judge.isAllowed(renumbered(pairAt(table, row), numberOf));
}

function renumbered(pair: AskedPair, numberOf: ReadonlyMap<number, number>): AskedPair {
  return { ...pair, source: numberOf.get(pair.source)!, target: numberOf.get(pair.target)! };
}
