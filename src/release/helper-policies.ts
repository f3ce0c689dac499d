// Policies that stand only while a release is written: those that hold open what is not isolated, copies of old ones, and what old and new both allow.
import type { Selector } from '../model/selector.ts';
import { unwrittenDocument, type Origin } from '../model/origin.ts';
import type { Cluster } from '../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule } from '../model/network-policy.ts';
import { meetRules } from './meet-rules.ts';
import type { PolicyChange } from './release.ts';
import { complementOf, distinct, isContradiction, meetOf } from './selector-sets.ts';

const ORIGIN: Origin = { document: unwrittenDocument('a helper of bulkhead'), path: [] };

const EVERYBODY: PolicyRule = { index: 0, peers: { kind: 'everybody' }, ports: { kind: 'every' }, origin: ORIGIN };

interface Governing {
  readonly podSelector: Selector;
  readonly direction: Direction;
  readonly rules: readonly PolicyRule[];
}

/** Numbers the helpers of one release. A class, for it counts. */
export class HelperNames {
  readonly #prefix: string;
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  policy(namespace: string, { podSelector, direction, rules }: Governing): NetworkPolicy {
    return { kind: 'NetworkPolicy', namespace, name: `${this.#prefix}${++this.#count}`, podSelector, ingress: undefined, egress: undefined, [direction]: rules, origin: ORIGIN };
  }

  copy(policy: NetworkPolicy): NetworkPolicy {
    return { ...policy, name: `${this.#prefix}${++this.#count}` };
  }
}

/** The two states of one namespace and direction. */
export interface NamespaceChange {
  readonly namespace: string;
  readonly direction: Direction;
  /** All policies that govern the direction. */
  readonly before: readonly NetworkPolicy[];
  readonly after: readonly NetworkPolicy[];
  /** Those of them that change. */
  readonly gone: readonly NetworkPolicy[];
  readonly fresh: readonly NetworkPolicy[];
}

export function namespaceChanges(before: Cluster, after: Cluster, changes: readonly PolicyChange[]): readonly NamespaceChange[] {
  const changed = changes.flatMap((change) => [change.before, change.after]).filter((policy) => policy?.kind === 'NetworkPolicy');
  return [...new Set(changed.map(({ namespace }) => namespace))].flatMap((namespace) =>
    DIRECTIONS.map((direction): NamespaceChange => {
      const governs = (policy: NetworkPolicy | undefined): policy is NetworkPolicy => policy?.namespace === namespace && policy[direction] !== undefined;
      const networkPolicies = (side: 'before' | 'after'): readonly NetworkPolicy[] => changes.map((change) => change[side]).filter((policy) => policy?.kind === 'NetworkPolicy').filter(governs);
      return { namespace, direction, before: before.policies.filter(governs), after: after.policies.filter(governs), gone: networkPolicies('before'), fresh: networkPolicies('after') };
    }),
  );
}

/** Allow everything to the pods that no policy of the side governs, which is what they may do there. undefined: it would take too many. */
export function holdOpen(names: HelperNames, change: NamespaceChange, side: 'before' | 'after'): readonly NetworkPolicy[] | undefined {
  if (change.gone.length === 0 && change.fresh.length === 0) return [];
  const free = complementOf(change[side].map(({ podSelector }) => podSelector));
  return free?.map((podSelector) => names.policy(change.namespace, { podSelector, direction: change.direction, rules: [EVERYBODY] }));
}

/** Allow what the policies that go and those that come both allow, to pods that both govern; and to pods that one of the two governs, what that one allows. */
export function meetingPolicies(names: HelperNames, change: NamespaceChange): readonly NetworkPolicy[] | undefined {
  const { namespace, direction, gone, fresh } = change;
  if (gone.length === 0 && fresh.length === 0) return [];
  const met: (readonly NetworkPolicy[] | undefined)[] = gone.flatMap((old) => fresh.map((now) => {
    const podSelector = meetOf(old.podSelector, now.podSelector);
    if (isContradiction(podSelector)) return [];
    const rules = meetRules(namespace, old[direction]!, now[direction]!); // both govern it
    return rules && [names.policy(namespace, { podSelector, direction, rules })];
  }));
  const all = [...met, ...gone.map((old) => onlyOf(names, change, old, 'after')), ...fresh.map((now) => onlyOf(names, change, now, 'before'))];
  const known = all.filter((list) => list !== undefined);
  return known.length < all.length ? undefined : known.flat();
}

/** The policy, for the pods that no policy of the other side governs. */
function onlyOf(names: HelperNames, change: NamespaceChange, policy: NetworkPolicy, otherSide: 'before' | 'after'): readonly NetworkPolicy[] | undefined {
  const free = complementOf(change[otherSide].map(({ podSelector }) => podSelector));
  const own = free && distinct(free.map((selector) => meetOf(policy.podSelector, selector))).filter((selector) => !isContradiction(selector));
  return own?.map((podSelector) => names.policy(change.namespace, { podSelector, direction: change.direction, rules: policy[change.direction]! })); // it governs it
}

/** Selects nobody, for no label is two things. */
const NOBODY: Selector = {
  requirements: [
    { kind: 'Exists', key: 'bulkhead.dev/nobody' },
    { kind: 'DoesNotExist', key: 'bulkhead.dev/nobody' },
  ],
};

/** The same object, governing nobody. */
export function parked(policy: NetworkPolicy): NetworkPolicy {
  return { ...policy, podSelector: NOBODY };
}

