// Policies, rules, peers and ports that change nothing: what is left without them answers the same, and is proved to.
import type { Cluster } from '../model/cluster.ts';
import { compileCluster } from '../compile/compile.ts';
import { comparePrograms } from '../compare/compare.ts';
import { indexEnds } from './alike-ends.ts';
import { NOTHING_GONE, type Removal } from './cell-verdict.ts';
import { elementsOf, isPartOf, splitPolicies, withoutElements, type AnyPolicy, type AnyRule, type PolicyElement, type RuleAtom, type SplitCluster } from './policy-elements.ts';
import { RemovalSearch } from './removal-search.ts';
import { RemovalWitness, type RemovalReason } from './removal-witness.ts';

export interface Redundancies {
  /** Each of them, taken away alone, changes no connection; parts of what is listed are not listed. There are no others. */
  readonly found: readonly Redundancy[];
  /** Those of `found` that can be taken away all together. */
  readonly together: readonly Redundancy[];
}

export interface Redundancy {
  readonly element: PolicyElement;
  /** `selects-nothing`: a policy of no pod. */
  readonly reason: RemovalReason | 'selects-nothing';
  /** Rules that decide the same, where it is covered or shadowed; the first few. */
  readonly coveredBy: readonly RuleAtom[];
}

/** What is said is of the pods that are there: a policy may guard pods that are still to come. Throws WordError for a cluster beyond the bounds. */
export function findRedundancies(cluster: Cluster): Redundancies {
  const split = splitPolicies(cluster);
  const program = compileCluster(split.cluster);
  const task: Task = { split, search: new RemovalSearch(program, split, indexEnds(program)), atomsOf: Map.groupBy(split.atoms, ({ policy }) => policy) };
  const found = listRedundancies(task, elementsOf(cluster));
  const together = chooseTogether(task, found);
  prove(cluster, together);
  return { found, together };
}

interface Task {
  readonly split: SplitCluster;
  readonly search: RemovalSearch;
  readonly atomsOf: ReadonlyMap<AnyPolicy, readonly RuleAtom[]>;
}

function listRedundancies(task: Task, elements: readonly PolicyElement[]): Redundancy[] {
  const found: Redundancy[] = [];
  const whole = new Set<AnyPolicy | AnyRule>();
  for (const element of elements) {
    if (whole.has(element.policy) || (element.rule !== undefined && whole.has(element.rule))) continue;
    const redundancy = examine(task, element);
    if (redundancy === undefined) continue;
    found.push(redundancy);
    if (element.kind === 'policy') whole.add(element.policy);
    else if (element.kind === 'rule') whole.add(element.rule!);
  }
  return found;
}

function examine({ split, search, atomsOf }: Task, element: PolicyElement): Redundancy | undefined {
  const gone = removalOf(element, atomsOf);
  const witness = new RemovalWitness(split, gone.atoms);
  if (search.changesAnything(element, gone, (cell) => witness.see(cell))) return undefined;
  if (!search.governs(element)) return { element, reason: 'selects-nothing', coveredBy: [] };
  return { element, ...witness.explain() };
}

/** Greedy, in order: each next one must still change nothing when those chosen before it are gone. */
function chooseTogether({ search, atomsOf }: Task, found: readonly Redundancy[]): Redundancy[] {
  let gone: Removal = NOTHING_GONE;
  return found.filter(({ element }) => {
    const next = unite(gone, removalOf(element, atomsOf));
    if (search.changesAnything(element, next)) return false;
    gone = next;
    return true;
  });
}

function removalOf(element: PolicyElement, atomsOf: Task['atomsOf']): Removal {
  const atoms = (atomsOf.get(element.policy) ?? []).filter((atom) => isPartOf(atom, element)).map(({ id }) => id);
  return { atoms: new Set(atoms), policies: new Set(element.kind === 'policy' ? [element.policy] : []) };
}

function unite(a: Removal, b: Removal): Removal {
  return { atoms: new Set([...a.atoms, ...b.atoms]), policies: new Set([...a.policies, ...b.policies]) };
}

/** Invariant: without all of them together the Program answers the same. */
function prove(cluster: Cluster, together: readonly Redundancy[]): void {
  if (together.length === 0) return;
  const less = withoutElements(cluster, together.map(({ element }) => element));
  const { changes } = comparePrograms({ before: compileCluster(cluster), after: compileCluster(less) });
  if (changes().next().done !== true) throw new Error('what was found to change nothing changes something');
}
