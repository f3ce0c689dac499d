// Takes each piece of an addition away and asks whether a flow that it was made for is refused: what nothing needs is left out.
import { FlowJudge, type AskedPair } from '../flow/flow.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Direction, NetworkPolicy } from '../model/network-policy.ts';
import { withAdditions, withoutEachPiece, type Addition } from './additions.ts';
import { pairAt, workloadOf, workloadText } from './prove-flows.ts';
import { inDirection } from './refused-rows.ts';
import type { Subject } from './subjects.ts';

export interface PieceQuestion {
  readonly cluster: Cluster;
  readonly table: FlowTable;
  readonly subject: Subject;
  /** The policies that select some of its pods. */
  readonly over: readonly NetworkPolicy[];
}

export interface Proposed {
  readonly policy: NetworkPolicy;
  /** It is not among the policies of the cluster. */
  readonly isNew: boolean;
  readonly direction: Direction;
  readonly additions: readonly Addition[];
}

/**
 * All of one direction, with nothing in them that can be spared; all flows are asked together, for what one piece lets through
 * another may as well.
 */
export function dropSpare(question: PieceQuestion, proposed: readonly Proposed[]): readonly Proposed[] {
  const isEnough = asker(question, proposed);
  let kept = proposed;
  for (let one = 0; one < kept.length; one++) {
    for (let at = 0; at < kept[one]!.additions.length;) {
      const own = kept[one]!;
      const smaller = withoutEachPiece(own.additions[at]!).map((left) => kept.with(one, { ...own, additions: own.additions.toSpliced(at, 1, ...(left === undefined ? [] : [left])) }));
      const less = smaller.find((changed) => isEnough(changed, own.additions[at]!));
      if (less === undefined) at++;
      else kept = less;
    }
  }
  return kept.filter(({ additions }) => additions.length > 0);
}

/** Whether all flows go through, of the direction alone; those of one addition are asked first, for they are the ones that need it. */
function asker({ cluster, table, subject, over }: PieceQuestion, proposed: readonly Proposed[]): (proposed: readonly Proposed[], first: Addition) => boolean {
  const rows = [...new Set(proposed.flatMap(({ additions }) => additions.flatMap(({ connections }) => connections.flatMap(({ seen }) => seen?.rows ?? []))))];
  const pairs = new Map(rows.map((row) => [row, pairAt(table, row)]));
  const numbers = [...new Set([...pairs.values()].flatMap(({ source, target }) => [source, target]))];
  const numberOf = new Map(numbers.map((end, index) => [end, index]));
  const workloads = new Set(numbers.flatMap((end) => workloadOf(table, end) ?? []));
  const own = new Set(subject.pods);
  const pods = cluster.pods.filter(({ workload }, index) => own.has(index) || workloads.has(workloadText(workload)));
  return (changed, first) => {
    const edited = new Set(changed.map(({ policy }) => policy));
    const policies = [...over.filter((policy) => !edited.has(policy)), ...changed.map(({ policy, additions }) => withAdditions(policy, additions))];
    const ofDirection = policies.map((policy) => inDirection(policy, proposed[0]!.direction));
    const judge = new FlowJudge({ ...cluster, pods, policies: ofDirection, clusterPolicies: [] }, numbers.map((end) => table.ends.all[end]!));
    const isRefused = (row: number): boolean => !judge.isAllowed(renumbered(pairs.get(row)!, numberOf));
    return !first.connections.some(({ seen }) => seen?.rows.some(isRefused)) && !rows.some(isRefused);
  };
}

function renumbered(pair: AskedPair, numberOf: ReadonlyMap<number, number>): AskedPair {
  return { ...pair, source: numberOf.get(pair.source)!, target: numberOf.get(pair.target)! };
}
