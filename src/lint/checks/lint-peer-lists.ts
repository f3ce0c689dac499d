// Peers that are two items of a list where one was meant, or one where two were meant: told by which reading makes sense.
import type { Finding, TextEdit } from '../../base/finding.ts';
import type { Pod } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type Peer, type PodPeer, type PolicyRule } from '../../model/network-policy.ts';
import { below, locateOrigin } from '../../model/origin.ts';
import { describeSelector, selects, type Selector } from '../../model/selector.ts';
import { placeBlockList, splitItem } from '../edits/block-list.ts';
import { isDnsLabel } from '../context/dns-pods.ts';
import type { LintContext } from '../context/lint-context.ts';
import { describePod, findNearLabel, mayBeSelected } from '../context/near-label.ts';
import { findAt, isWritten } from '../edits/policy-place.ts';

export function lintPeerLists(context: LintContext, policy: NetworkPolicy): Finding[] {
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap((rule) => {
      const place: Place = { policy, direction, rule };
      const peers = rule.peers.kind === 'listed' ? rule.peers.peers : [];
      return peers.flatMap((peer, at) => [...lintAlternatives(context, place, [peers[at - 1], peer]), ...lintCombined(context, place, peer)]);
    }),
  );
}

interface Place {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  readonly rule: PolicyRule;
}

type NamespacePeer = PodPeer & { readonly namespaces: { readonly kind: 'selected'; readonly selector: Selector } };

function isNamespacePeer(peer: Peer | undefined): peer is NamespacePeer {
  return peer?.kind === 'pods' && peer.namespaces.kind === 'selected';
}

/** Two items, the first of namespaces alone, the second of labels alone: read as one or the other. */
function lintAlternatives(context: LintContext, { policy, direction, rule }: Place, [first, second]: readonly [Peer | undefined, Peer]): Finding[] {
  const isPair = isNamespacePeer(first) && first.podSelector.requirements.length === 0 && second.kind === 'pods' && second.namespaces.kind === 'own' && second.podSelector.requirements.length > 0;
  if (!isPair) return [];
  const reason = whyCombined(context, policy, [first, second]);
  if (reason === undefined) return [];
  const pods = describeSelector(second.podSelector);
  const message = `two items are read as either: every pod of the namespaces ${namespacesText(first)}, or pods ${pods} of namespace \`${policy.namespace}\`; ${reason}`;
  const help = `to mean pods ${pods} of those namespaces, take the dash before \`podSelector\` away`;
  return [findAt(policy, { code: 'or-instead-of-and', severity: 'warning', message, origin: second.origin, help, edits: joinItems(rule, direction, [first, second]) })];
}

/** undefined: nothing tells that they belong together. */
function whyCombined({ index, cluster }: LintContext, policy: NetworkPolicy, [first, second]: readonly [NamespacePeer, PodPeer]): string | undefined {
  const namespaces = index.namespacesOf(first, policy);
  if (first.namespaces.selector.requirements.length === 0) return 'the second adds nothing to the first';
  if (namespaces.has(policy.namespace)) return `the second adds nothing to the first, which names \`${policy.namespace}\` as well`;
  if (index.matchedBy(second, policy).pods.length > 0) return undefined;
  if (isDnsLabel(second.podSelector) && policy.namespace !== 'kube-system') return `the label is that of the cluster's DNS, which does not stand in \`${policy.namespace}\``;
  if (cluster.pods.length === 0 || index.podsIn(policy.namespace).some((pod) => mayBeSelected(second.podSelector, pod))) return undefined;
  const [found] = index.selectedAnywhere(second.podSelector).pods.filter((pod) => namespaces.has(pod.namespace));
  return found === undefined ? undefined : `such a pod stands in \`${found.namespace}\` (${describePod(found)}), none in \`${policy.namespace}\``;
}

function namespacesText({ namespaces: { selector } }: NamespacePeer): string {
  return selector.requirements.length === 0 ? '(all of them)' : describeSelector(selector);
}

/** Writes blanks for the dash; none in a list in flow style, or where one key would stand twice. */
function joinItems({ origin, peers }: PolicyRule, direction: Direction, [first, second]: readonly [Peer, Peer]): TextEdit[] {
  if (isWritten(first.origin, 'podSelector') || isWritten(second.origin, 'namespaceSelector')) return [];
  const items = peers.kind === 'listed' ? peers.peers.map((peer) => peer.origin) : [];
  const list = placeBlockList(below(origin, direction === 'ingress' ? 'from' : 'to'), items);
  const { start } = locateOrigin(second.origin).range;
  if (list === undefined || start.column !== list.itemColumn) return [];
  return [{ range: { start: { line: start.line, column: list.dashColumn }, end: start }, text: ' '.repeat(list.itemColumn - list.dashColumn) }];
}

/** One item with both, that matches nobody, while each of its halves matches somebody alone. */
function lintCombined(context: LintContext, { policy, direction, rule }: Place, peer: Peer): Finding[] {
  const { index } = context;
  if (!isNamespacePeer(peer) || peer.podSelector.requirements.length === 0) return [];
  const { pods, hostPods } = index.matchedBy(peer, policy);
  const namespaces = index.namespacesOf(peer, policy);
  const there = [...namespaces].flatMap((name) => index.podsIn(name));
  const own = index.podsIn(policy.namespace).filter((pod) => !pod.hostNetwork);
  if (pods.length > 0 || hostPods.length > 0 || namespaces.has(policy.namespace) || there.length === 0 || mayBeThere(context, peer, there)) return [];
  const found = own.find((pod) => selects(peer.podSelector, pod));
  if (found === undefined) return [];
  const selector = describeSelector(peer.podSelector);
  const message = `one item is read as both at once: pods ${selector} of the namespaces ${namespacesText(peer)}, and there is none; ${describePod(found)} stands in \`${policy.namespace}\``;
  return [findAt(policy, { code: 'and-instead-of-or', severity: 'warning', message, origin: peer.origin, help: 'to mean those namespaces, and those pods of the own one, begin a second item with `- podSelector`', edits: splitPeer(rule, direction, peer) })];
}

/** Beside others its halves might repeat one of them. */
function splitPeer({ origin, peers }: PolicyRule, direction: Direction, peer: Peer): TextEdit[] {
  if (peers.kind === 'everybody' || peers.peers.length > 1) return [];
  return splitItem(below(origin, direction === 'ingress' ? 'from' : 'to'), [peer.origin], { item: peer.origin, fields: ['namespaceSelector', 'podSelector'] });
}

function mayBeThere(context: LintContext, peer: NamespacePeer, there: readonly Pod[]): boolean {
  const creators = [...new Set(there.map(({ namespace }) => namespace))].flatMap((name) => context.podCreatorsIn(name));
  return creators.length > 0 || there.some((pod) => mayBeSelected(peer.podSelector, pod)) || findNearLabel(peer.podSelector, there) !== undefined;
}
