// What patterns are written with: rules, peers and ports with their comments become drafts of policies.
import type { IpRange } from '../base/ip-address.ts';
import { formatCidr } from '../base/range-text.ts';
import type { ScopedPods, Tier, TierAction, TierPeer } from '../model/cluster-policy.ts';
import type { Direction, IpBlockPeer, Peer, PodPeer, PortMatch } from '../model/network-policy.ts';
import { UNWRITTEN, type PolicyDraft, type PolicyPart } from '../model/policy-draft.ts';
import { EVERYTHING, type Selector } from '../model/selector.ts';
import { EVERY_NAMESPACE, type Answers, type NotedBlock, type PodPlace } from './answers.ts';
import { NODE_LOCAL_BLOCK } from './named-blocks.ts';

/** A part with the comment that stands above it. */
export interface Noted<Part> {
  readonly part: Part;
  readonly comment?: string | undefined;
}

export interface RuleWords {
  readonly comment?: string;
  /** Missing: everybody, in and outside the cluster. */
  readonly peers?: readonly Noted<Peer>[];
  /** Missing or empty: every port. */
  readonly ports?: readonly Noted<PortMatch>[];
}

export interface PolicyWords {
  readonly name: string;
  /** Lines above the policy. */
  readonly head: readonly string[];
  /** A direction that is missing is not governed. */
  readonly ingress?: readonly RuleWords[];
  readonly egress?: readonly RuleWords[];
}

export function networkPolicyDraft(answers: Answers, words: PolicyWords): PolicyDraft {
  const comments = new Map<PolicyPart, string>();
  const rulesOf = (rules: readonly RuleWords[] | undefined) => rules?.map(({ comment, peers, ports = [] }, index) => noted(comments, {
    index,
    peers: peers === undefined ? ({ kind: 'everybody' } as const) : ({ kind: 'listed', peers: peers.map((peer) => noted(comments, peer.part, peer.comment)) } as const),
    ports: ports.length === 0 ? ({ kind: 'every' } as const) : ({ kind: 'listed', ports: ports.map((port) => noted(comments, port.part, port.comment)) } as const),
    origin: UNWRITTEN,
  }, comment));
  const policy = {
    kind: 'NetworkPolicy',
    namespace: answers.namespace,
    name: answers.name ?? words.name,
    podSelector: answers.podSelector,
    ingress: rulesOf(words.ingress),
    egress: rulesOf(words.egress),
    origin: UNWRITTEN,
  } as const;
  noted(comments, policy, words.head.join('\n'));
  return { policy, comments };
}

export interface TierRuleWords {
  readonly name: string;
  readonly comment?: string;
  readonly action: TierAction;
  readonly peers: readonly Noted<TierPeer>[];
  readonly ports?: readonly Noted<PortMatch>[];
}

export interface ClusterPolicyWords {
  readonly name: string;
  readonly head: readonly string[];
  readonly tier: Tier;
  readonly subject: Noted<ScopedPods>;
  readonly ingress?: readonly TierRuleWords[];
  readonly egress?: readonly TierRuleWords[];
}

export function clusterPolicyDraft(answers: Answers, words: ClusterPolicyWords): PolicyDraft {
  const comments = new Map<PolicyPart, string>();
  const rulesOf = (rules: readonly TierRuleWords[] = []) => rules.map(({ name, comment, action, peers, ports = [] }, index) => noted(comments, {
    index,
    name,
    action,
    peers: { kind: 'listed', peers: peers.map((peer) => noted(comments, peer.part, peer.comment)) } as const,
    ports: ports.length === 0 ? ({ kind: 'every' } as const) : ({ kind: 'listed', ports: ports.map((port) => noted(comments, port.part, port.comment)) } as const),
    origin: UNWRITTEN,
  }, comment));
  const policy = {
    kind: 'ClusterNetworkPolicy',
    name: answers.name ?? words.name,
    tier: words.tier,
    priority: answers.priority,
    subject: noted(comments, words.subject.part, words.subject.comment),
    ingress: rulesOf(words.ingress),
    egress: rulesOf(words.egress),
    origin: UNWRITTEN,
  } as const;
  noted(comments, policy, words.head.join('\n'));
  return { policy, comments };
}

function noted<Part extends PolicyPart>(comments: Map<PolicyPart, string>, part: Part, comment: string | undefined): Part {
  if (comment !== undefined) comments.set(part, comment);
  return part;
}

export function placePeer({ namespace, podSelector, who }: PodPlace): Noted<PodPeer> {
  const namespaces = namespace === undefined ? ({ kind: 'own' } as const) : ({ kind: 'selected', selector: namespaceSelector(namespace) } as const);
  return { part: { kind: 'pods', namespaces, podSelector, origin: UNWRITTEN }, comment: who };
}

export function scopedPeer({ namespace = EVERY_NAMESPACE, podSelector, who }: PodPlace): Noted<TierPeer> {
  return { part: { kind: 'scoped-pods', namespaceSelector: namespaceSelector(namespace), podSelector, origin: UNWRITTEN }, comment: who };
}

/** The label that every namespace has, and that nobody can take away or give to another. */
export function namespaceSelector(name: string): Selector {
  if (name === EVERY_NAMESPACE) return EVERYTHING;
  return { requirements: [{ kind: 'In', key: 'kubernetes.io/metadata.name', values: [name] }] };
}

export function everyNamespaceBut(names: readonly string[]): Selector {
  return names.length === 0 ? EVERYTHING : { requirements: [{ kind: 'NotIn', key: 'kubernetes.io/metadata.name', values: names }] };
}

/** Of the exceptions, those that lie within the block. */
export function blockPeer({ range, who }: NotedBlock, except: readonly IpRange[] = []): Noted<IpBlockPeer> {
  const inside = except.filter(({ family, first, last }) => family === range.family && first >= range.first && last <= range.last);
  const text = [formatCidr(range), ...(inside.length === 0 ? [] : ['except', inside.map(formatCidr).join(', ')])].join(' ');
  return { part: { kind: 'ip-block', cidr: range, except: inside, text, origin: UNWRITTEN }, comment: who };
}

/** Above the rule for DNS of a policy that opens something else. */
export const NAMES_TOO = 'Names: whoever may not ask DNS finds nobody.';

/** The rule that lets the cluster's DNS be asked; none where it is not wanted. */
export function dnsRules({ dns }: Answers, comment?: string): readonly RuleWords[] {
  if (dns === undefined) return [];
  const peers = [...dns.peers.map(placePeer), ...(dns.hasNodeLocalDns ? [blockPeer(NODE_LOCAL_BLOCK)] : [])];
  return [{ ...(comment === undefined ? {} : { comment }), peers, ports: uncommented(dns.ports) }];
}

export function portRange(protocol: PortMatch['protocol'], first: number, last: number = first): PortMatch {
  return { kind: 'range', protocol, first, last, origin: UNWRITTEN };
}

export function uncommented<Part>(parts: readonly Part[]): readonly Noted<Part>[] {
  return parts.map((part) => ({ part }));
}

/** The sections of the directions that are asked for, made alike. */
export function inDirections<Rules>({ directions }: Answers, rules: (direction: Direction) => Rules): { readonly ingress?: Rules; readonly egress?: Rules } {
  return Object.fromEntries(directions.map((direction) => [direction, rules(direction)]));
}
