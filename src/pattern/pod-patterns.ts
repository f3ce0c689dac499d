// Patterns that allow pods: the same namespace, another one, the cluster's DNS, the ingress controller, monitoring, clients of a database.
import { EVERYTHING } from '../model/selector.ts';
import { EVERY_NAMESPACE, type Answers } from './answers.ts';
import { dnsRules, inDirections, NAMES_TOO, networkPolicyDraft, placePeer, uncommented, type RuleWords } from './draft-parts.ts';
import { optional, placed, required, type Pattern } from './pattern-shape.ts';
import { alsoCloses, onPorts, placesName, placesWords, policyName, subjectWords } from './pattern-words.ts';

export const POD_PATTERNS: readonly Pattern[] = [
  {
    name: 'allow-dns',
    summary: "the cluster's DNS may be asked, on 53 of UDP and TCP, a DNS cache on the node as well",
    takes: [...required('namespace'), ...optional('selector', 'to-namespace', 'to-selector', 'node-local')],
    place: 'dns',
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, 'allow-dns'),
      head: [`allow-dns: ${subjectWords(answers)} may ask the cluster's DNS.`, alsoCloses(['egress'])],
      egress: dnsRules(answers),
    }),
  },
  {
    name: 'allow-same-namespace',
    summary: 'pods of a namespace talk among themselves, and with nobody else',
    takes: [...required('namespace'), ...optional('direction', 'selector', 'port', 'without-dns')],
    listeners: 'selected',
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, 'allow-same-namespace'),
      head: [`allow-same-namespace: ${subjectWords(answers)} may talk with the pods of their own namespace${onPorts(answers.ports)}.`, alsoCloses(answers.directions)],
      ...inDirections(answers, (direction) => [{ peers: [placePeer({ namespace: undefined, podSelector: EVERYTHING })], ports: uncommented(answers.ports) }, ...(direction === 'egress' ? dnsRules(answers, NAMES_TOO) : [])]),
    }),
  },
  {
    name: 'allow-from-namespace',
    summary: 'the pods of another namespace may connect, all of them or those with a label',
    takes: [...required('namespace'), ...optional('selector'), ...required('from-namespace'), ...optional('from-selector', 'port')],
    listeners: 'selected',
    draft: (answers) => fromPods(answers, 'allow-from-namespace', `allow-from-${placesName(answers.peers)}`),
  },
  {
    name: 'allow-to-namespace',
    summary: 'the pods of another namespace may be reached, all of them or those with a label',
    takes: [...required('namespace'), ...optional('selector'), ...required('to-namespace'), ...optional('to-selector', 'port', 'without-dns')],
    listeners: 'peers',
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, `allow-to-${placesName(answers.peers)}`),
      head: [`allow-to-namespace: ${subjectWords(answers)} may connect to ${placesWords(answers.peers, answers.namespace)}${onPorts(answers.ports)}.`, alsoCloses(['egress'])],
      egress: [...podRules(answers), ...dnsRules(answers, NAMES_TOO)],
    }),
  },
  {
    name: 'allow-to-cluster',
    summary: 'every pod of the cluster may be reached, and nobody outside it',
    takes: [...required('namespace'), ...optional('selector', 'port')],
    draft: (answers) => networkPolicyDraft(answers, {
      name: policyName(answers, 'allow-to-cluster'),
      head: [`allow-to-cluster: ${subjectWords(answers)} may connect to every pod of the cluster${onPorts(answers.ports)}, DNS included, and to nobody outside it.`, alsoCloses(['egress'])],
      egress: [{ peers: [placePeer({ namespace: EVERY_NAMESPACE, podSelector: EVERYTHING })], ports: uncommented(answers.ports) }],
    }),
  },
  {
    name: 'allow-from-ingress-controller',
    summary: 'the ingress controller may connect, and so its clients outside',
    takes: [...required('namespace'), ...optional('selector'), ...required('port'), ...placed('from-namespace', 'from-selector')],
    place: 'ingress-controller',
    listeners: 'selected',
    draft: (answers) => fromPods(answers, 'allow-from-ingress-controller', 'allow-from-ingress-controller'),
  },
  {
    name: 'allow-monitoring',
    summary: 'Prometheus, or who else scrapes metrics, may connect',
    takes: [...required('namespace'), ...optional('selector'), ...required('port'), ...placed('from-namespace', 'from-selector')],
    place: 'scraper',
    listeners: 'selected',
    draft: (answers) => fromPods(answers, 'allow-monitoring', 'allow-monitoring'),
  },
  {
    name: 'database',
    summary: 'a database is reached by its clients on its port, and by nobody else',
    takes: [...required('namespace', 'selector'), ...optional('from-namespace'), ...required('from-selector', 'port')],
    listeners: 'selected',
    draft: (answers) => fromPods(answers, 'database', `clients`),
  },
];

function fromPods(answers: Answers, pattern: string, name: string): ReturnType<Pattern['draft']> {
  return networkPolicyDraft(answers, {
    name: policyName(answers, name),
    head: [`${pattern}: ${placesWords(answers.peers, answers.namespace)} may connect to ${subjectWords(answers)}${onPorts(answers.ports)}.`, alsoCloses(['ingress'])],
    ingress: podRules(answers),
  });
}

function podRules({ peers, ports }: Answers): readonly RuleWords[] {
  return [{ peers: peers.map(placePeer), ports: uncommented(ports) }];
}
