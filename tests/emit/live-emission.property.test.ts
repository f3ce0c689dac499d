// A live emission through random changes: what it holds is what a whole emission says, and no moment on the way is more open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpAddress, type IpRange } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { LiveProgram } from '../../src/compile/live-program.ts';
import { keyText, type Elements } from '../../src/emit/element.ts';
import { rulesetOf } from '../../src/emit/elements.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { LiveEmission } from '../../src/emit/live-emission.ts';
import type { ChangePlan, ChangeStep } from '../../src/emit/plan-change.ts';
import type { Ruleset } from '../../src/emit/ruleset.ts';
import { FakeTable } from '../../src/kernel/internal/fake-table.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkWith } from '../clusters/check-property.ts';
import { changedCluster, changeOf, randomChanges, randomChangesOf, type RandomChanges } from '../clusters/random-changes.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';
import { onTwoNodes, placementOf } from './two-nodes.ts';
import { excess, questionsOf, Verdicts, type Question } from './verdict.ts';

const NODE = 'n1';

/** What happens beside changes, before each of them. */
const EVENTS = ['none', 'none', 'none', 'none', 'plan', 'plan', 'plan', 'plan', 'second', 'compact', 'renumber', 'restart'] as const;

interface Story {
  readonly changes: RandomChanges;
  readonly events: readonly (typeof EVENTS)[number][];
}

const stories: fc.Arbitrary<Story> = fc.record({ changes: randomChanges, events: fc.array(fc.constantFrom(...EVENTS), { minLength: 10, maxLength: 10 }) });

/** Pods that go from class to class while policies widen and narrow: what gives an id another meaning. */
const crowdedStories: fc.Arbitrary<Story> = fc.record({
  changes: randomChangesOf(['put-pod', 'put-pod', 'put-pod', 'remove-pod', 'put-policy', 'put-policy', 'remove-policy', 'put-cluster-policy']),
  events: fc.array(fc.constantFrom<Story['events'][number][]>('none', 'none', 'plan', 'plan', 'plan', 'second', 'compact'), { minLength: 10, maxLength: 10 }),
});

/** How many plans a packet may live through here. */
const PLANS_MAX = 3;

/** What the kernel holds after a plan; a packet lives through at most one change of `second`. */
interface State {
  readonly verdicts: Verdicts;
  readonly second: number;
}

test('a live emission holds what a whole one says', () => {
  checkWith(stories, (raw, story) => {
    for (const { table, emission, cluster } of play(raw, story)) {
      const held = rulesetOf(table.elements);
      const wanted = wholeOf(cluster);
      assert.deepEqual(held.podRanges, wanted.podRanges);
      assert.deepEqual(held.localPods, wanted.localPods);
      const [now, whole] = [new Verdicts(held), new Verdicts(wanted)];
      for (const question of questionsOf([held, wanted])) {
        assert.deepEqual(now.portsOf(question), whole.portsOf(question), describe(question));
      }
      assert.deepEqual(sortedElements(emission.elements()), sortedElements(table.elements));
    }
  }, { share: 0.6 });
});

test('look-ups mixed across live changes give what one of the states gives, or nothing', () => {
  checkWith(fc.oneof(stories, { arbitrary: crowdedStories, weight: 3 }), (raw, story) => {
    const states: State[] = [];
    for (const { table, second } of play(raw, story)) {
      states.push({ verdicts: new Verdicts(rulesetOf(table.elements)), second });
      for (let count = 2; count <= PLANS_MAX + 1 && count <= states.length; count++) {
        const window = states.slice(-count);
        if (second - window[0]!.second > 1) break;
        const verdicts = window.map((state) => state.verdicts);
        for (const question of questionsOf(verdicts.map(({ ruleset }) => ruleset))) holdsMixed(question, verdicts);
      }
    }
  });
});

// The packet read the class of its peer in the first state, and the pair in the last.
function holdsMixed(question: Question, states: readonly Verdicts[]): void {
  const { direction, local, peer } = question;
  const [first, last] = [states[0]!, states.at(-1)!];
  if (first.isIsolated(question) !== true) return;
  // An address that went and came back has no packet on its way: pods are not replaced within a look-up.
  if (states.some((state) => state.isIsolated(question) === undefined)) return;
  const seen = last.lookup(direction, local.family).portsOf(local.value, first.lookup(direction, local.family).classAt(peer.value));
  assert.deepEqual(excess(seen, states.map((state) => state.portsOf(question))), [], describe(question));
}

test('no step of a live change is more open than what it leaves and what it goes to', () => {
  checkWith(stories, (raw, story) => {
    for (const { before, plan, table } of play(raw, story)) {
      const after = rulesetOf(table.elements);
      const [old, wanted] = [new Verdicts(rulesetOf(before)), new Verdicts(after)];
      const questions = questionsOf([old.ruleset, wanted.ruleset]);
      const limits = questions.map((question) => [old.portsOf(question), wanted.portsOf(question)]);
      const between = new FakeTable();
      between.apply([...before].map(([set, added]) => ({ set, removed: [], added })));
      for (const step of plan.steps.flatMap(smallestSteps)) {
        between.apply([step]);
        const now = new Verdicts(rulesetOf(between.elements));
        for (const [index, question] of questions.entries()) {
          assert.deepEqual(excess(now.portsOf(question), limits[index]!), [], `${describe(question)} after ${step.set}`);
        }
      }
    }
  }, { share: 0.1 });
});

test('a live change that does not take away takes nothing away', () => {
  checkWith(stories, (raw, story) => {
    for (const { before, plan, table } of play(raw, story)) {
      if (plan.takesAway) continue;
      const [old, wanted] = [new Verdicts(rulesetOf(before)), new Verdicts(rulesetOf(table.elements))];
      for (const question of questionsOf([old.ruleset, wanted.ruleset])) {
        assert.deepEqual(excess(old.portsOf(question), [wanted.portsOf(question)]), [], describe(question));
      }
    }
  }, { share: 0.3 });
});

test('an id of a profile keeps its ports through live changes', () => {
  checkWith(stories, (raw, story) => {
    const ports = new Map<string, string>();
    for (const { table, starts } of play(raw, story)) {
      for (const profile of rulesetOf(table.elements).profiles) {
        const key = `${starts} ${profile.id}`;
        assert.equal(ports.get(key) ?? profile.ports.join(), profile.ports.join());
        ports.set(key, profile.ports.join());
      }
    }
  }, { share: 0.2 });
});

interface Turn {
  /** What the kernel held before the plan. */
  readonly before: Elements;
  readonly plan: ChangePlan;
  readonly table: FakeTable;
  readonly emission: LiveEmission;
  readonly cluster: Cluster;
  readonly second: number;
  /** How many times the process has begun anew. */
  readonly starts: number;
}

/** Gives each plan once the table has taken it; refuses what the kernel would refuse. */
function* play(raw: RawCluster, { changes: { pool, picks }, events }: Story): Generator<Turn> {
  let cluster = onOneNodeEach(settleCluster(raw));
  const others = onOneNodeEach(pool);
  const live = new LiveProgram(cluster);
  let emission = new LiveEmission(live, NODE);
  const table = new FakeTable();
  let [second, starts] = [0, 0];
  const turn = (): Turn => {
    const before = table.elements;
    const plan = emission.plan(rangesOf(cluster));
    table.apply(plan.steps);
    return { before, plan, table, emission, cluster, second, starts };
  };
  yield turn();
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
    if (event !== 'none') yield turn();
  }
  yield turn();
}

/** Pods that a live Program can tell apart by their names. */
function onOneNodeEach(cluster: Cluster): Cluster {
  return onTwoNodes({ ...cluster, pods: cluster.pods.map((pod) => ({ ...pod, replicas: 1 })) });
}

function wholeOf(cluster: Cluster): Ruleset {
  return emitRuleset(compileCluster(cluster), { ...placementOf(cluster, NODE), localPodRanges: rangesOf(cluster) }).ruleset;
}

function rangesOf(cluster: Cluster): readonly IpRange[] {
  return cluster.nodes.find(({ name }) => name === NODE)?.podRanges ?? [];
}

function sortedElements(elements: Elements): [string, string[]][] {
  return [...elements].map(([set, list]) => [set, list.map((element) => `${keyText(element)} ${element.data}`).sort()]);
}

// What goes and its successor take effect together, all else one by one: the smallest batches that could be.
function smallestSteps({ set, removed, added }: ChangeStep): ChangeStep[] {
  if (removed.length > 0 && added.length > 0) return [{ set, removed, added }];
  return [
    ...removed.map((element): ChangeStep => ({ set, removed: [element], added: [] })),
    ...added.map((element): ChangeStep => ({ set, removed: [], added: [element] })),
  ];
}

function describe({ direction, local, peer }: Question): string {
  return `${direction} of ${formatIpAddress(local)} with ${formatIpAddress(peer)}`;
}
