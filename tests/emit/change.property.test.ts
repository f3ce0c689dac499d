// Random changes of policies and pods: no packet and no moment of a change is more open than the states around it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { elementsOf, rulesetOf } from '../../src/emit/elements.ts';
import { emitRuleset, type Emission } from '../../src/emit/emit.ts';
import { NO_IDS } from '../../src/emit/ids.ts';
import { planChange, type ChangeStep } from '../../src/emit/plan-change.ts';
import { FakeTable } from '../../src/kernel/internal/fake-table.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkWith } from '../clusters/check-property.ts';
import { randomPolicies } from '../clusters/random-cluster.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';
import { onTwoNodes, placementOf } from './two-nodes.ts';
import { excess, questionsOf, Verdicts, type Question } from './verdict.ts';

/** What the cluster becomes next: other policies, and pods that are not there. */
const nextState = fc.record({ policies: randomPolicies, missing: fc.array(fc.nat(9), { maxLength: 2 }) });
const twoStates = fc.tuple(nextState, nextState);

type NextState = { readonly policies: RawCluster['policies']; readonly missing: readonly number[] };

test('look-ups mixed across changes give what one of the states gives, or nothing', () => {
  checkWith(twoStates, (raw, next) => {
    const states = emissionsOf(raw, next).map(({ ruleset }) => new Verdicts(ruleset));
    for (const question of questionsOf(states.map(({ ruleset }) => ruleset))) {
      for (let early = 0; early < states.length; early++) {
        for (let late = early + 1; late < states.length; late++) holdsMixed(question, states.slice(early, late + 1));
      }
    }
  }, { share: 0.3 });
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

test('an id of a profile keeps its ports', () => {
  checkWith(twoStates, (raw, next) => {
    const ports = new Map<number, string>();
    for (const { ruleset } of emissionsOf(raw, next)) {
      for (const profile of ruleset.profiles) {
        assert.equal(ports.get(profile.id) ?? profile.ports.join(), profile.ports.join());
        ports.set(profile.id, profile.ports.join());
      }
    }
  }, { share: 0.3 });
});

test('no step of a change is more open than what it leaves and what it goes to', () => {
  checkWith(nextState, (raw, next) => {
    const [before, after] = emissionsOf(raw, [next]).map(({ ruleset }) => ruleset);
    const questions = questionsOf([before!, after!]);
    const [old, wanted] = [new Verdicts(before!), new Verdicts(after!)];
    const limits = questions.map((question) => [old.portsOf(question), wanted.portsOf(question)]);
    const table = new FakeTable();
    table.apply(planChange(emptyRuleset(), before!).steps);
    for (const step of planChange(before!, after!).steps.flatMap(smallestSteps)) {
      table.apply([step]);
      const now = new Verdicts(rulesetOf(table.elements));
      for (const [index, question] of questions.entries()) {
        assert.deepEqual(excess(now.portsOf(question), limits[index]!), [], `${describe(question)} after ${step.set}`);
      }
    }
    assert.deepEqual(rulesetOf(table.elements), after);
  }, { share: 0.1 });
});

test('a change that does not take away takes nothing away', () => {
  checkWith(nextState, (raw, next) => {
    const [before, after] = emissionsOf(raw, [next]).map(({ ruleset }) => ruleset);
    if (planChange(before!, after!).takesAway) return;
    const [old, wanted] = [new Verdicts(before!), new Verdicts(after!)];
    for (const question of questionsOf([before!, after!])) {
      assert.deepEqual(excess(old.portsOf(question), [wanted.portsOf(question)]), [], describe(question));
    }
  }, { share: 0.3 });
});

test('a ruleset read back from its elements is the same', () => {
  checkWith(fc.constant([]), (raw, none) => {
    for (const { ruleset } of emissionsOf(raw, none)) assert.deepEqual(rulesetOf(elementsOf(ruleset)), ruleset);
  }, { share: 0.3 });
});

function emissionsOf(raw: RawCluster, next: readonly NextState[]): Emission[] {
  const clusters = [onTwoNodes(settleCluster(raw))];
  for (const { policies, missing } of next) {
    const { policies: settled } = settleCluster({ ...raw, policies });
    clusters.push(withoutPods({ ...clusters[0]!, policies: settled }, missing));
  }
  const emissions: Emission[] = [];
  for (const cluster of clusters) emissions.push(emitRuleset(compileCluster(cluster), placementOf(cluster, 'n1'), emissions.at(-1)?.ids ?? NO_IDS));
  return emissions;
}

function withoutPods(cluster: Cluster, missing: readonly number[]): Cluster {
  return { ...cluster, pods: cluster.pods.filter((_, index) => !missing.includes(index)) };
}

// What goes and its successor take effect together, all else one by one: the smallest batches that could be.
function smallestSteps({ set, removed, added }: ChangeStep): ChangeStep[] {
  if (removed.length > 0 && added.length > 0) return [{ set, removed, added }];
  return [
    ...removed.map((element): ChangeStep => ({ set, removed: [element], added: [] })),
    ...added.map((element): ChangeStep => ({ set, removed: [], added: [element] })),
  ];
}

function emptyRuleset(): Emission['ruleset'] {
  return { localPods: [], podRanges: [], podClasses: [], rangeClasses: [], pairs: [], profiles: [] };
}

function describe({ direction, local, peer }: Question): string {
  return `${direction} of ${formatIpAddress(local)} with ${formatIpAddress(peer)}`;
}
