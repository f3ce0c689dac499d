// Port names that no pod has, or that one pod has for several numbers.
import type { Finding } from '../../base/finding.ts';
import { nearestWord } from '../../base/near-miss.ts';
import { below } from '../../model/origin.ts';
import type { Pod } from '../../model/cluster.ts';
import { DIRECTIONS, type NetworkPolicy, type PolicyRule, type PortMatch } from '../../model/network-policy.ts';
import type { LintContext } from '../context/lint-context.ts';
import { describePod } from '../context/near-label.ts';
import { findAt } from '../edits/policy-place.ts';

type NamedPort = PortMatch & { readonly kind: 'named' };

export function lintNamedPorts(context: LintContext, policy: NetworkPolicy): Finding[] {
  const findings: Finding[] = [];
  for (const direction of DIRECTIONS) {
    for (const rule of policy[direction] ?? []) {
      const names = rule.ports.kind === 'listed' ? rule.ports.ports.filter((port) => port.kind === 'named') : [];
      if (names.length === 0) continue;
      const holders = direction === 'ingress' ? context.index.selectedBy(policy).pods : destinationsOf(context, policy, rule);
      const owner = direction === 'ingress' ? 'selected' : 'destination';
      for (const name of names) findings.push(...lintName(policy, { name, holders, owner }));
    }
  }
  return findings;
}

/** The pods on which an egress rule resolves its names; an ipBlock has none. Empty where not all of them can be known. */
function destinationsOf({ index }: LintContext, policy: NetworkPolicy, rule: PolicyRule): readonly Pod[] {
  if (rule.peers.kind === 'everybody') return index.cluster.pods.filter((pod) => !pod.hostNetwork);
  const lists = rule.peers.peers.map((peer) => (peer.kind === 'pods' ? index.matchedBy(peer, policy).pods : []));
  const isComplete = rule.peers.peers.every((peer, at) => peer.kind !== 'pods' || lists[at]!.length > 0);
  return isComplete ? [...new Set(lists.flat())] : [];
}

/** Pods that are not in the input may well have the name, so without any pod there is nothing to say. */
function lintName(policy: NetworkPolicy, { name, holders, owner }: { name: NamedPort; holders: readonly Pod[]; owner: string }): Finding[] {
  if (holders.length === 0) return [];
  if (!holders.some((pod) => numbersOf(pod, name).size > 0)) return [notFound(policy, { name, holders, owner })];
  const ambiguous = holders.find((pod) => numbersOf(pod, name).size > 1);
  if (ambiguous === undefined) return [];
  const numbers = [...numbersOf(ambiguous, name)].sort((a, b) => a - b).join(', ');
  const message = `the port name \`${name.name}\` stands for several ports of ${describePod(ambiguous)}: ${numbers}; all of them are meant`;
  return [findAt(policy, { code: 'named-port-ambiguous', severity: 'warning', message, origin: below(name.origin, 'port'), help: 'write the number' })];
}

function numbersOf(pod: Pod, name: NamedPort): Set<number> {
  const numbers = new Set<number>();
  for (const port of pod.ports) if (port.name === name.name && port.protocol === name.protocol) numbers.add(port.port);
  return numbers;
}

function notFound(policy: NetworkPolicy, { name, holders, owner }: { name: NamedPort; holders: readonly Pod[]; owner: string }): Finding {
  const origin = below(name.origin, 'port');
  const ports = holders.flatMap((pod) => pod.ports);
  const otherProtocol = ports.find((port) => port.name === name.name)?.protocol;
  const names = [...new Set(ports.filter((port) => port.protocol === name.protocol).flatMap((port) => port.name ?? []))].sort();
  const near = nearestWord(name.name, names);
  const hint =
    otherProtocol !== undefined ? `; it is a name of a ${otherProtocol} port there`
    : names.length > 0 ? `; named there are ${names.slice(0, 5).map((word) => `\`${word}\``).join(', ')}`
    : '';
  const message = `no ${owner} pod has a ${name.protocol} port named \`${name.name}\`, so this entry matches nothing${hint}`;
  const help =
    otherProtocol !== undefined ? `write \`protocol: ${otherProtocol}\``
    : near !== undefined ? `did you mean \`${near}\`?`
    : 'write the number, or name the container port';
  return findAt(policy, { code: 'named-port-not-found', severity: 'warning', message, origin, help });
}
