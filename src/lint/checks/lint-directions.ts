// Rules that open a port on the wrong side: the pods at the other end are those that listen on it.
import type { Finding } from '../../base/finding.ts';
import { below } from '../../model/origin.ts';
import type { Pod } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule, type PortMatch, type PodPeer } from '../../model/network-policy.ts';
import { describeSelector, type Selector } from '../../model/selector.ts';
import type { LintContext } from '../context/lint-context.ts';
import { findAt } from '../edits/policy-place.ts';
import { wordsOfName, wordsOfPort } from '../context/service-words.ts';

/** A port range this wide tells nothing about who listens. */
const RANGE_PORTS_MAX = 16;

type PortRange = PortMatch & { readonly kind: 'range' };

export function lintDirections(context: LintContext, policy: NetworkPolicy): Finding[] {
  const findings: Finding[] = [];
  for (const direction of DIRECTIONS) {
    for (const rule of policy[direction] ?? []) {
      const finding = lintRule(context, policy, { direction, rule });
      if (finding !== undefined) findings.push(finding);
    }
  }
  return findings;
}

/** Only a rule that names whom it is for, its peers and its ports can be told to be reversed, and only where every port says so. */
function lintRule(context: LintContext, policy: NetworkPolicy, { direction, rule }: { direction: Direction; rule: PolicyRule }): Finding | undefined {
  if (rule.ports.kind !== 'listed' || rule.peers.kind !== 'listed') return undefined;
  const ports = rule.ports.ports.filter((port) => port.kind === 'range');
  const peers = rule.peers.peers.filter((peer) => peer.kind === 'pods');
  const isTelling = ports.length > 0 && ports.length === rule.ports.ports.length && peers.length > 0 && peers.length === rule.peers.peers.length;
  const isNamed = [policy.podSelector, ...peers.map((peer) => peer.podSelector)].every((selector) => selector.requirements.length > 0);
  if (!isTelling || !isNamed || ports.some((port) => port.last - port.first >= RANGE_PORTS_MAX)) return undefined;
  const sides = sidesOf(context, policy, { direction, peers });
  if (!ports.every((port) => isReversed(sides, port) && !isServed(context, sides.listeners, port))) return undefined;
  return describeReversal(policy, { direction, rule, ports, peers });
}

/** Who ought to listen by the rule, and who is at the other end. */
interface Sides {
  readonly listeners: Side;
  readonly callers: Side;
}

interface Side {
  readonly pods: readonly Pod[];
  readonly words: ReadonlySet<string>;
}

function sidesOf({ index }: LintContext, policy: NetworkPolicy, { direction, peers }: { direction: Direction; peers: readonly PodPeer[] }): Sides {
  const selected: Side = { pods: index.selectedBy(policy).pods, words: new Set([...wordsOfSelector(policy.podSelector), ...wordsOfName(policy.name)]) };
  const others: Side = {
    pods: peers.flatMap((peer) => index.matchedBy(peer, policy).pods),
    words: new Set(peers.flatMap((peer) => wordsOfSelector(peer.podSelector))),
  };
  return direction === 'ingress' ? { listeners: selected, callers: others } : { listeners: others, callers: selected };
}

/** Container ports decide where both sides declare some; else the words by which people name who opens a well-known port. */
function isReversed({ listeners, callers }: Sides, port: PortRange): boolean {
  if (opens(listeners, port)) return false;
  const words = wordsOfRange(port);
  const isNamedSo = words.some((word) => callers.words.has(word)) && !words.some((word) => listeners.words.has(word));
  if (declaresPorts(listeners) && declaresPorts(callers)) return opens(callers, port);
  return isNamedSo && (!declaresPorts(callers) || opens(callers, port));
}

/** Whether a Service leads to the port of one of the pods: then they listen on it, declared or not. */
function isServed({ cluster }: LintContext, { pods }: Side, range: PortRange): boolean {
  return cluster.services.some(
    ({ namespace, selector, ports }) =>
      selector !== undefined &&
      ports.some((port) => typeof port.targetPort === 'number' && port.protocol === range.protocol && port.targetPort >= range.first && port.targetPort <= range.last) &&
      pods.some((pod) => pod.namespace === namespace && [...selector].every(([key, value]) => pod.labels.get(key) === value)),
  );
}

function opens(side: Side, range: PortRange): boolean {
  return side.pods.some((pod) => pod.ports.some((port) => port.protocol === range.protocol && port.port >= range.first && port.port <= range.last));
}

/** Every pod of the side: a pod may listen on ports that it does not declare. */
function declaresPorts(side: Side): boolean {
  return side.pods.length > 0 && side.pods.every((pod) => pod.ports.length > 0);
}

function wordsOfRange(range: PortRange): readonly string[] {
  if (range.protocol !== 'TCP') return [];
  const words: string[] = [];
  for (let port = range.first; port <= range.last; port++) words.push(...wordsOfPort(port));
  return words;
}

function wordsOfSelector(selector: Selector): string[] {
  return selector.requirements.flatMap((requirement) => (requirement.kind === 'In' ? requirement.values.flatMap(wordsOfName) : []));
}

function describeReversal(
  policy: NetworkPolicy,
  { direction, rule, ports, peers }: { direction: Direction; rule: PolicyRule; ports: readonly PortRange[]; peers: readonly PodPeer[] },
): Finding {
  const text = ports.map(formatRange).join(', ');
  const own = describeSelector(policy.podSelector);
  const other = peers.map((peer) => describeSelector(peer.podSelector)).join(', ');
  const isIngress = direction === 'ingress';
  const message = isIngress
    ? `looks reversed: ${text} is opened by the peers (${other}), not by the pods that the policy selects (${own})`
    : `looks reversed: ${text} is opened by the pods that the policy selects (${own}), not by the peers (${other})`;
  const right = isIngress ? 'egress' : 'ingress';
  const way = isIngress ? 'to' : 'from';
  const help = `if ${isIngress ? own : other} is to reach ${isIngress ? other : own}, move this rule to \`${right}\` and write \`${way}\`; replies need no rule`;
  const origin = below(rule.origin, isIngress ? 'from' : 'to');
  return findAt(policy, { code: 'reversed-direction', severity: 'warning', message, origin, help });
}

function formatRange(port: PortRange): string {
  return `${port.protocol.toLowerCase()}/${port.first === port.last ? port.first : `${port.first}-${port.last}`}`;
}
