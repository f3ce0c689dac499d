// A live emission through random changes: what it holds is what a whole emission says, and no moment on the way is more open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import { ALL_PORTS } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { portsOfTiers } from '../../src/compile/tier-ports.ts';
import { rulesetOf } from '../../src/emit/elements.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { settlePlaces } from '../../src/emit/places.ts';
import type { ChangeStep } from '../../src/emit/plan-change.ts';
import { profileIdOf } from '../../src/emit/profile-number.ts';
import type { Ruleset } from '../../src/emit/ruleset.ts';
import { FakeTable } from '../../src/kernel/internal/fake-table.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkWith } from '../clusters/check-property.ts';
import { crowdedStories, NODE, play, rangesOf, sortedElements, stories } from './live-story.ts';
import { placementOf } from './two-nodes.ts';
import { excess, questionsOf, Verdicts, type Question } from './verdict.ts';

/** How many plans a packet may live through here. */
const PLANS_MAX = 3;

/** What the kernel holds after a plan; a packet lives through at most one change of `second`. */
interface State {
  readonly verdicts: Verdicts;
  readonly second: number;
}

test('a live emission holds what a whole one says', () => {
  checkWith(stories, (raw, story) => {
    for (const { table, emission, cluster, isBroken } of play(raw, story)) {
      if (isBroken) continue;
      const held = rulesetOf(table.elements);
      const wanted = wholeOf(cluster);
      assert.deepEqual(held.podRanges, wanted.podRanges);
      // What several pods claim a live Program may keep closed longer, for it tells pods apart by policies that are gone.
      const shared = sharedAddresses(cluster);
      const unshared = ({ localPods }: Ruleset): Ruleset['localPods'] => localPods.filter(({ address }) => !shared.has(formatIpAddress(address)));
      assert.deepEqual(unshared(held), unshared(wanted));
      const [now, whole] = [new Verdicts(held), new Verdicts(wanted)];
      for (const question of questionsOf([held, wanted])) {
        if ([question.local, question.peer].some((address) => shared.has(formatIpAddress(address)))) assert.deepEqual(excess(now.portsOf(question), [whole.portsOf(question)]), [], describe(question));
        else assert.deepEqual(now.portsOf(question), whole.portsOf(question), describe(question));
      }
      assert.deepEqual(sortedElements(emission.elements()), sortedElements(table.elements));
    }
  }, { share: 0.6 });
});

function sharedAddresses({ pods }: Cluster): ReadonlySet<string> {
  const all = pods.flatMap(({ addresses }) => addresses.map(formatIpAddress));
  return new Set(all.filter((address, index) => all.indexOf(address) !== index));
}

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
    for (const { before, plan, table, isBroken } of play(raw, story)) {
      if (isBroken) continue;
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
  checkWith(fc.oneof(stories, { arbitrary: crowdedStories, weight: 3 }), (raw, story) => {
    for (const { before, plan, table, isBroken } of play(raw, story)) {
      if (plan.takesAway || isBroken) continue;
      const [old, wanted] = [new Verdicts(rulesetOf(before)), new Verdicts(rulesetOf(table.elements))];
      for (const question of questionsOf([old.ruleset, wanted.ruleset])) {
        assert.deepEqual(excess(old.portsOf(question), [wanted.portsOf(question)]), [], describe(question));
      }
    }
  });
});

test('what a pod may send to its own node is what the tiers say', () => {
  checkWith(stories, (raw, story) => {
    for (const { table, cluster, isBroken } of play(raw, story)) {
      if (isBroken) continue;
      const program = compileCluster(cluster);
      const { egress } = program;
      const profiles = new Map(rulesetOf(table.elements).profiles.map(({ id, ports }) => [id, ports]));
      for (const { address, group } of settlePlaces(program, placementOf(cluster, NODE)).filter(({ isLocal }) => isLocal)) {
        const { family, value } = address;
        const isJudged = table.look(`ln${family}`, [value]) !== undefined;
        for (const [index, atom] of program.atoms.entries()) {
          if (atom.family !== family || group === undefined) continue;
          const wanted = portsOfTiers(egress, { subject: egress.subjectOfGroup[group]!, peerClass: egress.classOfAtom[index]! });
          const number = table.look(`on${family}`, [value, atom.first]);
          const ports = !isJudged ? ALL_PORTS : number === undefined ? [] : profiles.get(profileIdOf(number))!;
          assert.deepEqual(ports, wanted, `${formatIpAddress(address)} to ${formatIpAddress({ family, value: atom.first })}`);
        }
      }
    }
  }, { share: 0.3 });
});

test('an id of a profile keeps its ports through live changes', () => {
  checkWith(stories, (raw, story) => {
    const ports = new Map<string, string>();
    for (const { table, starts } of play(raw, story)) {
      const { profiles, pairs } = rulesetOf(table.elements);
      // One that no pair names may be there in part, where a change broke off.
      const named = new Set(pairs.map(({ profile }) => profile));
      for (const profile of profiles.filter(({ id }) => named.has(id))) {
        const key = `${starts} ${profile.id}`;
        assert.equal(ports.get(key) ?? profile.ports.join(), profile.ports.join());
        ports.set(key, profile.ports.join());
      }
    }
  }, { share: 0.2 });
});

function wholeOf(cluster: Cluster): Ruleset {
  return emitRuleset(compileCluster(cluster), { ...placementOf(cluster, NODE), localPodRanges: rangesOf(cluster) }).ruleset;
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
