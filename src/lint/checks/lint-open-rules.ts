// Rules that let everybody through without saying so: an empty `from` or `to`, and a rule `{}`.
import type { Finding } from '../../base/finding.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule } from '../../model/network-policy.ts';
import { below, locateOrigin } from '../../model/origin.ts';
import type { LintContext } from '../context/lint-context.ts';
import { findAt, isSameRange } from '../edits/policy-place.ts';

/** Policies named beside a finding. */
const RELATED_MAX = 3;

export function lintOpenRules({ cluster }: LintContext): Finding[] {
  const open = cluster.policies.flatMap((policy) => DIRECTIONS.flatMap((direction) => openRulesOf(policy, direction)));
  const sole = Map.groupBy(open.filter(({ kind }) => kind === 'sole'), ({ policy, direction }) => `${policy.namespace} ${direction}`);
  return [...open.filter(({ kind }) => kind !== 'sole').map(describeOpenRule), ...[...sole.values()].map(describeSoleRules)];
}

/**
 * `empty-list`: `from` or `to` stands there with nothing in it. `empty-item`: a dash with nothing behind it.
 * `beside-others`: `{}` in a list with other rules, which then add nothing. `sole`: `{}` as the only rule, as those write who mean it.
 */
interface OpenRule {
  readonly kind: 'empty-list' | 'empty-item' | 'beside-others' | 'sole';
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  readonly rule: PolicyRule;
}

function openRulesOf(policy: NetworkPolicy, direction: Direction): OpenRule[] {
  const rules = policy[direction] ?? [];
  return rules
    .filter(({ peers }) => peers.kind === 'everybody')
    .flatMap((rule): OpenRule[] => {
      const kind = kindOf(rule, { direction, isSole: rules.length === 1 });
      return kind === undefined ? [] : [{ kind, policy, direction, rule }];
    });
}

function kindOf(rule: PolicyRule, { direction, isSole }: { readonly direction: Direction; readonly isSole: boolean }): OpenRule['kind'] | undefined {
  const { range } = locateOrigin(rule.origin);
  const list = locateOrigin(below(rule.origin, sideOf(direction))).range;
  if (!isSameRange(list, range)) return 'empty-list';
  if (rule.ports.kind === 'listed') return undefined;
  if (range.end.column === range.start.column + 1) return 'empty-item'; // the dash alone
  return isSole ? 'sole' : 'beside-others';
}

function sideOf(direction: Direction): 'from' | 'to' {
  return direction === 'ingress' ? 'from' : 'to';
}

function describeOpenRule({ kind, policy, direction, rule }: OpenRule): Finding {
  const side = sideOf(direction);
  const count = (policy[direction]?.length ?? 0) - 1;
  const origin = kind === 'empty-list' ? below(rule.origin, side) : rule.origin;
  const everybody = 'everybody in and outside the cluster';
  const ports = rule.ports.kind === 'every' ? ', on every port' : '';
  const others = count === 1 ? 'the other rule adds' : `the other ${count} rules add`;
  const message =
    kind === 'empty-list' ? `an empty \`${side}\` is not nobody: the rule allows ${everybody}${ports}`
    : kind === 'empty-item' ? `a dash with nothing behind it is a rule that allows ${everybody}, on every port`
    : `the rule \`{}\` allows ${everybody}, on every port, so ${others} nothing`;
  const help =
    kind === 'beside-others' ? `take \`{}\` away if the other rules are meant, else the others`
    : kind === 'empty-item' ? 'take the dash away if nobody is meant; write `{}` if everybody is'
    : `name the peers; to allow nobody, take the rule away`;
  return findAt(policy, { code: 'allows-everybody', severity: 'warning', message, origin, help });
}

/** One for each namespace and direction. */
function describeSoleRules(rules: readonly OpenRule[]): Finding {
  const [{ policy, direction, rule }] = rules as [OpenRule]; // a group is never empty
  const others = rules.slice(1);
  const who = others.length === 0 ? `the policy \`${policy.name}\`` : `\`${policy.name}\` and ${others.length === 1 ? 'another policy' : `${others.length} more policies`} of namespace \`${policy.namespace}\``;
  const message = `${who} ${others.length === 0 ? 'allows' : 'allow'} all ${direction} by the rule \`{}\`, so ${others.length === 0 ? 'it limits' : 'they limit'} nothing there`;
  const related = others.slice(0, RELATED_MAX).map((other) => ({ message: `the same in \`${other.policy.name}\``, ...locateOrigin(other.rule.origin) }));
  return findAt(policy, { code: 'allows-everybody', severity: 'info', message, origin: rule.origin, help: `name who is meant, if not everybody`, related });
}
