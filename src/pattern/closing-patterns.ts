// Patterns that close: default deny, the metadata service, and what holds in the whole cluster.
import { EVERYTHING, formatSelector } from '../model/selector.ts';
import type { Direction } from '../model/network-policy.ts';
import { EVERY_NAMESPACE, type Answers, type PodPlace } from './answers.ts';
import { blockPeer, clusterPolicyDraft, everyNamespaceBut, inDirections, namespaceSelector, networkPolicyDraft, placePeer, scopedPeer, uncommented, type Noted, type TierRuleWords } from './draft-parts.ts';
import { EVERY_IPV4, EVERY_IPV6, METADATA_SERVICES, NODE_LOCAL_BLOCK } from './named-blocks.ts';
import { optional, required, type Pattern } from './pattern-shape.ts';
import { placesWords, policyName, subjectWords } from './pattern-words.ts';

const EVERY_POD: PodPlace = { namespace: EVERY_NAMESPACE, podSelector: EVERYTHING };

export const CLOSING_PATTERNS: readonly Pattern[] = [
  {
    name: 'default-deny',
    summary: 'nothing is allowed in a namespace, in one direction or both, but what other policies allow',
    takes: [...required('namespace'), ...optional('direction', 'selector')],
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, answers.directions.length === 2 ? 'default-deny' : `default-deny-${answers.directions[0]}`),
      head: [`default-deny: ${subjectWords(answers)} ${verbsOf(answers.directions)} nothing but what another policy allows.`, ...(answers.directions.includes('egress') ? ['That closes DNS as well: `bulkhead new allow-dns` opens it again.'] : [])],
      ...inDirections(answers, () => []),
    }),
  },
  {
    name: 'block-metadata',
    summary: 'egress to everything but the metadata service of the cloud',
    takes: [...required('namespace'), ...optional('selector', 'except')],
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, 'block-metadata'),
      head: [
        `block-metadata: ${subjectWords(answers)} may connect to everything but the metadata service, which hands out credentials of the node.`,
        'Policies add up: another one that allows these addresses opens them again. `bulkhead new cluster-block-metadata` cannot be overruled.',
      ],
      egress: [
        { comment: 'Every pod: engines differ on whether a block of addresses can mean pods.', peers: [placePeer(EVERY_POD)] },
        { comment: 'Every other address.', peers: [EVERY_IPV4, EVERY_IPV6].map((every) => blockPeer({ range: every.range }, [...METADATA_SERVICES, ...answers.except])) },
      ],
    }),
  },
  {
    name: 'cluster-baseline',
    summary: 'nothing is allowed in any namespace, present or future, that has no policies of its own (ClusterNetworkPolicy)',
    takes: optional('direction', 'except-namespace', 'to-namespace', 'to-selector', 'node-local', 'without-dns', 'priority'),
    place: 'dns',
    draft: (answers) => clusterPolicyDraft(answers, {
      name: 'default-deny',
      head: [
        `cluster-baseline: pods ${verbsOf(answers.directions)} nothing where no NetworkPolicy of their namespace says otherwise, in namespaces of the future too.`,
        'A NetworkPolicy that selects a pod decides alone for its direction; this policy speaks where none does.',
        ...(answers.directions.includes('ingress') ? ['What comes from outside the cluster is beyond ingress rules of this kind: close it by `bulkhead new default-deny`.'] : []),
      ],
      tier: 'Baseline',
      subject: { part: { namespaceSelector: everyNamespaceBut(answers.exceptNamespaces), podSelector: EVERYTHING }, comment: answers.exceptNamespaces.length === 0 ? 'Every namespace.' : 'Every namespace, also one that is made tomorrow, but these.' },
      ...(answers.directions.includes('ingress') ? { ingress: [{ name: 'deny-pods', action: 'Deny', peers: [scopedPeer(EVERY_POD)] }] } : {}),
      ...(answers.directions.includes('egress') ? { egress: [...dnsRules(answers), { name: 'deny-everything', action: 'Deny', peers: everywhere() }] } : {}),
    }),
  },
  {
    name: 'cluster-block-metadata',
    summary: 'no pod reaches the metadata service of the cloud, whatever other policies say (ClusterNetworkPolicy)',
    takes: optional('except-namespace', 'except', 'priority'),
    draft: (answers) => clusterPolicyDraft(answers, {
      name: 'block-metadata',
      head: ['cluster-block-metadata: no pod reaches the metadata service, which hands out credentials of the node; no NetworkPolicy can allow it.', 'Pods in the network of their node are beyond every policy.'],
      tier: 'Admin',
      subject: { part: { namespaceSelector: everyNamespaceBut(answers.exceptNamespaces), podSelector: EVERYTHING } },
      egress: [{ name: 'deny-metadata', action: 'Deny', peers: [...METADATA_SERVICES, ...answers.except].map((range) => blockPeer({ range })) }],
    }),
  },
  {
    name: 'quarantine',
    summary: 'pods with a label talk with no pod and connect nowhere, whatever other policies say (ClusterNetworkPolicy)',
    takes: optional('selector', 'namespace', 'priority'),
    draft: (answers) => {
      const podSelector = answers.podSelector.requirements.length === 0 ? { requirements: [{ kind: 'In', key: 'quarantine', values: ['true'] }] as const } : answers.podSelector;
      const subject = { namespaceSelector: namespaceSelector(answers.namespace === '' ? EVERY_NAMESPACE : answers.namespace), podSelector };
      return clusterPolicyDraft(answers, {
        name: 'quarantine',
        head: [
          `quarantine: pods with ${formatSelector(podSelector)} talk with no pod and connect nowhere; no NetworkPolicy can allow it.`,
          'Put a pod under it by its label, and take the labels away by which Services select it: what comes from outside the cluster is beyond ingress rules of this kind.',
        ],
        tier: 'Admin',
        subject: { part: subject },
        ingress: [{ name: 'deny-pods', action: 'Deny', peers: [scopedPeer(EVERY_POD)] }],
        egress: [{ name: 'deny-everything', action: 'Deny', peers: everywhere() }],
      });
    },
  },
];

function verbsOf(directions: readonly Direction[]): string {
  if (directions.length === 2) return 'receive and send';
  return directions[0] === 'ingress' ? 'receive' : 'send';
}

function everywhere(): Noted<ReturnType<typeof scopedPeer>['part']>[] {
  return [scopedPeer(EVERY_POD), blockPeer({ range: EVERY_IPV4.range }), blockPeer({ range: EVERY_IPV6.range })];
}

/** Without DNS nothing works that a namespace's own policies do not mention, so that a baseline would be taken away again. */
function dnsRules({ dns }: Answers): TierRuleWords[] {
  if (dns === undefined) return [];
  return [{ name: 'allow-dns', comment: `DNS: ${placesWords(dns.peers)}.`, action: 'Accept', peers: [...dns.peers.map(scopedPeer), ...(dns.hasNodeLocalDns ? [blockPeer(NODE_LOCAL_BLOCK)] : [])], ports: uncommented(dns.ports) }];
}
