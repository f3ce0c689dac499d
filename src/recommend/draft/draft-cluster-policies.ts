// The same rules as cluster-wide policies of the Baseline tier: one for each workload that accepts, and one behind them that denies the rest.
import { formatCidr } from '../../base/range-text.ts';
import type { IpRange } from '../../base/ip-address.ts';
import { withoutRanges } from '../../base/known-ranges.ts';
import { chunks, ITEMS_MAX, splitRule } from '../../compare/split-rule.ts';
import type { ClusterPolicy, ScopedPods, TierPeer, TierPorts, TierRule } from '../../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type IpBlockPeer, type NetworkPolicy, type Peer, type PolicyRule, type RulePorts } from '../../model/network-policy.ts';
import { UNWRITTEN, type PolicyDraft, type PolicyPart } from '../../model/policy-draft.ts';
import { EVERYTHING, type Selector } from '../../model/selector.ts';
import { parseCidr } from '../../read/values/cidr.ts';
import type { Connection } from '../ends/connection.ts';
import type { PolicyDrafts } from './draft-policies.ts';
import { labelSelector } from '../ends/label-selector.ts';
import { DEFAULT_DENY } from '../ends/subjects.ts';

/** Those that accept come before the one that denies; between the two there is room for others. */
const PRIORITY_OF_ACCEPTS = 100;
const PRIORITY_OF_DENY = 1000;
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/**
 * From the drafts of NetworkPolicies. No rule of these kinds can name addresses, nodes or the outside as a source, so that whoever is
 * no pod comes in as before; the same priority stands beside itself only where no pod has two of the policies.
 */
export function draftClusterPolicies({ drafts, connectionOf }: PolicyDrafts): PolicyDrafts {
  const connections = new Map<PolicyRule | TierRule, Connection>();
  const policies = drafts.map(({ policy, comments }) => ({ policy: policy as NetworkPolicy, comments })); // drafts of the other file are of no other kind
  const closed = policies.filter(({ policy }) => policy.name === DEFAULT_DENY).map(({ policy }) => policy.namespace);
  const accepting = policies.filter(({ policy }) => policy.name !== DEFAULT_DENY).flatMap((draft) => acceptingPolicies(draft, connectionOf, connections));
  return { drafts: closed.length === 0 ? [] : [...accepting, denyingPolicy(closed)], connectionOf: connections };
}

interface WrittenDraft {
  readonly policy: NetworkPolicy;
  readonly comments: PolicyDraft['comments'];
}

/** A workload with more rules than one policy takes has several, each with a priority of its own. */
function acceptingPolicies({ policy, comments }: WrittenDraft, connectionOf: PolicyDrafts['connectionOf'], connections: Map<PolicyRule | TierRule, Connection>): readonly PolicyDraft[] {
  const words = new Map<PolicyPart, string>();
  const [ingress, egress] = DIRECTIONS.map((direction) => chunks((policy[direction] ?? []).flatMap((rule) => splitRule(tierRule(policy.namespace, rule, { direction, dnsName: dnsNameOf(connectionOf.get(rule)) })).map((own) => ({ own, rule }))), ITEMS_MAX)
    .map((part) => part.map(({ own, rule }, index): TierRule => {
      const placed = { ...own, index };
      connections.set(placed, connectionOf.get(rule)!); // each rule of a draft has one
      words.set(placed, comments.get(rule) ?? '');
      return placed;
    }))) as [TierRule[][], TierRule[][]]; // there are two directions
  const subject = { namespaceSelector: labelSelector([[NAMESPACE_NAME, policy.namespace]]), podSelector: policy.podSelector };
  return Array.from({ length: Math.max(1, ingress.length, egress.length) }, (_, part): PolicyDraft => {
    const own: ClusterPolicy = { ...ACCEPTING, name: `${policy.namespace}.${policy.name}${part === 0 ? '' : `-${part + 1}`}`, priority: PRIORITY_OF_ACCEPTS + part, subject, ingress: ingress[part] ?? [], egress: egress[part] ?? [] };
    return { policy: own, comments: new Map<PolicyPart, string>([...words, [own, comments.get(policy) ?? '']]) };
  }).filter((draft) => DIRECTIONS.some((direction) => (draft.policy[direction] ?? []).length > 0));
}

const ACCEPTING = { kind: 'ClusterNetworkPolicy', tier: 'Baseline', origin: UNWRITTEN } as const;

function dnsNameOf(connection: Connection | undefined): string | undefined {
  return connection?.target.kind === 'addresses' ? connection.target.dnsName : undefined;
}

interface TierSide {
  readonly direction: Direction;
  /** In place of the addresses of a target. */
  readonly dnsName: string | undefined;
}

function tierRule(namespace: string, { index, peers, ports }: PolicyRule, { direction, dnsName }: TierSide): TierRule {
  const listed = peers.kind === 'listed' ? peers.peers : [];
  const own: readonly TierPeer[] = dnsName === undefined ? listed.flatMap((peer) => tierPeers(namespace, peer, direction)) : [{ kind: 'domain-name', pattern: dnsName, origin: UNWRITTEN }];
  return { index, name: undefined, action: 'Accept', peers: { kind: 'listed', peers: own }, ports: tierPorts(ports), origin: UNWRITTEN };
}

function tierPeers(namespace: string, peer: Peer, direction: Direction): readonly TierPeer[] {
  if (peer.kind === 'ip-block') return direction === 'ingress' ? [] : withoutRanges(peer.cidr, peer.except).flatMap(cidrsOf).map(networkPeer);
  const namespaceSelector = peer.namespaces.kind === 'own' ? labelSelector([[NAMESPACE_NAME, namespace]]) : peer.namespaces.selector;
  return [{ kind: 'scoped-pods', namespaceSelector, podSelector: peer.podSelector, origin: UNWRITTEN }];
}

/** The fewest CIDRs that are the range. */
function cidrsOf({ family, first, last }: IpRange): readonly IpRange[] {
  const cidrs: IpRange[] = [];
  for (let start = first; start <= last;) {
    let size = 1n;
    while (start % (size * 2n) === 0n && start + size * 2n - 1n <= last) size *= 2n;
    cidrs.push({ family, first: start, last: start + size - 1n });
    start += size;
  }
  return cidrs;
}

function networkPeer(cidr: IpRange): IpBlockPeer {
  return { kind: 'ip-block', cidr, except: [], text: formatCidr(cidr), origin: UNWRITTEN };
}

function tierPorts(ports: RulePorts): TierPorts {
  return ports.kind === 'every' ? ports : { kind: 'listed', ports: ports.ports };
}

function denyingPolicy(namespaces: readonly string[]): PolicyDraft {
  const named: Selector = { requirements: [{ kind: 'In', key: NAMESPACE_NAME, values: namespaces }] };
  const subject: ScopedPods = { namespaceSelector: named, podSelector: EVERYTHING };
  const everybody: TierPeer = { kind: 'scoped-pods', namespaceSelector: EVERYTHING, podSelector: EVERYTHING, origin: UNWRITTEN };
  const deny = (peers: readonly TierPeer[]): TierRule => ({ index: 0, name: undefined, action: 'Deny', peers: { kind: 'listed', peers }, ports: { kind: 'every' }, origin: UNWRITTEN });
  const policy: ClusterPolicy = { ...ACCEPTING, name: DEFAULT_DENY, priority: PRIORITY_OF_DENY, subject, ingress: [deny([everybody])], egress: [deny([everybody, ...EVERY_ADDRESS.map(networkPeer)])] };
  return { policy, comments: new Map([[policy, `No pod talks to another or to the outside in ${namespaces.join(', ')} unless a policy says so.`]]) };
}

const EVERY_ADDRESS: readonly IpRange[] = ['0.0.0.0/0', '::/0'].map((text) => parseCidr(text)!.range); // the texts stand here

