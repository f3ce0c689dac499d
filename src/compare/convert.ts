// Turns AdminNetworkPolicy and BaselineAdminNetworkPolicy into ClusterNetworkPolicies that give the same answers, which is checked and not hoped.
import type { Finding } from '../base/finding.ts';
import type { Cluster } from '../model/cluster.ts';
import { comparePrecedence, type ClusterPolicy, type Tier, type TierRule } from '../model/cluster-policy.ts';
import { DIRECTIONS } from '../model/network-policy.ts';
import { locateOrigin } from '../model/origin.ts';
import { compileCluster } from '../compile/compile.ts';
import { comparePrograms } from './compare.ts';
import { chunks, ITEMS_MAX, splitRule } from './split-rule.ts';

export interface Conversion {
  /** In the order in which they are asked; empty where something is refused. */
  readonly policies: readonly ConvertedPolicy[];
  /** Why nothing is converted. */
  readonly refusals: readonly Finding[];
}

/** Replaces the policies that `replaces` names; one of the kind that stays is here only when it needs another priority. */
export interface ConvertedPolicy {
  readonly policy: ClusterPolicy;
  readonly replaces: ClusterPolicy;
}

/** All or nothing: half of a tier in the new kind would be judged in an order that nobody wrote. */
export function convertPolicies(cluster: Cluster): Conversion {
  const old = cluster.clusterPolicies.filter(({ kind }) => kind !== 'ClusterNetworkPolicy');
  const refusals = old.flatMap(unreadableRules);
  const drafts = (['Admin', 'Baseline'] as const).map((tier) => convertTier(cluster, tier));
  const refused = [...refusals, ...drafts.flatMap((draft) => (draft.kind === 'refused' ? draft.findings : []))];
  if (refused.length > 0) return { policies: [], refusals: refused };
  const converted = drafts.flatMap((draft) => (draft.kind === 'converted' ? draft.policies : []));
  const difference = findDifference(cluster, converted);
  if (difference !== undefined) return { policies: [], refusals: [difference] };
  return { policies: converted.filter(({ policy, replaces }) => policy !== replaces), refusals: [] };
}

/** What fails closed has no form that another server would store. */
function unreadableRules(policy: ClusterPolicy): Finding[] {
  return DIRECTIONS.flatMap((direction) => policy[direction])
    .filter(({ peers }) => peers.kind === 'everybody')
    .map((rule) => refusal(policy, rule, `a rule of the ${policy.kind} \`${policy.name}\` fails closed because not all of it can be understood, and that cannot be written down anew`, 'mend the rule first'));
}

function refusal(policy: ClusterPolicy, place: Pick<TierRule, 'origin'>, message: string, help: string): Finding {
  return { code: 'cannot-convert', severity: 'error', message, ...locateOrigin(place.origin), object: { kind: policy.kind, namespace: '', name: policy.name }, help };
}

type TierDraft = { readonly kind: 'converted'; readonly policies: readonly ConvertedPolicy[] } | { readonly kind: 'refused'; readonly findings: readonly Finding[] };

/** A tier without policies of the old kinds stays as it is. */
function convertTier({ clusterPolicies }: Cluster, tier: Tier): TierDraft {
  const own = clusterPolicies.filter((policy) => policy.tier === tier);
  const oldOne = own.find(({ kind }) => kind !== 'ClusterNetworkPolicy');
  if (oldOne === undefined) return { kind: 'converted', policies: own.map((policy) => ({ policy, replaces: policy })) };
  const undecided = own.filter((policy, index) => own.slice(0, index).some((earlier) => earlier.priority === policy.priority && mayDiffer(earlier, policy)));
  if (undecided.length > 0) return { kind: 'refused', findings: undecided.map(equalPriority) };
  const names = new Set(clusterPolicies.filter(({ kind }) => kind === 'ClusterNetworkPolicy').map(({ name }) => name));
  const parts = own.flatMap((policy) => (policy.kind === 'ClusterNetworkPolicy' ? [{ policy, replaces: policy }] : splitPolicy(policy, names)));
  const priorities = spreadPriorities(parts.map(({ policy }) => policy.priority));
  if (priorities === undefined) {
    const message = `${parts.length} policies would stand in the ${tier} tier, and there are ${PRIORITY_MAX + 1} priorities`;
    return { kind: 'refused', findings: [refusal(oldOne, oldOne, message, 'take some of the policies away')] };
  }
  const policies = parts.map(({ policy, replaces }, index) => ({ policy: policy.priority === priorities[index] ? policy : { ...policy, priority: priorities[index]! }, replaces }));
  const moved = policies.filter(({ policy, replaces }) => policy !== replaces && replaces.kind === 'ClusterNetworkPolicy').flatMap(({ replaces }) => unreadableRules(replaces));
  return moved.length > 0 ? { kind: 'refused', findings: moved } : { kind: 'converted', policies };
}

/** Put one after the other, two policies say the same as at once where all their rules in a direction have one action. */
function mayDiffer(a: ClusterPolicy, b: ClusterPolicy): boolean {
  return DIRECTIONS.some((direction) => a[direction].length > 0 && b[direction].length > 0 && new Set([...a[direction], ...b[direction]].map(({ action }) => action)).size > 1);
}

function equalPriority(policy: ClusterPolicy): Finding {
  const message = `the ${policy.kind} \`${policy.name}\` shares its priority ${policy.priority} with another policy, and no two of the new ones may: which of the two goes first is not said anywhere`;
  return refusal(policy, { origin: { ...policy.origin, path: [...policy.origin.path, 'spec', 'priority'] } }, message, 'give it a priority of its own first');
}

/** One policy for each 25 rules of the longer section, the first ones first. */
function splitPolicy(policy: ClusterPolicy, names: Set<string>): ConvertedPolicy[] {
  const ingress = chunks(policy.ingress.flatMap(splitRule), ITEMS_MAX);
  const egress = chunks(policy.egress.flatMap(splitRule), ITEMS_MAX);
  return Array.from({ length: Math.max(ingress.length, egress.length, 1) }, (_, index) => ({
    policy: { ...policy, kind: 'ClusterNetworkPolicy', name: freeName(policy.name, names), ingress: numbered(ingress[index]), egress: numbered(egress[index]) },
    replaces: policy,
  }));
}

function numbered(rules: readonly TierRule[] = []): readonly TierRule[] {
  return rules.map((rule, index) => ({ ...rule, index }));
}

const NAME_LENGTH_MAX = 253;

/** `name`, or `name-2` and so on where that is taken. */
function freeName(name: string, taken: Set<string>): string {
  for (let count = 1; ; count++) {
    const suffix = count === 1 ? '' : `-${count}`;
    const candidate = `${name.slice(0, NAME_LENGTH_MAX - suffix.length)}${suffix}`;
    if (taken.has(candidate)) continue;
    taken.add(candidate);
    return candidate;
  }
}

const PRIORITY_MAX = 1000;

/** Distinct, in the same order, each as near to what was written as the others leave room for; undefined: there are too many. */
function spreadPriorities(wanted: readonly number[]): number[] | undefined {
  if (wanted.length > PRIORITY_MAX + 1) return undefined;
  const spread: number[] = [];
  for (const priority of wanted) spread.push(Math.max(priority, (spread.at(-1) ?? -1) + 1));
  return spread.map((priority, index) => Math.min(priority, PRIORITY_MAX - (spread.length - 1 - index)));
}

/** The same pods, asked of both sets: what must not happen, and is looked for all the same. */
function findDifference(cluster: Cluster, converted: readonly ConvertedPolicy[]): Finding | undefined {
  const clusterPolicies = converted.map(({ policy }) => policy).sort(comparePrecedence);
  const { endpoints, changes } = comparePrograms({ before: compileCluster(cluster), after: compileCluster({ ...cluster, clusterPolicies }) });
  const change = changes().next().value;
  if (change === undefined) return undefined;
  const message = `the new policies would answer otherwise, from \`${endpoints[change.source]!.id}\` to \`${endpoints[change.target]!.id}\` for one`;
  const policy = cluster.clusterPolicies[0]!;
  return refusal(policy, policy, message, 'report this with the input: it should not be');
}
