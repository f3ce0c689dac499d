// The statements that controls rest on, each worked out from who can reach whom, with who stands against it.
import type { Diagnosis } from '../doctor/doctor.ts';
import type { Direction } from '../model/network-policy.ts';
import type { NamespaceCoverage } from './coverage.ts';
import type { ScopeEvidence } from './scope-ways.ts';
import { judgeLastTest, type TestHistory } from './segmentation-tests.ts';
import { STATEMENT_IDS, type StatementId } from './statement-id.ts';
import type { Way } from './way.ts';

export interface Statement {
  readonly id: StatementId;
  /** `not-asked`: nobody named a scope for it. `unknown`: what was given does not tell. */
  readonly verdict: 'holds' | 'fails' | 'unknown' | 'not-asked';
  /** One sentence without a final stop: what was found. */
  readonly says: string;
  /** Those that stand against it, each in a few words, the first of them. */
  readonly against: readonly string[];
  readonly againstCount: number;
}

export interface StatementInput extends TestHistory {
  readonly coverage: readonly NamespaceCoverage[];
  readonly scopes: readonly ScopeEvidence[];
  /** undefined: nothing was told of what enforces. */
  readonly diagnosis: Diagnosis | undefined;
  /** Why more may be there than was read; empty: all of it was. */
  readonly unread: readonly string[];
}

const AGAINST_MAX = 20;

export function makeStatement(id: StatementId, input: StatementInput): Statement {
  switch (id) {
    case 'enforced':
      return enforced(input.diagnosis);
    case 'ingress-limited':
    case 'egress-limited':
      return limited(id, input, { direction: id === 'ingress-limited' ? 'ingress' : 'egress', others: 'strangers' });
    case 'outside-in-limited':
    case 'outside-out-limited':
      return limited(id, input, { direction: id === 'outside-in-limited' ? 'ingress' : 'egress', others: 'outside' });
    case 'scopes-in':
      return ofScopes(id, input, input.scopes, ({ waysIn }) => waysIn.filter(({ isNamed }) => !isNamed));
    case 'scopes-out':
      return withUnasked(input, ofScopes(id, input, input.scopes.filter(({ waysOut }) => waysOut !== undefined), ({ waysOut }) => waysOut!.filter(({ isNamed }) => !isNamed)));
    case 'scopes-not-outside':
      return ofScopes(id, input, input.scopes, ({ waysIn }) => waysIn.filter(({ end, path }) => end.kind === 'outside' && path.length === 1));
    case 'tested-12-months':
    case 'tested-6-months':
      return tested(id, input, id === 'tested-12-months' ? 12 : 6);
  }
}

/** Of the segmentation around scopes. */
function tested(id: StatementId, input: StatementInput, monthsMax: number): Statement {
  if (input.scopes.length === 0) return { id, verdict: 'not-asked', says: 'no scope is named', against: [], againstCount: 0 };
  const { verdict, says, failures } = judgeLastTest(input, monthsMax);
  return against(id, verdict, says, failures);
}

export function makeStatements(input: StatementInput): readonly Statement[] {
  return STATEMENT_IDS.map((id) => makeStatement(id, input));
}

function enforced(diagnosis: Diagnosis | undefined): Statement {
  const id = 'enforced';
  if (diagnosis === undefined) return { id, verdict: 'unknown', says: 'nothing that was read tells what enforces policies', against: [], againstCount: 0 };
  const { nodes } = diagnosis;
  const inert = nodes.filter(({ standing }) => standing === 'inert').map(({ node }) => node);
  const unknown = nodes.filter(({ standing }) => standing === 'unknown').map(({ node }) => node);
  if (diagnosis.isEnforced) return { id, verdict: 'holds', says: `policies are enforced on ${nodes.length === 1 ? 'the one node' : `each of the ${nodes.length} nodes`}`, against: [], againstCount: 0 };
  if (inert.length > 0) return against(id, 'fails', `nothing enforces policies on ${inert.length} of ${countOf(nodes.length, 'node')}`, inert);
  return against(id, 'unknown', nodes.length === 0 ? 'the cluster has no nodes' : `it is not known whether policies are enforced on ${unknown.length} of ${countOf(nodes.length, 'node')}`, unknown);
}

interface Limit {
  readonly direction: Direction;
  readonly others: 'strangers' | 'outside';
}

function limited(id: StatementId, { coverage, unread }: StatementInput, { direction, others }: Limit): Statement {
  const open = coverage.map((one) => ({ namespace: one.namespace, pods: one[direction][others].open, ofPods: one.pods, isNewPodOpen: others === 'strangers' && one[direction].newPod === 'open' }));
  const bad = open.filter(({ pods, isNewPodOpen }) => pods > 0 || isNewPodOpen);
  const verb = { ingress: { strangers: 'let a stranger pod in', outside: 'let the outside in' }, egress: { strangers: 'may call a stranger pod', outside: 'may call the outside' } }[direction][others];
  const pods = coverage.reduce((sum, one) => sum + one.pods, 0);
  if (coverage.length === 0 || (pods === 0 && others === 'outside')) return against(id, 'unknown', 'there are no pods that policies could govern', []);
  const openPods = open.reduce((sum, one) => sum + one.pods, 0);
  const says = bad.length === 0
    ? `none of ${countOf(pods, 'pod')} ${verb} on every port of a protocol${others === 'strangers' ? ', nor would a new one in any namespace' : ''}`
    : `${openPods} of ${countOf(pods, 'pod')} ${verb} on every port of a protocol${others === 'strangers' ? ', or new ones would' : ''}, in ${bad.length} of ${countOf(coverage.length, 'namespace')}`;
  const holds = unread.length === 0 ? 'holds' : 'unknown';
  return against(id, bad.length === 0 ? holds : 'fails', [says, ...(bad.length === 0 ? unread : [])].join('; '), bad.map(({ namespace, pods: count, ofPods, isNewPodOpen }) => `${namespace}: ${[...(count === 0 ? [] : [`${count} of ${countOf(ofPods, 'pod')}`]), ...(isNewPodOpen ? ['pods to come'] : [])].join(', ')}`));
}

function ofScopes(id: StatementId, { unread }: StatementInput, scopes: readonly ScopeEvidence[], waysAgainst: (scope: ScopeEvidence) => readonly Way[]): Statement {
  if (scopes.length === 0) return { id, verdict: 'not-asked', says: id === 'scopes-out' ? 'no scope says where its pods may go' : 'no scope is named', against: [], againstCount: 0 };
  const bad = scopes.map((scope) => ({ scope, ways: waysAgainst(scope) })).filter(({ ways }) => ways.length > 0);
  const pods = scopes.reduce((sum, one) => sum + one.pods, 0);
  const names = scopes.map(({ scope }) => scope.name).join(', ');
  const what = id === 'scopes-in' ? scopeText(scopes) : id === 'scopes-out' ? 'no connection leads out of the scope beyond what it names' : 'no address outside the cluster reaches the scope itself';
  if (bad.length === 0) return against(id, unread.length === 0 ? 'holds' : 'unknown', [`${what}: ${names}, ${countOf(pods, 'pod')}`, ...unread].join('; '), []);
  const found = bad.flatMap(({ scope, ways }) => ways.map((way) => `${scope.scope.name}: ${wayText(way, id !== 'scopes-out')}`));
  return against(id, 'fails', `${countOf(found.length, 'way')} ${id === 'scopes-out' ? 'out of' : 'into'} the scope${id === 'scopes-not-outside' ? ' itself from outside the cluster' : ' that it does not name'}`, found);
}

/** Of scopes that do not say where their pods may go nothing is claimed, and that is said beside the others. */
function withUnasked({ scopes }: StatementInput, statement: Statement): Statement {
  const unasked = scopes.filter(({ waysOut }) => waysOut === undefined).map(({ scope }) => scope.name);
  return statement.verdict === 'not-asked' || unasked.length === 0 ? statement : { ...statement, says: `${statement.says}; where the pods of ${unasked.join(', ')} may go is not asked` };
}

function scopeText(scopes: readonly ScopeEvidence[]): string {
  const hops = [...new Set(scopes.map(({ scope }) => scope.hopsMax))];
  const within = hops.length === 1 && hops[0] !== undefined ? `, within ${countOf(hops[0], 'hop')}` : '';
  return `no path from outside the scope to its pods, on any port${within}, but from those it names`;
}

/** `shop/web -> shop/api -> shop/db`. */
export function wayText({ end, path }: Way, isInto: boolean): string {
  const name = end.kind === 'workload' ? end.id : end.kind === 'name' ? end.name : end.isInternet ? 'the internet' : 'addresses outside';
  return (isInto ? [name, ...path] : [...path, name]).join(' -> ');
}

function against(id: StatementId, verdict: Statement['verdict'], says: string, list: readonly string[]): Statement {
  return { id, verdict, says, against: list.slice(0, AGAINST_MAX), againstCount: list.length };
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
