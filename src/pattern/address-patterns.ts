// Patterns that allow addresses: everybody, a block, the internet, the API server, health checks of load balancers.
import { blockPeer, dnsRules, NAMES_TOO, networkPolicyDraft, placePeer, uncommented, type Noted } from './draft-parts.ts';
import type { Peer } from '../model/network-policy.ts';
import type { Answers } from './answers.ts';
import { formatCidr } from '../base/range-text.ts';
import { EVERY_IPV4, EVERY_IPV6, NOT_INTERNET } from './named-blocks.ts';
import { optional, placed, required, type Pattern } from './pattern-shape.ts';
import { alsoCloses, onPorts, policyName, subjectWords } from './pattern-words.ts';

export const ADDRESS_PATTERNS: readonly Pattern[] = [
  {
    name: 'allow-public',
    summary: 'everybody may connect to a port, in and outside the cluster',
    takes: [...required('namespace', 'selector', 'port')],
    listeners: 'selected',
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, 'allow-public'),
      head: [`allow-public: everybody may connect to ${subjectWords(answers)}${onPorts(answers.ports)}, from the cluster and from outside it.`, alsoCloses(['ingress'])],
      ingress: [{ ports: uncommented(answers.ports) }],
    }),
  },
  {
    name: 'allow-from-cidr',
    summary: 'addresses outside the cluster may connect',
    takes: [...required('namespace'), ...optional('selector'), ...required('cidr'), ...optional('except', 'port')],
    listeners: 'selected',
    draft: (answers) => fromBlocks(answers, 'allow-from-cidr', `allow-from-${blocksName(answers)}`),
  },
  {
    name: 'allow-to-cidr',
    summary: 'addresses outside the cluster may be reached',
    takes: [...required('namespace'), ...optional('selector'), ...required('cidr'), ...optional('except', 'port', 'without-dns')],
    draft: (answers) => toBlocks(answers, 'allow-to-cidr', `allow-to-${blocksName(answers)}`),
  },
  {
    name: 'allow-internet',
    summary: 'the internet may be reached, and no private address and no metadata service',
    takes: [...required('namespace'), ...optional('selector', 'port', 'except', 'without-dns')],
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, 'allow-internet'),
      head: [`allow-internet: ${subjectWords(answers)} may connect to the internet${onPorts(answers.ports)}; private addresses and the metadata service stay closed.`, alsoCloses(['egress'])],
      egress: [{ peers: [EVERY_IPV4, EVERY_IPV6].map((every) => blockPeer({ range: every.range }, [...NOT_INTERNET, ...answers.except])), ports: uncommented(answers.ports) }, ...dnsRules(answers, NAMES_TOO)],
    }),
  },
  {
    name: 'allow-to-api-server',
    summary: 'the API server may be reached, by operators and whoever else asks it',
    takes: [...required('namespace'), ...optional('selector'), ...placed('cidr'), ...optional('port', 'without-dns')],
    place: 'api-server',
    draft: (answers) => toBlocks(answers, 'allow-to-api-server', 'allow-to-api-server'),
  },
  {
    name: 'allow-from-api-server',
    summary: 'the API server may connect, as it does to webhooks and extension servers',
    takes: [...required('namespace', 'selector', 'port'), ...placed('cidr')],
    place: 'api-server',
    listeners: 'selected',
    draft: (answers) => fromBlocks(answers, 'allow-from-api-server', 'allow-from-api-server'),
  },
  {
    name: 'allow-health-checks',
    summary: 'load balancers of a provider may ask whether the pods are well',
    takes: [...required('namespace', 'selector', 'port', 'provider')],
    listeners: 'selected',
    draft: (answers) => fromBlocks(answers, 'allow-health-checks', 'allow-health-checks'),
  },
];

function fromBlocks(answers: Answers, pattern: string, name: string): ReturnType<Pattern['draft']> {
  return networkPolicyDraft(answers, {
    name: policyName(answers, name),
    head: [`${pattern}: ${whom(answers)} may connect to ${subjectWords(answers)}${onPorts(answers.ports)}.`, alsoCloses(['ingress'])],
    ingress: [{ peers: peersOf(answers), ports: uncommented(answers.ports) }],
  });
}

function toBlocks(answers: Answers, pattern: string, name: string): ReturnType<Pattern['draft']> {
  return networkPolicyDraft(answers, {
    name: policyName(answers, name),
    head: [`${pattern}: ${subjectWords(answers)} may connect to ${whom(answers)}${onPorts(answers.ports)}.`, alsoCloses(['egress'])],
    egress: [{ peers: peersOf(answers), ports: uncommented(answers.ports) }, ...dnsRules(answers, NAMES_TOO)],
  });
}

function peersOf({ blocks, peers, except }: Answers): Noted<Peer>[] {
  return [...blocks.map((block) => blockPeer(block, except)), ...peers.map(placePeer)];
}

function whom({ blocks }: Answers): string {
  const whos = new Set(blocks.map(({ range, who }) => who?.replace(/, \d{4}-\d{2}$/, '') ?? formatCidr(range)));
  return [...whos].join(', ');
}

function blocksName({ blocks }: Answers): string {
  return blocks.map(({ range }) => formatCidr(range).replace('/', '-')).join('-');
}
