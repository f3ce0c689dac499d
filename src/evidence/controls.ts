// The controls of frameworks, each met or not as the statements say that it rests on, and as far as policies are enforced at all.
import { WordError } from '../base/word-error.ts';
import type { Source } from '../doctor/knowledge.ts';
import type { Control, Framework } from './framework.ts';
import { makeStatement, type Statement, type StatementInput } from './statements.ts';

/** `met-if-enforced`: the policies say so, and nobody knows whether they are enforced. `not-asked`: it needs a scope, and none is named for it. */
export type ControlVerdict = 'met' | 'met-if-enforced' | 'not-met' | 'unknown' | 'not-asked';

export interface JudgedControl {
  readonly control: Control;
  readonly source: Source;
  readonly verdict: ControlVerdict;
  readonly statements: readonly Statement[];
  /** Why the verdict is not what the statements alone would give; undefined: it is. */
  readonly reservation: string | undefined;
}

export interface JudgedFramework {
  readonly framework: Framework;
  readonly controls: readonly JudgedControl[];
}

/** Of those named, else of all that are of every cluster or of this one's provider. Throws WordError for a name that is none. */
export function chooseFrameworks(all: readonly Framework[], names: readonly string[] | undefined, provider: string | undefined): readonly Framework[] {
  if (names === undefined) return all.filter((one) => one.provider === undefined || one.provider === provider);
  return names.map((name) => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new WordError(`\`${name}\` is no framework that is known here`, `known are ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}

export function judgeFramework(framework: Framework, input: StatementInput): JudgedFramework {
  const scopes = input.scopes.filter(({ scope }) => scope.frameworks === undefined || scope.frameworks.includes(framework.name));
  return { framework, controls: framework.controls.map((control) => judgeControl(framework, control, { ...input, scopes })) };
}

function judgeControl(framework: Framework, control: Control, input: StatementInput): JudgedControl {
  const statements = control.restsOn.map((id) => makeStatement(id, input));
  return { control, source: framework.sources[control.source]!, statements, ...verdictOf(statements, input) };
}

function verdictOf(statements: readonly Statement[], input: StatementInput): Pick<JudgedControl, 'verdict' | 'reservation'> {
  const verdicts = new Set(statements.map(({ verdict }) => verdict));
  if (verdicts.has('fails')) return { verdict: 'not-met', reservation: undefined };
  if (verdicts.has('unknown')) return { verdict: 'unknown', reservation: undefined };
  if (!verdicts.has('holds')) return { verdict: 'not-asked', reservation: undefined };
  return statements.some(({ id }) => id === 'enforced') ? { verdict: 'met', reservation: undefined } : asEnforced(input);
}

/** What policies say is so where they are enforced. */
function asEnforced(input: StatementInput): Pick<JudgedControl, 'verdict' | 'reservation'> {
  const { verdict, says } = makeStatement('enforced', input);
  if (verdict === 'fails') return { verdict: 'not-met', reservation: `the policies say so, and ${says}` };
  const audited = input.coverage.filter(({ isAudited }) => isAudited).map(({ namespace }) => namespace);
  if (verdict === 'holds' && audited.length === 0) return { verdict: 'met', reservation: undefined };
  return { verdict: 'met-if-enforced', reservation: verdict === 'holds' ? `the policies of ${audited.join(', ')} are judged and not enforced where the agents allow it` : says };
}
