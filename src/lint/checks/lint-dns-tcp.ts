// Pods that may ask DNS over UDP alone: an answer that does not fit is cut, and asked for again over TCP (RFC 7766, section 5).
import type { Finding, TextEdit } from '../../base/finding.ts';
import type { Pod } from '../../model/cluster.ts';
import type { NetworkPolicy, PolicyRule, PortMatch } from '../../model/network-policy.ts';
import { below } from '../../model/origin.ts';
import { addItem } from '../edits/block-list.ts';
import { DNS_PORTS, dnsPortOf, dnsRulesOf, findDnsPods, type DnsQuestion } from '../context/dns-pods.ts';
import { governedEgress } from '../context/governed-egress.ts';
import type { LintContext } from '../context/lint-context.ts';
import { describePod } from '../context/near-label.ts';
import { findAt } from '../edits/policy-place.ts';

/** One finding for each rule that opens UDP to DNS, where no policy of the same pods opens TCP. */
export function lintDnsTcp(context: LintContext): Finding[] {
  const dnsPods = findDnsPods(context.cluster);
  if (dnsPods.some(({ ports }) => ports.length > 0) && !dnsPods.some(answersTcp)) return [];
  const question = (protocol: DnsQuestion['protocol']): DnsQuestion => ({ index: context.index, dnsPods, protocol });
  const found = new Map<PolicyRule, Finding>();
  for (const { policies, pod } of governedEgress(context)) {
    if (policies.some((policy) => dnsRulesOf(policy, question('TCP')).length > 0)) continue;
    const [asking] = policies.flatMap((policy) => dnsRulesOf(policy, question('UDP')).map((rule) => ({ policy, rule })));
    if (asking !== undefined && !found.has(asking.rule)) found.set(asking.rule, withoutTcp(asking, pod));
  }
  return [...found.values()];
}

function answersTcp({ ports }: Pod): boolean {
  return ports.length === 0 || ports.some(({ protocol, port }) => protocol === 'TCP' && DNS_PORTS.includes(port));
}

function withoutTcp({ policy, rule }: { readonly policy: NetworkPolicy; readonly rule: PolicyRule }, pod: Pod | undefined): Finding {
  const whom = pod === undefined ? 'the pods that the policy selects' : describePod(pod);
  const entries = rule.ports.kind === 'listed' ? rule.ports.ports : [];
  const ports = [...new Set(entries.flatMap((entry) => tcpPortBeside(entry) ?? []))];
  const message = `${whom} may ask DNS over UDP alone: an answer that does not fit into one packet is asked for again over TCP, and that is refused`;
  const edits = entries.flatMap((entry, at) => tcpEdit(rule, at, tcpPortBeside(entry)));
  return findAt(policy, { code: 'dns-without-tcp', severity: 'info', message, origin: below(rule.origin, 'ports'), help: `allow TCP ${ports.join(' and ')} beside it`, edits });
}

/** DNS has one number for both protocols; a name is only that of UDP. */
function tcpPortBeside(entry: PortMatch): number | undefined {
  const port = entry.protocol === 'UDP' ? dnsPortOf(entry) : undefined;
  return typeof port === 'string' ? DNS_PORTS[0] : port;
}

function tcpEdit({ origin, ports }: PolicyRule, at: number, port: number | undefined): TextEdit[] {
  if (port === undefined || ports.kind !== 'listed') return [];
  const list = below(origin, 'ports');
  const items = ports.ports.map((_, index) => below(list, index));
  return addItem(list, items, at, { block: ['protocol: TCP', `port: ${port}`], flow: `{ protocol: TCP, port: ${port} }` });
}
