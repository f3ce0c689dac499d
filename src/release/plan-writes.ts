// Puts the writes of a release into an order in which no state in between opens or cuts anything, with helpers where no order of its own writes does.
import { compileCluster } from '../compile/compile.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster } from '../model/cluster.ts';
import { findHarm, type Harm } from './find-harm.ts';
import { HelperNames, holdOpen, meetingPolicies, namespaceChanges, parked, type NamespaceChange } from './helper-policies.ts';
import { changedPolicy, clusterAfter, policyLabel, stepsOf, type AnyPolicy, type PolicyChange, type Step } from './release.ts';

/** `direct`: the release's own writes. `union`: through a state that allows what either does. `meeting`: through one that allows what both do. */
export type Way = 'direct' | 'union' | 'meeting';

export interface WritePlan {
  readonly way: Way;
  readonly steps: readonly Step[];
  /** By index of `steps`, what the state after it opens or cuts that it should not, for no way was found that does not. */
  readonly harms: ReadonlyMap<number, readonly Harm[]>;
  readonly before: Program;
  readonly after: Program;
}

/** Writes of which every order of single ones is tried, in the worst case one half of the square of it. */
const TRIED_WRITES_MAX = 12;

/** Harms that are told of one state. */
const HARMS_MAX = 20;

/** Each state is compiled and held against the first and the last. Helpers are named by the prefix and a number. */
export function planWrites(cluster: Cluster, changes: readonly PolicyChange[], helperPrefix: string): WritePlan {
  const planner = new Planner(cluster, changes, helperPrefix);
  const direct = planner.findOrder();
  if (direct !== undefined) return planner.planOf('direct', direct);
  let best: WritePlan | undefined;
  for (const [way, steps] of planner.helpedWays()) {
    const plan = planner.planOf(way, steps);
    if (plan.harms.size === 0) return plan;
    if (best === undefined || harmOf(plan) < harmOf(best)) best = plan;
  }
  return best!; // the direct way is always among them
}

/** What opens weighs more than all that is cut. */
function harmOf({ harms }: WritePlan): number {
  const all = [...harms.values()].flat();
  return all.length + 1_000_000 * all.filter(({ kind }) => kind === 'opened').length;
}

/** A class, for it keeps the two ends of the way while it tries. */
class Planner {
  private readonly cluster: Cluster;
  private readonly changes: readonly PolicyChange[];
  private readonly own: readonly Step[];
  private readonly helperPrefix: string;
  private readonly before: Program;
  private readonly after: Program;
  private readonly namespaces: ReadonlySet<string> | undefined;

  constructor(cluster: Cluster, changes: readonly PolicyChange[], helperPrefix: string) {
    this.cluster = cluster;
    this.helperPrefix = helperPrefix;
    this.changes = changes;
    this.own = stepsOf(changes);
    this.before = compileCluster(cluster);
    this.after = compileCluster(clusterAfter(cluster, this.own));
    const policies = changes.map(changedPolicy);
    // A policy of the whole cluster may change what any pod does.
    this.namespaces = policies.some(({ kind }) => kind !== 'NetworkPolicy') ? undefined : new Set(policies.flatMap((policy) => (policy.kind === 'NetworkPolicy' ? [policy.namespace] : [])));
  }

  /** An order of the release's own writes: at each point the first one that does no harm. */
  findOrder(): readonly Step[] | undefined {
    if (this.own.length > TRIED_WRITES_MAX) return undefined;
    const order: Step[] = [];
    let left = [...this.own].sort((a, b) => rankOf(a) - rankOf(b));
    while (left.length > 1) {
      const next = left.find((step) => this.harmAfter([...order, step], 1).length === 0);
      if (next === undefined) return undefined;
      order.push(next);
      left = left.filter((step) => step !== next);
    }
    return [...order, ...left];
  }

  planOf(way: Way, steps: readonly Step[]): WritePlan {
    const harms = new Map<number, readonly Harm[]>();
    for (const index of steps.keys()) {
      const found = index === steps.length - 1 ? [] : this.harmAfter(steps.slice(0, index + 1), HARMS_MAX);
      if (found.length > 0) harms.set(index, found);
    }
    return { way, steps, harms, before: this.before, after: this.after };
  }

  *helpedWays(): Generator<readonly [Way, readonly Step[]]> {
    const { before, after } = { before: this.cluster, after: this.after.cluster };
    const spread = namespaceChanges(before, after, this.changes);
    for (const withCopies of [false, true]) {
      const union = this.throughUnion(spread, withCopies);
      if (union !== undefined) yield* this.withClusterPolicies('union', union);
    }
    const meeting = this.throughMeeting(spread);
    if (meeting !== undefined) yield* this.withClusterPolicies('meeting', meeting);
    yield ['direct', [...this.own].sort((a, b) => rankOf(a) - rankOf(b))];
  }

  /** Cluster-wide policies are written before all others, behind them, or where the state in the middle is reached. */
  private *withClusterPolicies(way: Way, { first, second }: Halves): Generator<readonly [Way, readonly Step[]]> {
    const wide = this.own.filter(({ policy }) => policy.kind !== 'NetworkPolicy');
    if (wide.length === 0) yield [way, [...first, ...second]];
    else {
      yield [way, [...wide, ...first, ...second]];
      yield [way, [...first, ...second, ...wide]];
      yield [way, [...first, ...wide, ...second]];
    }
  }

  private throughUnion(spread: readonly NamespaceChange[], withCopies: boolean): Halves | undefined {
    const names = new HelperNames(this.helperPrefix);
    const [heldBefore, heldAfter] = (['before', 'after'] as const).map((side) => gather(spread.map((change) => holdOpen(names, change, side))));
    if (heldBefore === undefined || heldAfter === undefined) return undefined;
    const changed = this.changes.flatMap(({ before, after }) => (before?.kind === 'NetworkPolicy' ? [{ before, after }] : []));
    const copies = withCopies ? changed.filter(({ after }) => after !== undefined).map(({ before }) => names.copy(before)) : [];
    const own = this.own.filter(({ policy }) => policy.kind === 'NetworkPolicy');
    return {
      first: [...put(heldBefore), ...put(copies), ...own.filter(({ kind }) => kind === 'put'), ...put(heldAfter)],
      second: [...own.filter(({ kind }) => kind === 'remove'), ...remove(copies), ...remove(heldBefore), ...remove(heldAfter)],
    };
  }

  private throughMeeting(spread: readonly NamespaceChange[]): Halves | undefined {
    const names = new HelperNames(this.helperPrefix);
    const [heldBefore, heldAfter] = (['before', 'after'] as const).map((side) => gather(spread.map((change) => holdOpen(names, change, side))));
    const met = gather(spread.map((change) => meetingPolicies(names, change)));
    if (heldBefore === undefined || heldAfter === undefined || met === undefined) return undefined;
    const old = this.changes.flatMap(({ before, after }): Step[] => {
      if (before?.kind !== 'NetworkPolicy') return [];
      return [after === undefined ? { kind: 'remove', policy: before, role: 'wanted' } : { kind: 'put', policy: parked(before), role: 'parked' }];
    });
    const fresh = this.own.filter(({ kind, policy }) => kind === 'put' && policy.kind === 'NetworkPolicy');
    return {
      first: [...put(heldBefore), ...put(met), ...old, ...remove(heldBefore)],
      second: [...put(heldAfter), ...fresh, ...remove(met), ...remove(heldAfter)],
    };
  }

  private harmAfter(steps: readonly Step[], harmsMax: number): readonly Harm[] {
    const between = compileCluster(clusterAfter(this.cluster, steps));
    return findHarm({ before: this.before, between, after: this.after }, { namespaces: this.namespaces, harmsMax });
  }
}

interface Halves {
  readonly first: readonly Step[];
  readonly second: readonly Step[];
}

/** What allows before what isolates, and what is taken away last: tried first, for it is mostly right. */
function rankOf({ kind, policy }: Step): number {
  if (kind === 'remove') return 2;
  return policy.kind === 'NetworkPolicy' && [...(policy.ingress ?? []), ...(policy.egress ?? [])].length === 0 ? 1 : 0;
}

function gather(lists: readonly (readonly AnyPolicy[] | undefined)[]): readonly AnyPolicy[] | undefined {
  const known = lists.filter((list) => list !== undefined);
  return known.length < lists.length ? undefined : known.flat();
}

function put(policies: readonly AnyPolicy[]): readonly Step[] {
  return policies.map((policy) => ({ kind: 'put', policy, role: 'helper' }));
}

function remove(policies: readonly AnyPolicy[]): readonly Step[] {
  return policies.map((policy) => ({ kind: 'remove', policy, role: 'helper' }));
}

/** `put NetworkPolicy shop/web`. */
export function stepText({ kind, policy, role }: Step): string {
  return `${kind} ${policyLabel(policy)}${role === 'wanted' ? '' : ` (${role})`}`;
}
