// A live emission in random stories: changes, plans, compactions, Programs compiled anew, restarts, and the seconds between.
import fc from 'fast-check';
import type { IpRange } from '../../src/base/ip-address.ts';
import { LiveProgram } from '../../src/compile/live-program.ts';
import { keyText, type Elements } from '../../src/emit/element.ts';
import { LiveEmission } from '../../src/emit/live-emission.ts';
import type { ChangePlan } from '../../src/emit/plan-change.ts';
import { FakeTable } from '../../src/kernel/internal/fake-table.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { changedCluster, changeOf, randomChanges, randomChangesOf, type RandomChanges } from '../clusters/random-changes.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';
import { onTwoNodes } from './two-nodes.ts';

export const NODE = 'n1';

/** What happens beside changes, before each of them. */
const EVENTS = ['none', 'none', 'none', 'none', 'plan', 'plan', 'plan', 'plan', 'second', 'compact', 'renumber', 'restart', 'break'] as const;

export interface Story {
  readonly changes: RandomChanges;
  readonly events: readonly (typeof EVENTS)[number][];
}

export const stories: fc.Arbitrary<Story> = fc.record({ changes: randomChanges, events: fc.array(fc.constantFrom(...EVENTS), { minLength: 10, maxLength: 10 }) });

/** Pods that go from class to class while policies widen and narrow: what gives an id another meaning. */
export const crowdedStories: fc.Arbitrary<Story> = fc.record({
  changes: randomChangesOf(['put-pod', 'put-pod', 'put-pod', 'remove-pod', 'put-policy', 'put-policy', 'remove-policy', 'put-cluster-policy']),
  events: fc.array(fc.constantFrom<Story['events'][number][]>('none', 'none', 'plan', 'plan', 'plan', 'second', 'compact', 'break'), { minLength: 10, maxLength: 10 }),
});

export interface Turn {
  /** What the kernel held before the plan. */
  readonly before: Elements;
  readonly plan: ChangePlan;
  readonly table: FakeTable;
  readonly emission: LiveEmission;
  readonly cluster: Cluster;
  readonly second: number;
  /** How many times the process has begun anew. */
  readonly starts: number;
  /** The kernel took a part of the plan and no more: `plan` is that part. */
  readonly isBroken: boolean;
}

/** Gives each plan once the table has taken it; refuses what the kernel would refuse. */
export function* play(raw: RawCluster, { changes: { pool, picks }, events }: Story): Generator<Turn> {
  let cluster = onOneNodeEach(settleCluster(raw));
  const others = onOneNodeEach(pool);
  const live = new LiveProgram(cluster);
  let emission = new LiveEmission(live, NODE);
  const table = new FakeTable();
  let [second, starts] = [0, 0];
  const turn = (isBroken: boolean): Turn => {
    const before = table.elements;
    const whole = emission.plan(rangesOf(cluster));
    const plan = isBroken ? { ...whole, steps: whole.steps.slice(0, whole.steps.length >> 1) } : whole;
    table.apply(plan.steps);
    if (isBroken) emission.adopt(table.elements);
    return { before, plan, table, emission, cluster, second, starts, isBroken };
  };
  yield turn(false);
  for (const [index, pick] of picks.entries()) {
    const event = events[index % events.length]!;
    if (event === 'second') {
      emission.forgetLeftIds();
      second++;
    }
    if (event === 'compact') emission.compact();
    if (event === 'renumber') live.compact();
    if (event === 'restart') {
      emission = new LiveEmission(live, NODE);
      emission.adopt(table.elements);
      second += 2;
      starts++;
    }
    const change = changeOf(cluster, others, pick);
    if (change !== undefined) {
      cluster = changedCluster(cluster, change);
      emission.follow(live.apply(change));
    }
    if (event !== 'none') yield turn(event === 'break');
  }
  yield turn(false);
}

/** Pods that a live Program can tell apart by their names. */
function onOneNodeEach(cluster: Cluster): Cluster {
  return onTwoNodes({ ...cluster, pods: cluster.pods.map((pod) => ({ ...pod, replicas: 1 })) });
}

export function rangesOf(cluster: Cluster): readonly IpRange[] {
  return cluster.nodes.find(({ name }) => name === NODE)?.podRanges ?? [];
}

/** By set, as texts. */
export function sortedElements(elements: Elements): [string, string[]][] {
  return [...elements].map(([set, list]) => [set, list.map((element) => `${keyText(element)} ${element.data}`).sort()]);
}
