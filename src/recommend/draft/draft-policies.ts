// Writes the policies that let the needed connections through and nothing else: one for each workload, and a default deny for each namespace.
import { compareText } from '../../base/finding.ts';
import { hasOtherProtocols, protocolRanges, PROTOCOLS, type PortSet } from '../../base/port-set.ts';
import type { TierRule } from '../../model/cluster-policy.ts';
import type { Direction, NetworkPolicy, Peer, PolicyRule, PortMatch } from '../../model/network-policy.ts';
import { UNWRITTEN, type PolicyDraft, type PolicyPart } from '../../model/policy-draft.ts';
import { EVERYTHING } from '../../model/selector.ts';
import { formatCidr } from '../../base/range-text.ts';
import { endKey, endName, type Block, type Connection, type End } from '../ends/connection.ts';
import { labelSelector } from '../ends/label-selector.ts';
import { listed } from '../ends/listed.ts';
import { seenText, sightingText } from '../ends/seen.ts';
import { DEFAULT_DENY, type Subject } from '../ends/subjects.ts';

export interface PolicyDrafts {
  readonly drafts: readonly PolicyDraft[];
  /** Whom each rule was written for. */
  readonly connectionOf: ReadonlyMap<PolicyRule | TierRule, Connection>;
}

/** Sorted by namespace; in each the default deny first, then the workloads by name. */
export function draftPolicies(subjects: readonly Subject[], namespaces: readonly string[], connections: readonly Connection[]): PolicyDrafts {
  const connectionOf = new Map<PolicyRule, Connection>();
  const incoming = Map.groupBy(connections, ({ target }) => endKey(target));
  const outgoing = Map.groupBy(connections, ({ source }) => endKey(source));
  const byNamespace = Map.groupBy(subjects, ({ namespace }) => namespace);
  const drafts = [...namespaces].sort(compareText).flatMap((namespace) => [
    draftDefaultDeny(namespace),
    ...(byNamespace.get(namespace) ?? []).map((subject) => {
      const key = endKey({ kind: 'subject', subject });
      return draftPolicy(subject, { ingress: incoming.get(key) ?? [], egress: outgoing.get(key) ?? [] }, connectionOf);
    }),
  ]);
  return { drafts, connectionOf };
}

function draftDefaultDeny(namespace: string): PolicyDraft {
  const policy: NetworkPolicy = { kind: 'NetworkPolicy', namespace, name: DEFAULT_DENY, podSelector: EVERYTHING, ingress: [], egress: [], origin: UNWRITTEN };
  return { policy, comments: new Map([[policy, `Nobody talks in ${namespace} unless a policy says so.`]]) };
}

function draftPolicy(subject: Subject, needed: Readonly<Record<Direction, readonly Connection[]>>, connectionOf: Map<PolicyRule, Connection>): PolicyDraft {
  const comments = new Map<PolicyPart, string>();
  const { namespace, name, selector } = subject;
  const ingress = draftRules(subject, { direction: 'ingress', connections: needed.ingress, comments, connectionOf });
  const egress = draftRules(subject, { direction: 'egress', connections: needed.egress, comments, connectionOf });
  const policy: NetworkPolicy = { kind: 'NetworkPolicy', namespace, name, podSelector: selector, ingress, egress, origin: UNWRITTEN };
  comments.set(policy, policyComment(subject, needed));
  return { policy, comments };
}

export function policyComment({ workloads }: Subject, { ingress, egress }: Readonly<Record<Direction, readonly Connection[]>>): string {
  const names = listed(workloads.map(({ kind, name }) => `${kind} ${name}`));
  const seen = [...(ingress.length === 0 ? ['nothing is seen to connect to it'] : []), ...(egress.length === 0 ? ['nothing is seen that it connects to'] : [])];
  return seen.length === 0 ? names : `${names}: ${seen.join(', ')}`;
}

interface Section {
  readonly direction: Direction;
  readonly connections: readonly Connection[];
  readonly comments: Map<PolicyPart, string>;
  readonly connectionOf: Map<PolicyRule, Connection>;
}

/** One rule for each peer, in the order of the peers. */
function draftRules({ namespace }: Subject, { direction, connections, comments, connectionOf }: Section): readonly PolicyRule[] {
  const peerOf = ({ source, target }: Connection): End => (direction === 'ingress' ? source : target);
  return [...connections].sort((a, b) => compareText(endKey(peerOf(a)), endKey(peerOf(b)))).map((connection, index) => {
    const end = peerOf(connection);
    const rule: PolicyRule = { index, peers: { kind: 'listed', peers: peersOf(end, namespace) }, ports: rulePorts(connection.ports), origin: UNWRITTEN };
    comments.set(rule, ruleComment(end, connection));
    connectionOf.set(rule, connection);
    return rule;
  });
}

/** What shows it, with its place or its flows; a decision before all. */
export function ruleComment(end: End, { witnesses, decision, seen, scrape, isDeclared }: Connection): string {
  const lines = witnesses.map(({ says, file, range }) => `${says} (${file}:${range.start.line})`);
  const flows = seen === undefined ? [] : [...(scrape === undefined || isDeclared !== false ? [] : [scrape]), seenText(seen), ...seen.witnesses.map((record) => `  ${sightingText(record)}`), ...(seen.rows.length > seen.witnesses.length ? [`  and ${seen.rows.length - seen.witnesses.length} more`] : [])];
  const shown = lines.length + flows.length === 0 ? ['finds the others by their names'] : [...lines, ...flows];
  return [endName(end), ...(decision === undefined ? [] : [`decide: ${decision}`]), ...shown].join('\n');
}

export function peersOf(end: End, home: string): readonly Peer[] {
  switch (end.kind) {
    case 'subject':
      return [podPeer(end.subject.namespace === home ? undefined : end.subject.namespace, end.subject.selector)];
    case 'pods':
      return end.selectors.map((selector) => (end.namespace === undefined ? anyNamespacePeer(selector) : podPeer(end.namespace, selector)));
    case 'addresses':
      return end.blocks.map(blockPeer);
  }
}

function podPeer(namespace: string | undefined, podSelector: Subject['selector']): Peer {
  const namespaces = namespace === undefined ? ({ kind: 'own' } as const) : ({ kind: 'selected', selector: labelSelector([['kubernetes.io/metadata.name', namespace]]) } as const);
  return { kind: 'pods', namespaces, podSelector, origin: UNWRITTEN };
}

function anyNamespacePeer(podSelector: Subject['selector']): Peer {
  return { kind: 'pods', namespaces: { kind: 'selected', selector: EVERYTHING }, podSelector, origin: UNWRITTEN };
}

function blockPeer({ cidr, except }: Block): Peer {
  const text = [formatCidr(cidr), ...except.map((range, index) => `${index === 0 ? 'except ' : ''}${formatCidr(range)}`)].join(' ');
  return { kind: 'ip-block', cidr, except, text, origin: UNWRITTEN };
}

/** Protocols without ports pass by rules for everything alone. */
export function rulePorts(ports: PortSet): PolicyRule['ports'] {
  return hasOtherProtocols(ports) ? { kind: 'every' } : { kind: 'listed', ports: portsOf(ports) };
}

export function portsOf(ports: PortSet): readonly PortMatch[] {
  return PROTOCOLS.flatMap((protocol) => protocolRanges(ports, protocol).map(([first, last]): PortMatch => ({ kind: 'range', protocol, first, last, origin: UNWRITTEN })));
}
