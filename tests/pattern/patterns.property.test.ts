// Random clusters and patterns: what is offered is taken, what is printed is read without a finding, and it stands in the cluster as if it had been read with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkAnswers, missingTopics, settleAnswers, type TopicWords } from '../../src/cli/define/new-answers.ts';
import { offersFor } from '../../src/cli/define/new-offers.ts';
import { hasErrors } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { addPolicies } from '../../src/pattern/add-policies.ts';
import type { Topic } from '../../src/pattern/answers.ts';
import { PATTERNS } from '../../src/pattern/pattern.ts';
import type { Pattern } from '../../src/pattern/pattern-shape.ts';
import { findStillRefused } from '../../src/pattern/still-refused.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { isEverything } from '../../src/report/text/port-text.ts';
import { policiesYaml } from '../../src/report/define/policy-yaml.ts';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { checkWith } from '../clusters/check-property.ts';
import { manifestText } from '../clusters/manifests.ts';
import { outsideAddresses } from '../clusters/points.ts';
import { settleCluster } from '../clusters/settle.ts';
import { parseBlock } from '../clusters/settle-words.ts';
import { verdictsOf } from '../clusters/verdicts.ts';

/** Words for topics of which no cluster has names. */
const PLAIN_WORDS: Partial<Readonly<Record<Topic, readonly string[]>>> = {
  'cidr': ['10.0.0.0/24', '2001:db8::/64', '0.0.0.0/0'],
  'port': ['tcp/80', 'udp/53-81', 'sctp'],
  'priority': ['0', '1000'],
};

test('what is offered is taken, and the policy stands in the cluster as if it had been read with it', () => {
  const counts = { drafted: 0, refused: 0 };
  checkWith(fc.record({ pattern: fc.constantFrom(...PATTERNS), picks: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }) }), (raw, { pattern, picks }) => {
    const cluster = settleCluster(raw);
    const words = offeredWords(pattern, cluster, picks);
    if (missingTopics(pattern, words, cluster).length > 0) return;
    const answers = settleAnswers(pattern, words, cluster);
    assert.deepEqual(checkAnswers(pattern, words, answers, { cluster, isWhole: true }).filter(({ severity }) => severity === 'missing'), []);
    const yaml = [...policiesYaml([pattern.draft({ ...answers, name: 'fresh' })])].join('');
    const added = readManifests([sourceFromText('new.yaml', yaml)]);
    assert.deepEqual(added.findings.filter(({ severity }) => severity !== 'info'), [], yaml);
    const together = readManifests([sourceFromText('new.yaml', `${manifestText(raw)}---\n${yaml}`)], { podRanges: raw.podRanges.map(parseBlock) });
    assert.ok(!hasErrors(together.findings));
    const after = compileCluster(addPolicies(cluster, added.cluster));
    const outside = outsideAddresses(together.cluster);
    assert.deepEqual(verdictsOf(after, outside), verdictsOf(compileCluster(together.cluster), outside));
    counts.drafted++;
    for (const { source, target } of findStillRefused(after, added.cluster)) {
      const { pods } = after.cluster;
      assert.ok(!isEverything(allowedPorts(after, { kind: 'pod', pod: pods.indexOf(source) }, { kind: 'pod', pod: pods.indexOf(target) })));
      counts.refused++;
    }
  }, { share: 0.6 });
  assert.ok(counts.drafted > 50, JSON.stringify(counts));
});

/** One of the offers for every topic that has any; optional ones are left out now and then. */
function offeredWords(pattern: Pattern, cluster: Cluster, picks: readonly number[]): TopicWords {
  const words = new Map<Topic, readonly string[]>();
  for (const [index, { topic, need }] of pattern.takes.entries()) {
    const offers = offersFor(pattern, topic, { words, input: cluster });
    const candidates = offers.length > 0 ? offers : (PLAIN_WORDS[topic] ?? []);
    const pick = picks[index % picks.length]!;
    if (candidates.length === 0 || (need !== 'required' && pick % 3 === 0)) continue;
    words.set(topic, [candidates[pick % candidates.length]!.replace(/ \(.*\)$/, '')]);
  }
  return words;
}
