// Random policies printed with a comment at every part: read again they decide the same, and every comment is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasErrors } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ClusterPolicy, TierRule } from '../../src/model/cluster-policy.ts';
import type { NetworkPolicy, PolicyRule } from '../../src/model/network-policy.ts';
import type { PolicyDraft, PolicyPart } from '../../src/model/policy-draft.ts';
import { unwrittenDocument } from '../../src/model/origin.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { policiesYaml } from '../../src/report/define/policy-yaml.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { outsideAddresses } from '../clusters/points.ts';
import { settleCluster } from '../clusters/settle.ts';
import { verdictsOf } from '../clusters/verdicts.ts';

test('what is printed and read again decides the same, whatever the comments', () => {
  let commentCount = 0;
  checkClusters((raw) => {
    const settled = settleCluster(raw);
    const cluster = { ...settled, clusterPolicies: settled.clusterPolicies.map(writable) };
    const drafts = [...cluster.policies, ...cluster.clusterPolicies].map(commented);
    const text = [...policiesYaml(drafts)].join('');
    const after = { ...cluster, ...readPolicies(text) };
    assert.deepEqual(namesOf(after), namesOf(cluster));
    const outside = outsideAddresses(cluster);
    assert.deepEqual(verdictsOf(compileCluster(after), outside), verdictsOf(compileCluster(cluster), outside));
    const words = drafts.flatMap(({ comments }) => [...comments.values()]);
    for (const [first] of words.map((word) => word.split('\n'))) assert.ok(text.includes(`# ${first}\n`), `${first} is lost in\n${text}`);
    commentCount += words.length;
  }, { share: 0.4 });
  assert.ok(commentCount > 1000, `${commentCount} comments were printed`);
});

test('no sign of a comment ends its line', () => {
  const policy: NetworkPolicy = { ...emptyPolicy, ingress: [] };
  const text = [...policiesYaml([{ policy, comments: new Map<PolicyPart, string>([[policy, 'a\rkind: Pod\u2028x\u0085y'], [policy.podSelector, 'b\n\nc: d']]) }])].join('');
  assert.equal(text, `# a\\u000dkind: Pod\\u2028x\\u0085y
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: p
  namespace: "yes"
spec:
  # b

  # c: d
  podSelector: {}
  policyTypes:
    - Ingress
`);
});

const emptyPolicy: NetworkPolicy = {
  kind: 'NetworkPolicy',
  namespace: 'yes',
  name: 'p',
  podSelector: { requirements: [] },
  ingress: undefined,
  egress: undefined,
  origin: { document: unwrittenDocument(''), path: [] },
};

/** Without the rules that fail closed, which nobody could write down, and of the kind that is printed. */
function writable(policy: ClusterPolicy): ClusterPolicy {
  const hasForm = ({ peers, ports }: TierRule): boolean => peers.kind === 'listed' && (ports.kind === 'every' || ports.ports.every((port) => port.kind !== 'any-named' || port.name !== ''));
  return { ...policy, kind: 'ClusterNetworkPolicy', priority: Math.min(policy.priority, 1000), ingress: policy.ingress.filter(hasForm), egress: policy.egress.filter(hasForm) };
}

/** Each part with a comment of its own that looks like YAML. */
function commented(policy: NetworkPolicy | ClusterPolicy): PolicyDraft {
  const subject = policy.kind === 'NetworkPolicy' ? policy.podSelector : policy.subject;
  const rules: readonly (PolicyRule | TierRule)[] = [...(policy.ingress ?? []), ...(policy.egress ?? [])].filter(matchesSomething);
  const parts: PolicyPart[] = [policy, subject, ...rules.flatMap((rule): PolicyPart[] => [
    rule,
    ...(rule.peers.kind === 'listed' ? uniqueNetworks(rule.peers.peers) : []),
    ...(rule.ports.kind === 'listed' ? rule.ports.ports : []),
  ])];
  return { policy, comments: new Map(parts.map((part, index) => [part, `c${index}: - {\nfrom: "`])) };
}

function matchesSomething({ peers, ports }: PolicyRule | TierRule): boolean {
  return !(peers.kind === 'listed' && peers.peers.length === 0) && !(ports.kind === 'listed' && ports.ports.length === 0);
}

/** A network or name that a rule has twice stands once. */
function uniqueNetworks(peers: readonly PolicyPart[]): readonly PolicyPart[] {
  return [...new Map(peers.map((peer) => ['text' in peer ? peer.text : 'pattern' in peer ? peer.pattern : peer, peer])).values()];
}

function readPolicies(text: string): Pick<Cluster, 'policies' | 'clusterPolicies'> {
  if (text === '') return { policies: [], clusterPolicies: [] };
  const { cluster: { policies, clusterPolicies }, findings } = readManifests([sourceFromText('printed.yaml', text)]);
  assert.ok(!hasErrors(findings), `${text}\n${findings.map(({ message }) => message).join('\n')}`);
  return { policies, clusterPolicies };
}

function namesOf({ policies, clusterPolicies }: Cluster): string[] {
  return [...policies.map(({ namespace, name, ingress, egress }) => `${namespace}/${name} ${ingress === undefined} ${egress === undefined}`), ...clusterPolicies.map(({ name, tier, priority }) => `${name} ${tier} ${priority}`)];
}
