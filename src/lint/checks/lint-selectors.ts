// Selectors that select nothing, or only pods that no policy can govern.
import type { Finding } from '../../base/finding.ts';
import { describeSelector, meetsRequirement, type Selector } from '../../model/selector.ts';
import type { Namespace } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PodPeer } from '../../model/network-policy.ts';
import { below, type Origin } from '../../model/origin.ts';
import { describeNearPod, describePod, findNearLabel, isSibling, mayBeSelected, type NearLabel } from '../context/near-label.ts';
import { describesNamespaces } from '../context/known-namespaces.ts';
import type { LintContext } from '../context/lint-context.ts';
import type { SelectedPods } from '../context/pod-index.ts';
import { findAt, replaceValue } from '../edits/policy-place.ts';

const METADATA_NAME = 'kubernetes.io/metadata.name';

export function lintSelectors(context: LintContext, policy: NetworkPolicy): Finding[] {
  return [...lintPodSelector(context, policy), ...DIRECTIONS.flatMap((direction) => lintPeers(context, policy, direction))];
}

function lintPodSelector(context: LintContext, policy: NetworkPolicy): Finding[] {
  const { index } = context;
  const selected = index.selectedBy(policy);
  const origin = below(policy.origin, 'spec', 'podSelector');
  if (selected.pods.length > 0) return partlyOnHost(policy, selected, origin);
  if (selected.hostPods.length > 0) {
    const what = "the selector selects only pods on the host's network, which no policy governs";
    return [onHost(policy, { selected, origin, what, help: HELP_FOR_SUBJECT })];
  }
  const pods = index.podsIn(policy.namespace);
  const isDefault = policy.podSelector.requirements.length === 0;
  if (index.cluster.pods.length === 0 || (pods.length === 0 && (isDefault || !context.isWholeCluster))) return [];
  if (pods.some((pod) => mayBeSelected(policy.podSelector, pod))) return [];
  const near = findNearLabel(policy.podSelector, pods);
  const creators = context.podCreatorsIn(policy.namespace);
  const isUnknown = near === undefined && creators.length > 0;
  const hint = near !== undefined ? `; ${describeNearPod(near)}` : isUnknown ? `; ${describeCreators(creators)}` : elsewhere(context, policy);
  const subject = describeSelector(policy.podSelector);
  const message = isUnknown
    ? `cannot know whether ${subject} selects a pod of namespace \`${policy.namespace}\`${hint}`
    : `${subject} selects no pod of namespace \`${policy.namespace}\`${hint}`;
  return [findAt(policy, { code: 'selects-no-pods', severity: isUnknown ? 'info' : 'warning', message, origin, ...mending(near, origin) })];
}

/** Where the near miss is the value under the same key, the edit that names it. */
function mending(near: NearLabel | undefined, selectorOrigin: Origin): { help?: string; edits?: Finding['edits'] } {
  if (near === undefined) return {};
  const help = `did you mean \`${near.key}=${near.value}\`?`;
  if (!near.isSure || near.key !== near.requirement.key) return { help };
  return { help, edits: replaceValue(selectorOrigin, near.requirement, near.value) };
}

function describeCreators(creators: readonly string[]): string {
  return `${creators.slice(0, 3).join(', ')} may create such pods`;
}

function elsewhere({ index }: LintContext, policy: NetworkPolicy): string {
  if (policy.podSelector.requirements.length === 0) return '';
  const [pod] = index.selectedAnywhere(policy.podSelector).pods;
  return pod === undefined ? '' : `, but one of namespace \`${pod.namespace}\`: ${describePod(pod)}`;
}

function lintPeers(context: LintContext, policy: NetworkPolicy, direction: Direction): Finding[] {
  const findings: Finding[] = [];
  for (const rule of policy[direction] ?? []) {
    if (rule.peers.kind === 'everybody') continue;
    for (const peer of rule.peers.peers) {
      const finding = peer.kind === 'pods' ? lintPeer(context, policy, peer) : undefined;
      if (finding !== undefined) findings.push(finding);
    }
  }
  return findings;
}

function lintPeer(context: LintContext, policy: NetworkPolicy, peer: PodPeer): Finding | undefined {
  const { index } = context;
  const matched = index.matchedBy(peer, policy);
  const namespaces = index.namespacesOf(peer, policy);
  if (matched.pods.length > 0) return undefined;
  if (namespaces.size === 0) return lintNamespaces(context, policy, peer);
  if (index.cluster.pods.length === 0) return undefined;
  if (matched.hostPods.length > 0) {
    const what = "the peer names only pods on the host's network, which no selector matches";
    return onHost(policy, { selected: matched, origin: peer.origin, what, help: HELP_FOR_PEER });
  }
  return lintPeerPods(context, { policy, peer, namespaces });
}

/** Namespaces that are not in the input are not known to be missing; a near miss tells, or an input that has all of them. */
function lintNamespaces(context: LintContext, policy: NetworkPolicy, peer: PodPeer): Finding | undefined {
  if (peer.namespaces.kind === 'own') return undefined;
  const { index, hasAllNamespaces } = context;
  const { selector } = peer.namespaces;
  const known = index.cluster.namespaces.filter((ns) => ns.origin !== undefined || selector.requirements.every((requirement) => requirement.key === METADATA_NAME));
  const near: NearLabel<Namespace> | undefined = findNearLabel(selector, known);
  const origin = below(peer.origin, 'namespaceSelector');
  if ((near === undefined || isSibling(near)) && !hasAllNamespaces) return lintForeignLabel(context, { policy, selector, origin });
  const hint = near === undefined ? '' : `; nearest is \`${near.key}=${near.value}\` on namespace \`${near.nearest.name}\``;
  const message = `${describeSelector(selector)} matches no namespace${hint}`;
  return findAt(policy, { code: 'peer-matches-nothing', severity: 'warning', message, origin, ...mending(near, origin) });
}

/** Labels that platforms set on namespaces of theirs, which no manifest shows. */
const PLATFORM_LABEL = /(^|\.)(kubernetes\.io|k8s\.io|openshift\.io)\//;

/** Of an input that describes its namespaces: a label that none of them has may be that of one which is not in it. */
function lintForeignLabel({ index }: LintContext, { policy, selector, origin }: { readonly policy: NetworkPolicy; readonly selector: Selector; readonly origin: Origin }): Finding | undefined {
  if (!describesNamespaces(index.cluster)) return undefined;
  const foreign = selector.requirements.find((requirement) => (requirement.kind === 'In' || requirement.kind === 'Exists') && !PLATFORM_LABEL.test(requirement.key) && !index.cluster.namespaces.some((ns) => meetsRequirement(requirement, ns)));
  if (foreign === undefined) return undefined;
  const message = `no namespace of the input has ${describeSelector({ requirements: [foreign] })}: without one elsewhere that has it, the peer matches nothing`;
  const help = 'label the namespace that is meant, or name it by `kubernetes.io/metadata.name`, which every namespace has';
  return findAt(policy, { code: 'peer-matches-nothing', severity: 'info', message, origin, help });
}

function lintPeerPods(
  context: LintContext,
  { policy, peer, namespaces }: { policy: NetworkPolicy; peer: PodPeer; namespaces: ReadonlySet<string> },
): Finding | undefined {
  const { index } = context;
  const pods = namespaces.size === index.cluster.namespaces.length ? index.cluster.pods : [...namespaces].flatMap((ns) => index.podsIn(ns));
  if (pods.length === 0 || pods.some((pod) => mayBeSelected(peer.podSelector, pod))) return undefined;
  const near = findNearLabel(peer.podSelector, pods);
  const creators = [...namespaces].flatMap((ns) => context.podCreatorsIn(ns));
  const isKnown = context.isWholeCluster || (isClosed(peer) && creators.length === 0);
  const origin = below(peer.origin, 'podSelector');
  const subject = describeSelector(peer.podSelector);
  const where = namespaces.size === 1 ? `namespace \`${[...namespaces][0]}\`` : `${namespaces.size} namespaces`;
  if (near !== undefined) {
    const message = `${subject} matches no pod of ${where}; ${describeNearPod(near)}`;
    return findAt(policy, { code: 'peer-matches-nothing', severity: 'warning', message, origin, ...mending(near, origin) });
  }
  if (isKnown) return matchesNothing(context, { policy, peer, origin, where });
  if (creators.length === 0) return undefined;
  const message = `cannot know whether ${subject} matches a pod of ${where}; ${describeCreators(creators)}`;
  return findAt(policy, { code: 'peer-matches-nothing', severity: 'info', message, origin });
}

/** A peer that names pods of another namespace, but not the namespace, is the most usual cause. */
function matchesNothing(
  { index }: LintContext,
  { policy, peer, origin, where }: { policy: NetworkPolicy; peer: PodPeer; origin: Origin; where: string },
): Finding {
  const [other] = peer.namespaces.kind === 'own' ? index.selectedAnywhere(peer.podSelector).pods : [];
  const hint = other === undefined ? '' : `, but one of namespace \`${other.namespace}\`: ${describePod(other)}`;
  const message = `${describeSelector(peer.podSelector)} matches no pod of ${where}${hint}`;
  const help = other === undefined ? undefined : `add a namespaceSelector for \`${METADATA_NAME}=${other.namespace}\` to this peer`;
  return findAt(policy, { code: 'peer-matches-nothing', severity: 'warning', message, origin, help });
}

/** Whether the peer's namespaces are the policy's own or named one by one, so that the input holds all that it can match. */
function isClosed(peer: PodPeer): boolean {
  if (peer.namespaces.kind === 'own') return true;
  return peer.namespaces.selector.requirements.some((requirement) => requirement.kind === 'In' && requirement.key === METADATA_NAME);
}

function partlyOnHost(policy: NetworkPolicy, selected: SelectedPods, origin: Origin): Finding[] {
  if (selected.hostPods.length === 0) return [];
  const count = selected.hostPods.length;
  const what = `the selector selects ${count === 1 ? 'a workload' : `${count} workloads`} on the host's network as well, which no policy governs`;
  return [{ ...onHost(policy, { selected, origin, what, help: HELP_FOR_SUBJECT }), severity: 'info' }];
}

const HELP_FOR_SUBJECT = "take `hostNetwork` from the pod, or guard the node's own addresses by other means";
const HELP_FOR_PEER = 'name the addresses of the nodes by an ipBlock';

function onHost(
  policy: NetworkPolicy,
  { selected, origin, what, help }: { selected: SelectedPods; origin: Origin; what: string; help: string },
): Finding {
  const message = `${what}: ${describePod(selected.hostPods[0]!)}`;
  return findAt(policy, { code: 'host-network-not-selected', severity: 'warning', message, origin, help });
}
