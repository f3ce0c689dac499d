// What must hold of linting whatever the cluster: it never throws, its order is its own, and its edits mend what they are offered for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasErrors, type Finding } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { comparePrograms } from '../../src/compare/compare.ts';
import { applyEdits, editsOf } from '../../src/mend/apply-edits.ts';
import { lintCluster } from '../../src/lint/lint.ts';
import type { TierRule } from '../../src/model/cluster-policy.ts';
import type { PolicyRule } from '../../src/model/network-policy.ts';
import { locateOrigin, type Origin } from '../../src/model/origin.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { manifestText } from '../clusters/manifests.ts';
import { settleCluster } from '../clusters/settle.ts';

function lintText(text: string): Finding[] {
  const { cluster } = readManifests([sourceFromText('random.yaml', text)]);
  return lintCluster(cluster, compileCluster(cluster));
}

/** What a finding is about, wherever the text has moved to. */
function subjectOf({ code, object, message }: Finding): string {
  return `${code} ${object?.namespace}/${object?.name} ${message}`;
}

/** Their edits narrow a rule or take one away, which may show what else is wrong with the policies of its pods: that they lose DNS, or name a port that nobody opens. */
const NARROWING_CODES: ReadonlySet<string> = new Set(['or-instead-of-and', 'metadata-reachable', 'private-ranges-reachable']);

test('linting any cluster gives findings that name their policy, sorted, the same each time', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const findings = lintCluster(cluster, compileCluster(cluster));
    for (const finding of findings) assert.ok(finding.range !== undefined && finding.object !== undefined && finding.message !== '');
    assert.deepEqual(lintCluster(cluster, compileCluster(cluster)), findings);
  });
});

test('the edits of a finding make it vanish and add none', () => {
  checkClusters(
    (raw) => {
      const text = manifestText(raw);
      for (const finding of lintText(text)) {
        const edits = editsOf([finding]);
        if (edits.length === 0) continue;
        const before = lintText(text).map(subjectOf);
        const after = lintText(applyEdits(text, edits));
        const alike = (all: readonly string[]): number => all.filter((subject) => subject === subjectOf(finding)).length;
        // Two rules of a policy may say the same, and with the one gone the other may be said of the whole policy.
        assert.ok(alike(after.map(subjectOf)) < alike(before), `${subjectOf(finding)} is still there`);
        const codesBefore = before.map((subject) => subject.split(' ')[0]);
        const isShown = (other: Finding): boolean => NARROWING_CODES.has(finding.code) && other.object?.namespace === finding.object?.namespace;
        for (const other of after) assert.ok(before.includes(subjectOf(other)) || codesBefore.includes(other.code) || isShown(other), `${subjectOf(other)} is new`);
      }
    },
    { share: 0.4 },
  );
});

test('the edit that takes away what changes nothing changes no connection', () => {
  checkClusters(
    (raw) => {
      const text = manifestText(raw);
      const { cluster } = readManifests([sourceFromText('random.yaml', text)]);
      const before = compileCluster(cluster);
      for (const finding of lintCluster(cluster, before)) {
        if (finding.code !== 'rule-redundant' || finding.edits === undefined) continue;
        const { cluster: less, findings } = readManifests([sourceFromText('random.yaml', applyEdits(text, finding.edits))]);
        assert.ok(!hasErrors(findings), subjectOf(finding));
        assert.equal(comparePrograms({ before, after: compileCluster(less) }).changes().next().done, true, subjectOf(finding));
      }
    },
    { share: 0.1 },
  );
});

/** Codes of rules, and policies, that are said to change nothing. */
const IDLE_CODES: ReadonlySet<string> = new Set(['rule-redundant', 'rule-shadowed', 'denied-by-tier']);

test('what is said to change nothing can be taken away without a change of any connection', () => {
  checkClusters((raw) => {
    const { cluster } = readManifests([sourceFromText('random.yaml', manifestText(raw))]);
    const program = compileCluster(cluster);
    for (const { code, range } of lintCluster(cluster, program)) {
      if (!IDLE_CODES.has(code)) continue;
      const isNamed = (origin: Origin): boolean => locateOrigin(origin).range.start.line === range!.start.line;
      const less = <Rule extends PolicyRule | TierRule>(rules: readonly Rule[]): Rule[] => rules.filter(({ origin }) => !isNamed(origin)).map((rule, index) => ({ ...rule, index }));
      const policies = cluster.policies
        .filter(({ origin }) => !isNamed({ ...origin, path: [...origin.path, 'metadata', 'name'] }))
        .map((policy) => ({ ...policy, ingress: policy.ingress && less(policy.ingress), egress: policy.egress && less(policy.egress) }));
      const clusterPolicies = cluster.clusterPolicies.map((policy) => ({ ...policy, ingress: less(policy.ingress), egress: less(policy.egress) }));
      const { changes } = comparePrograms({ before: program, after: compileCluster({ ...cluster, policies, clusterPolicies }) });
      assert.equal(changes().next().done, true, `${code} at line ${range!.start.line}`);
    }
  });
});
