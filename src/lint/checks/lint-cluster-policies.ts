// Cluster-wide policies whose subject or peers match nothing, rules of tiers that never decide, and rules of NetworkPolicies that a tier denies.
import type { Finding, RelatedPlace, TextEdit } from '../../base/finding.ts';
import { ALL_PORTS, subtractPorts } from '../../base/port-set.ts';
import { describeSelector } from '../../model/selector.ts';
import type { ClusterPolicy, ScopedPods, TierPeer, TierRule } from '../../model/cluster-policy.ts';
import type { Pod } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PodPeer, type PolicyRule } from '../../model/network-policy.ts';
import { below, locateOrigin, unwrittenDocument, type Origin } from '../../model/origin.ts';
import type { TierDecision } from '../../compile/tier-decision.ts';
import type { LintContext } from '../context/lint-context.ts';
import { describeNearPod, findNearLabel, isSibling, mayBeSelected, type NearLabel } from '../context/near-label.ts';
import type { SelectedPods } from '../context/pod-index.ts';
import { findAt, replaceValue } from '../edits/policy-place.ts';

/** Pairs of subject and peer class that are looked at; of a larger cluster nothing is said about what tiers decide. */
const CELLS_MAX = 200_000;

export function lintClusterPolicies(context: LintContext): Finding[] {
  const { clusterPolicies } = context.cluster;
  if (clusterPolicies.length === 0) return [];
  const scopes = clusterPolicies.flatMap((policy) => [...lintScope(context, policy, SUBJECT), ...rulesOf(policy).flatMap(({ rule }) => peersOf(rule).flatMap((peer) => (peer.kind === 'scoped-pods' ? lintScope(context, policy, peer) : [])))]);
  const decided = findDecided(context);
  return decided === undefined ? scopes : [...scopes, ...clusterPolicies.flatMap((policy) => lintShadowed(context, policy, decided)), ...decided.denied.map(describeDenied)];
}

const SUBJECT = 'subject';

function rulesOf(policy: ClusterPolicy): readonly { readonly direction: Direction; readonly rule: TierRule }[] {
  return DIRECTIONS.flatMap((direction) => policy[direction].map((rule) => ({ direction, rule })));
}

function peersOf({ peers }: TierRule): readonly TierPeer[] {
  return peers.kind === 'everybody' ? [] : peers.peers;
}

// --- Scopes that match nothing

type ScopedPeer = TierPeer & { readonly kind: 'scoped-pods' };

/** Without a near miss only a whole cluster tells: files may not hold the namespaces that are meant. */
function lintScope(context: LintContext, policy: ClusterPolicy, scope: ScopedPeer | typeof SUBJECT): Finding[] {
  const { index, cluster, isWholeCluster, hasAllNamespaces } = context;
  const wanted: ScopedPods = scope === SUBJECT ? policy.subject : scope;
  const matched = podsOf(context, wanted);
  if (cluster.pods.length === 0 || matched.pods.length > 0 || matched.hostPods.length > 0) return [];
  const namespaces = index.namespacesOf(asPeer(wanted), NO_POLICY);
  const pods = [...namespaces].flatMap((name) => index.podsIn(name));
  if (pods.some((pod) => mayBeSelected(wanted.podSelector, pod))) return [];
  const near = namespaces.size === 0 ? nearNamespace(context, wanted) : nearPod(wanted, pods);
  if (near === undefined && !(namespaces.size === 0 ? hasAllNamespaces : isWholeCluster)) return [];
  const selector = namespaces.size === 0 ? `no namespace has ${describeSelector(wanted.namespaceSelector)}` : `${describeSelector(wanted.podSelector)} ${scope === SUBJECT ? 'selects' : 'matches'} no pod of the namespaces meant`;
  const origin = scope === SUBJECT ? below(policy.origin, 'spec', 'subject') : scope.origin;
  return [findInClusterPolicy(policy, origin, {
    code: scope === SUBJECT ? 'selects-no-pods' : 'peer-matches-nothing',
    severity: 'warning',
    message: `${scope === SUBJECT ? 'the subject' : 'the peer'} is nobody: ${selector}${near === undefined ? '' : `; ${near.hint}`}`,
    ...(near === undefined ? {} : { help: `did you mean \`${near.key}=${near.value}\`?`, edits: nearEdit(near, selectorsOf(origin, namespaces.size === 0)) }),
  })];
}

function podsOf({ index }: LintContext, scope: ScopedPods): SelectedPods {
  return index.matchedBy(asPeer(scope), NO_POLICY);
}

function asPeer({ namespaceSelector, podSelector }: ScopedPods): PodPeer {
  return { kind: 'pods', namespaces: { kind: 'selected', selector: namespaceSelector }, podSelector, origin: NO_POLICY.origin };
}

/** A scope says its namespaces itself, so no policy's own one is asked for. */
const NO_POLICY: NetworkPolicy = {
  kind: 'NetworkPolicy',
  namespace: '',
  name: '',
  podSelector: { requirements: [] },
  ingress: undefined,
  egress: undefined,
  origin: { document: unwrittenDocument(''), path: [] },
};

interface Near extends NearLabel {
  readonly hint: string;
}

function nearNamespace({ cluster }: LintContext, { namespaceSelector }: ScopedPods): Near | undefined {
  const near = findNearLabel(namespaceSelector, cluster.namespaces.filter(({ origin }) => origin !== undefined));
  return near === undefined || isSibling(near) ? undefined : { ...near, hint: `nearest is \`${near.key}=${near.value}\` on namespace \`${near.nearest.name}\`` };
}

function nearPod({ podSelector }: ScopedPods, pods: readonly Pod[]): Near | undefined {
  const near = findNearLabel(podSelector, pods);
  return near === undefined ? undefined : { ...near, hint: describeNearPod(near) };
}

/** Where the selector of a scope may stand. */
function selectorsOf(scope: Origin, isOfNamespaces: boolean): readonly Origin[] {
  return isOfNamespaces ? [below(scope, 'namespaces'), below(scope, 'pods', 'namespaceSelector')] : [below(scope, 'pods', 'podSelector')];
}

function nearEdit(near: Near, selectors: readonly Origin[]): readonly TextEdit[] {
  return near.isSure && near.key === near.requirement.key ? selectors.flatMap((selector) => replaceValue(selector, near.requirement, near.value)) : [];
}

// --- What the tiers decide

interface Decided {
  /** Rules that decide about anything. */
  readonly rules: ReadonlySet<TierRule>;
  readonly denied: readonly DeniedRule[];
}

interface DeniedRule {
  readonly policy: NetworkPolicy;
  readonly rule: PolicyRule;
  readonly by: TierDecision;
}

/** undefined: the cluster is too large. */
function findDecided({ program }: LintContext): Decided | undefined {
  const rules = new Set<TierRule>();
  const met = new Map<PolicyRule, DeniedRule>();
  const alive = new Set<PolicyRule>();
  let cells = 0;
  for (const name of DIRECTIONS) {
    const direction = program[name];
    for (const subject of new Set(direction.subjectOfGroup)) {
      if (!direction.isGoverned(subject)) continue;
      if ((cells += direction.classCount) > CELLS_MAX) return undefined;
      for (let peerClass = 0; peerClass < direction.classCount; peerClass++) {
        const admin = direction.tierDecisions('Admin', subject, { peerClass, ports: ALL_PORTS });
        for (const { rule } of [...admin, ...direction.tierDecisions('Baseline', subject, { peerClass, ports: ALL_PORTS })]) rules.add(rule);
        const denying = admin.filter(({ rule }) => rule.action === 'Deny');
        const [first] = denying;
        const left = denying.reduce((ports, decision) => subtractPorts(ports, decision.ports), ALL_PORTS);
        for (const { rule } of direction.allowingRules(subject, peerClass, left)) alive.add(rule);
        if (first === undefined) continue;
        for (const { policy, rule } of direction.allowingRules(subject, peerClass, ALL_PORTS)) met.set(rule, { policy, rule, by: first });
      }
    }
  }
  return { rules, denied: [...met.values()].filter(({ rule }) => !alive.has(rule)) };
}

/** Only rules whose subject and peers are surely there can be told to be shadowed. */
function lintShadowed(context: LintContext, policy: ClusterPolicy, { rules }: Decided): Finding[] {
  if (podsOf(context, policy.subject).pods.length === 0 || hasEqual(context, policy)) return [];
  return rulesOf(policy).flatMap(({ direction, rule }) => {
    if (rules.has(rule) || !isThere(context, rule)) return [];
    const message = `the ${direction} rule ${rule.name === undefined ? rule.index + 1 : `\`${rule.name}\``} of ${policy.kind} \`${policy.name}\` never decides: rules that come before it take all that it names`;
    return [findInClusterPolicy(policy, rule.origin, { code: 'rule-shadowed', severity: 'warning', message, help: 'move it before them, give the policy a lower priority number, or take it away' })];
  });
}

/** Beside a policy of equal priority a rule that loses still hides those behind it in its own. */
function hasEqual({ cluster }: LintContext, { tier, priority, ...policy }: ClusterPolicy): boolean {
  return cluster.clusterPolicies.some((other) => other.tier === tier && other.priority === priority && (other.name !== policy.name || other.kind !== policy.kind));
}

function isThere(context: LintContext, { peers, ports }: TierRule): boolean {
  if (ports.kind === 'listed' && !ports.ports.some(({ kind }) => kind === 'protocol' || kind === 'range')) return false;
  return peers.kind === 'everybody' || peers.peers.some((peer) => peer.kind === 'ip-block' || (peer.kind === 'scoped-pods' && podsOf(context, peer).pods.length > 0));
}

function describeDenied({ policy, rule, by }: DeniedRule): Finding {
  const related: RelatedPlace[] = [{ message: `denied by ${by.policy.kind} \`${by.policy.name}\``, ...locateOrigin(by.rule.origin) }];
  const message = `all that the rule allows is denied by ${by.policy.kind} \`${by.policy.name}\`, whose tier is asked first`;
  return findAt(policy, { code: 'denied-by-tier', severity: 'warning', message, origin: rule.origin, help: 'take the rule away, or except its pods from that policy', related });
}

type ClusterPolicyParts = Pick<Finding, 'code' | 'severity' | 'message' | 'edits'> & { readonly help?: string };

function findInClusterPolicy({ kind, name }: ClusterPolicy, origin: Origin, { edits = [], ...parts }: ClusterPolicyParts): Finding {
  return { ...parts, ...locateOrigin(origin), object: { kind, namespace: '', name }, ...(edits.length === 0 ? {} : { edits }) };
}
