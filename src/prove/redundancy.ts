// Policies, rules, peers and ports that change nothing: what is left without them answers the same, and is proved to.
import type { Cluster } from '../model/cluster.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import type { Direction, NetworkPolicy, PolicyRule } from '../model/network-policy.ts';
import { compileCluster } from '../compile/compile.ts';
import { comparePrograms } from '../compare/compare.ts';
import { findCoverings, type Covering, type Coverings } from './coverings.ts';
import { elementsOf, isPartOf, splitPolicies, withoutElements, type PolicyElement, type RuleAtom } from './policy-elements.ts';

export interface Redundancies {
  /**
   * Each of them, taken away alone, changes no connection; parts of what is listed are not listed. Without cluster-wide
   * policies these are all there are; beside them a policy may be missing that only their tiers make idle.
   */
  readonly found: readonly Redundancy[];
  /** Those of `found` that can be taken away all together. */
  readonly together: readonly Redundancy[];
  /** Cluster-wide policies that change nothing, each by itself. */
  readonly clusterPolicies: readonly ClusterPolicy[];
  /** Cluster-wide policies beyond the bound, which were not examined. */
  readonly notExamined: number;
}

export interface Redundancy {
  readonly element: PolicyElement;
  /**
   * `selects-nothing`: a policy of no pod. `matches-nothing`: it meets nobody, or on no port. `covered`: others allow all that it allows. `refused`: the other
   * ends refuse all that it allows. `allows-everything`: a policy that takes nothing away. `isolates-nothing-more`: a policy without rules, whose pods others isolate.
   */
  readonly reason: 'selects-nothing' | 'matches-nothing' | 'covered' | 'refused' | 'allows-everything' | 'isolates-nothing-more';
  /** Rules that allow the same, where it is covered; the first few. */
  readonly coveredBy: readonly CoveringRule[];
}

export interface CoveringRule {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  readonly rule: PolicyRule;
}

/** Rules named as covering one element. */
const COVERING_MAX = 3;
/** Each is proved by compiling without it. */
const CLUSTER_POLICIES_MAX = 60;

/** What is said is of the pods that are there: a policy may guard pods that are still to come. Throws WordError for a cluster beyond the bounds. */
export function findRedundancies(cluster: Cluster): Redundancies {
  const split = splitPolicies(cluster);
  const coverings = findCoverings(split);
  const search: Search = { atoms: split.atoms, coverings, index: indexAtoms(split.atoms, coverings) };
  const found = listRedundancies(search, elementsOf(cluster));
  const together = chooseTogether(search, found);
  prove(cluster, together);
  const examined = (cluster.clusterPolicies ?? []).slice(0, CLUSTER_POLICIES_MAX);
  return {
    found,
    together,
    clusterPolicies: examined.filter((policy) => isSame(cluster, { ...cluster, clusterPolicies: cluster.clusterPolicies!.filter((one) => one !== policy) })),
    notExamined: (cluster.clusterPolicies ?? []).length - examined.length,
  };
}

interface Search {
  readonly atoms: readonly RuleAtom[];
  readonly coverings: Coverings;
  readonly index: AtomIndex;
}

interface AtomIndex {
  readonly ofPolicy: ReadonlyMap<NetworkPolicy, readonly RuleAtom[]>;
  /** By atom id, the coverings that hold it. */
  readonly coveringsOf: readonly (readonly Covering[])[];
}

function indexAtoms(atoms: readonly RuleAtom[], { lists }: Coverings): AtomIndex {
  const coveringsOf: Covering[][] = atoms.map(() => []);
  for (const list of lists) for (const atom of list.atoms) coveringsOf[atom]!.push(list);
  return { ofPolicy: Map.groupBy(atoms, ({ policy }) => policy), coveringsOf };
}

function listRedundancies(search: Search, elements: readonly PolicyElement[]): Redundancy[] {
  const found: Redundancy[] = [];
  const isPartOfFound = ({ policy, rule, kind }: PolicyElement): boolean =>
    found.some(({ element }) => element.policy === policy && (element.kind === 'policy' || (kind !== 'rule' && element.kind === 'rule' && element.rule === rule)));
  for (const element of elements) {
    if (isPartOfFound(element) || !changesNothing(search, element, NOTHING_GONE)) continue;
    found.push(explainRedundancy(search, element));
  }
  return found;
}

/** Atoms and policies that are taken to be gone. */
interface Gone {
  readonly atoms: ReadonlySet<number>;
  readonly policies: ReadonlySet<NetworkPolicy>;
}

const NOTHING_GONE: Gone = { atoms: new Set(), policies: new Set() };

/** No live connection hangs on the element alone, and its isolation opens nothing. */
function changesNothing({ coverings, index }: Search, element: PolicyElement, gone: Gone): boolean {
  const own = new Set(atomsOf(index, element).map(({ id }) => id));
  const isLeft = (atom: number): boolean => !own.has(atom) && !gone.atoms.has(atom);
  // Where it alone isolates, its rules go together with what they are needed for.
  const counts = ({ isShared }: Covering): boolean => isShared || element.kind !== 'policy';
  for (const atom of own) if (index.coveringsOf[atom]!.some((covering) => counts(covering) && !covering.atoms.some(isLeft))) return false;
  if (element.kind !== 'policy') return true;
  return coverings.isolation.every(({ policies, isNeeded }) => {
    if (!policies.includes(element.policy)) return true;
    return policies.length === 1 ? !isNeeded : policies.some((policy) => policy !== element.policy && !gone.policies.has(policy));
  });
}

function atomsOf({ ofPolicy }: AtomIndex, element: PolicyElement): RuleAtom[] {
  return (ofPolicy.get(element.policy) ?? []).filter((atom) => isPartOf(atom, element));
}

function explainRedundancy({ atoms, coverings, index }: Search, element: PolicyElement): Redundancy {
  const own = atomsOf(index, element);
  const others = new Map<PolicyRule, CoveringRule>();
  for (const covering of own.flatMap(({ id }) => index.coveringsOf[id]!)) {
    const first = covering.atoms.map((atom) => atoms[atom]!).find((atom) => !isPartOf(atom, element));
    if (first !== undefined && others.size < COVERING_MAX) others.set(first.rule, { policy: first.policy, direction: first.direction, rule: first.rule });
  }
  const coveredBy = [...others.values()];
  if (coveredBy.length > 0) return { element, reason: 'covered', coveredBy };
  if (own.some(({ id }) => index.coveringsOf[id]!.length > 0)) return { element, reason: 'allows-everything', coveredBy };
  if (own.some(({ id }) => coverings.matching.has(id))) return { element, reason: 'refused', coveredBy };
  const isolates = coverings.isolation.some(({ policies }) => policies.includes(element.policy));
  return { element, reason: !isolates ? 'selects-nothing' : own.length === 0 ? 'isolates-nothing-more' : 'matches-nothing', coveredBy };
}

/** Greedy, in order: each next one must still change nothing when those chosen before it are gone. */
function chooseTogether(search: Search, found: readonly Redundancy[]): Redundancy[] {
  const gone = { atoms: new Set<number>(), policies: new Set<NetworkPolicy>() };
  return found.filter(({ element }) => {
    if (!changesNothing(search, element, gone)) return false;
    for (const { id } of atomsOf(search.index, element)) gone.atoms.add(id);
    if (element.kind === 'policy') gone.policies.add(element.policy);
    return true;
  });
}

/** Invariant: without all of them together the Program answers the same. */
function prove(cluster: Cluster, together: readonly Redundancy[]): void {
  if (together.length === 0) return;
  const less = withoutElements(cluster, together.map(({ element }) => element));
  if (!isSame(cluster, less)) throw new Error('what was found to change nothing changes something');
}

function isSame(before: Cluster, after: Cluster): boolean {
  const { changes } = comparePrograms({ before: compileCluster(before), after: compileCluster(after) });
  return changes().next().done === true;
}
