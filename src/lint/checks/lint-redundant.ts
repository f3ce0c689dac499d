// Rules and policies whose words are covered by those of another: for whatever pods there will be, they change nothing.
import type { Finding, TextEdit } from '../../base/finding.ts';
import type { IpRange } from '../../base/ip-address.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type Peer, type PolicyRule, type PortMatch } from '../../model/network-policy.ts';
import { below, locateOrigin } from '../../model/origin.ts';
import { canonicalSelector, type Selector } from '../../model/selector.ts';
import { removeItem } from '../edits/block-list.ts';
import { removeDocument } from '../edits/document-edit.ts';
import type { LintContext } from '../context/lint-context.ts';
import { groupBySelector, policiesOver, type PoliciesBySelector } from '../context/policies-over.ts';
import { findAt, isWritten } from '../edits/policy-place.ts';

/** Rules of one policy that are held against a rule. */
const RULES_MAX = 200;

export function lintRedundant({ cluster }: LintContext): Finding[] {
  const table = indexPolicies(cluster.policies);
  return cluster.policies.flatMap((policy) => {
    const rules = placedRulesOf(policy);
    const covered = rules.flatMap((rule) => {
      const covering = coveringRule(table, rule);
      return covering === undefined ? [] : [{ rule, covering }];
    });
    const isIdle = covered.length === rules.length && covered.every(({ covering }) => covering.policy !== policy);
    const other = isIdle ? isolatingPolicy(table, policy) : undefined;
    return other === undefined ? covered.map(describeRule) : [describePolicy(policy, other)];
  });
}

interface PlacedRule {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  readonly rule: PolicyRule;
  /** Of two rules that cover each other, the later one is called redundant. */
  readonly order: number;
}

interface PolicyTable {
  readonly policies: PoliciesBySelector;
  readonly orderOf: ReadonlyMap<NetworkPolicy, number>;
}

function indexPolicies(policies: readonly NetworkPolicy[]): PolicyTable {
  return { policies: groupBySelector(policies), orderOf: new Map(policies.map((policy, order) => [policy, order])) };
}

function placedRulesOf(policy: NetworkPolicy): PlacedRule[] {
  return DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).map((rule) => ({ policy, direction, rule, order: rule.index })));
}

function coveringRule(table: PolicyTable, own: PlacedRule): PlacedRule | undefined {
  for (const policy of policiesOver(table.policies, own.policy)) {
    for (const rule of (policy[own.direction] ?? []).slice(0, RULES_MAX)) {
      const other: PlacedRule = { policy, direction: own.direction, rule, order: rule.index };
      if (rule === own.rule || isOpenBeside(own, other) || !covers(other, own)) continue;
      if (!covers(own, other) || !isSameSubject(own, other) || isBefore(table, other, own)) return other;
    }
  }
  return undefined;
}

/** A rule `{}` beside others is a finding of its own. */
function isOpenBeside(own: PlacedRule, { policy, rule }: PlacedRule): boolean {
  return policy === own.policy && rule.peers.kind === 'everybody' && rule.ports.kind === 'every';
}

function isSameSubject(a: PlacedRule, b: PlacedRule): boolean {
  return canonicalSelector(a.policy.podSelector) === canonicalSelector(b.policy.podSelector);
}

function isBefore({ orderOf }: PolicyTable, a: PlacedRule, b: PlacedRule): boolean {
  return a.policy === b.policy ? a.order < b.order : orderOf.get(a.policy)! < orderOf.get(b.policy)!;
}

/** Whether another policy governs at least the same pods in at least the same directions. */
function isolatingPolicy(table: PolicyTable, policy: NetworkPolicy): NetworkPolicy | undefined {
  const governed = DIRECTIONS.filter((direction) => policy[direction] !== undefined);
  return policiesOver(table.policies, policy).find((other) => {
    if (other === policy || governed.some((direction) => other[direction] === undefined)) return false;
    const isMutual = canonicalSelector(other.podSelector) === canonicalSelector(policy.podSelector) && DIRECTIONS.every((direction) => (other[direction] === undefined) === (policy[direction] === undefined));
    return !isMutual || table.orderOf.get(other)! < table.orderOf.get(policy)!;
  });
}

// --- What covers what

function covers({ rule: { peers, ports } }: PlacedRule, { rule }: PlacedRule): boolean {
  const hasPeers = peers.kind === 'everybody' || (rule.peers.kind === 'listed' && rule.peers.peers.every((peer) => peers.peers.some((other) => coversPeer(other, peer))));
  return hasPeers && (ports.kind === 'every' || (rule.ports.kind === 'listed' && rule.ports.ports.every((port) => ports.ports.some((other) => coversPort(other, port)))));
}

function coversPeer(other: Peer, peer: Peer): boolean {
  if (other.kind === 'ip-block' || peer.kind === 'ip-block') {
    return other.kind === 'ip-block' && peer.kind === 'ip-block' && isInside(peer.cidr, other.cidr) && other.except.every((range) => isApart(range, peer.cidr) || peer.except.some((own) => isInside(range, own)));
  }
  if (!isWider(other.podSelector, peer.podSelector)) return false;
  if (other.namespaces.kind === 'own') return peer.namespaces.kind === 'own';
  return peer.namespaces.kind === 'own' ? other.namespaces.selector.requirements.length === 0 : isWider(other.namespaces.selector, peer.namespaces.selector);
}

function isWider(other: Selector, selector: Selector): boolean {
  const own = new Set(selector.requirements.map((requirement) => canonicalSelector({ requirements: [requirement] })));
  return other.requirements.every((requirement) => own.has(canonicalSelector({ requirements: [requirement] })));
}

function isInside(inner: IpRange, outer: IpRange): boolean {
  return inner.family === outer.family && outer.first <= inner.first && inner.last <= outer.last;
}

function isApart(a: IpRange, b: IpRange): boolean {
  return a.family !== b.family || a.last < b.first || b.last < a.first;
}

function coversPort(other: PortMatch, port: PortMatch): boolean {
  if (other.protocol !== port.protocol) return false;
  if (other.kind === 'protocol') return true;
  if (other.kind === 'named') return port.kind === 'named' && port.name === other.name;
  return port.kind === 'range' && other.first <= port.first && port.last <= other.last;
}

// --- Words

function describeRule({ rule: { policy, direction, rule }, covering }: { readonly rule: PlacedRule; readonly covering: PlacedRule }): Finding {
  const where = `${direction} rule ${covering.rule.index + 1} of ${covering.policy === policy ? 'the same policy' : `\`${covering.policy.name}\``}`;
  const related = [{ message: `covered by ${where}`, ...locateOrigin(covering.rule.origin) }];
  return findAt(policy, { code: 'rule-redundant', severity: 'info', message: 'the rule allows nothing that another one does not allow as well', origin: rule.origin, help: 'take it away, or narrow the other one', edits: removeRule(policy, direction, rule), related });
}

/** Of `egress` the last rule is only taken where `policyTypes` says that it is governed. */
function removeRule(policy: NetworkPolicy, direction: Direction, rule: PolicyRule): readonly TextEdit[] {
  const rules = policy[direction] ?? [];
  const isGoverned = direction === 'ingress' || isWritten(below(policy.origin, 'spec'), 'policyTypes');
  return rules.length > 1 || isGoverned ? removeItem(below(policy.origin, 'spec', direction), rules.map(({ origin }) => origin), rules.indexOf(rule)) : [];
}

function describePolicy(policy: NetworkPolicy, other: NetworkPolicy): Finding {
  const origin = below(policy.origin, 'metadata', 'name');
  const hasRules = placedRulesOf(policy).length > 0;
  const related = [{ message: `\`${other.name}\` isolates the same pods`, ...locateOrigin(below(other.origin, 'metadata', 'name')) }];
  return findAt(policy, { code: 'rule-redundant', severity: 'info', message: `the policy \`${policy.name}\` changes nothing: \`${other.name}\` isolates the same pods${hasRules ? ', and others allow all that it allows' : ''}`, origin, help: 'take it away, or narrow the others', edits: removeDocument(policy.origin), related });
}
