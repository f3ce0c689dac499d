// Pods that may send some traffic but may not ask DNS, so that they find nobody by name.
import type { Finding, TextEdit } from '../../base/finding.ts';
import type { Pod } from '../../model/cluster.ts';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { below, locateOrigin } from '../../model/origin.ts';
import { DNS_LABELS } from '../../analyze/dns-pods.ts';
import { insertion, itemBefore, placeBlockList } from '../edits/block-list.ts';
import { DNS_PORTS, dnsRulesOf, findDnsPods } from '../context/dns-pods.ts';
import { governedEgress } from '../context/governed-egress.ts';
import type { LintContext } from '../context/lint-context.ts';
import { describePod } from '../context/near-label.ts';
import { findAt } from '../edits/policy-place.ts';

/** One finding for each policy that has to be changed: of the policies that govern a pod, the first with an egress rule. */
export function lintDns(context: LintContext): Finding[] {
  const { cluster, index } = context;
  const dnsPods = findDnsPods(cluster);
  const known = new Map<NetworkPolicy, boolean>();
  const allows = (policy: NetworkPolicy): boolean => {
    let answer = known.get(policy);
    if (answer === undefined) known.set(policy, (answer = dnsRulesOf(policy, { index, dnsPods, protocol: 'UDP' }).length > 0));
    return answer;
  };
  const cut = new Map<NetworkPolicy, Pod | undefined>();
  for (const { policies, pod } of governedEgress(context)) {
    const sending = policies.find((policy) => (policy.egress ?? []).length > 0);
    if (sending !== undefined && !cut.has(sending) && !policies.some(allows)) cut.set(sending, pod);
  }
  const dns = describeDns(dnsPods);
  return [...cut].map(([policy, pod]) => withoutDns(policy, pod, dns));
}

/** Where the cluster's DNS is asked; of the input's own pods, else as the usual installations have it. */
interface DnsPlace {
  readonly namespace: string;
  readonly label: readonly [key: string, value: string];
  readonly ports: readonly number[];
  /** Whether a cache on each node answers first. */
  readonly isNodeLocal: boolean;
}

function describeDns(dnsPods: readonly Pod[]): DnsPlace {
  const isNodeLocal = dnsPods.some((pod) => pod.hostNetwork && pod.labels.get('k8s-app') === 'node-local-dns');
  const pod = dnsPods.find(({ hostNetwork }) => !hostNetwork);
  if (pod === undefined) return { namespace: 'kube-system', label: ['k8s-app', 'kube-dns'], ports: [DNS_PORTS[0]!], isNodeLocal };
  const ports = DNS_PORTS.filter((number) => pod.ports.some(({ protocol, port }) => protocol === 'UDP' && port === number));
  const label = DNS_LABELS.find(([key, value]) => pod.labels.get(key) === value)!; // by such a label it was found
  return { namespace: pod.namespace, label, ports: ports.length === 0 ? [DNS_PORTS[0]!] : ports, isNodeLocal };
}

function withoutDns(policy: NetworkPolicy, pod: Pod | undefined, dns: DnsPlace): Finding {
  const whom = pod === undefined ? 'the pods that the policy selects' : describePod(pod);
  const message = `egress of ${whom} is limited, and no rule allows DNS (UDP 53): names are not found, so what is allowed is not reached by name`;
  const origin = below(policy.origin, 'spec', 'egress');
  const local = dns.isNodeLocal ? '; and to 169.254.20.10, the cache on the own node, which NetworkPolicy leaves open and some engines do not' : '';
  const help = `allow port ${dns.ports.join(' and ')} of UDP and TCP to the pods \`${dns.label.join('=')}\` of namespace \`${dns.namespace}\`${local}`;
  return findAt(policy, { code: 'egress-without-dns', severity: 'warning', message, origin, help, edits: dnsRuleEdit(policy, dns) });
}

/** Writes the rule before the first one, in its column; none in a list in flow style. */
function dnsRuleEdit(policy: NetworkPolicy, dns: DnsPlace): TextEdit[] {
  const rules = (policy.egress ?? []).map(({ origin }) => origin);
  const list = placeBlockList(below(policy.origin, 'spec', 'egress'), rules);
  if (list === undefined) return [];
  return [insertion(locateOrigin(rules[0]!).range.start, itemBefore(list, dnsRule(dns)))];
}

function dnsRule({ namespace, label: [key, value], ports, isNodeLocal }: DnsPlace): string[] {
  return [
    'to:',
    '- namespaceSelector:',
    '    matchLabels:',
    `      kubernetes.io/metadata.name: ${namespace}`,
    '  podSelector:',
    '    matchLabels:',
    `      ${key}: ${value}`,
    ...(isNodeLocal ? ['- ipBlock:', '    cidr: 169.254.20.10/32'] : []),
    'ports:',
    ...ports.flatMap((port) => ['UDP', 'TCP'].flatMap((protocol) => [`- protocol: ${protocol}`, `  port: ${port}`])),
  ];
}
