// Expectations held against the computed answer; a word that names nothing here fails its expectation.
import { WordError } from '../base/word-error.ts';
import type { Program } from '../compile/program.ts';
import type { WordContext } from '../analyze/named-ends.ts';
import { checkAssertion, type AssertionResult } from '../prove/check-assertion.ts';
import type { ProbeDifference } from './compare-verdicts.ts';
import type { Expectation, PolicyTest } from './policy-test.ts';

export interface TestReport {
  readonly where: 'static' | 'lab' | 'cluster';
  readonly tests: readonly CheckedTest[];
  /** When connections had been tried, ISO 8601; undefined: nobody said. */
  readonly at?: string;
  /** What was left out and why, in sentences without a final stop. */
  readonly notes?: readonly string[];
}

export interface CheckedTest {
  readonly test: PolicyTest;
  readonly results: readonly ExpectationResult[];
}

export interface ExpectationResult {
  readonly expectation: Expectation;
  readonly holds: boolean;
  /** Why it could not be judged at all: a word names nothing. */
  readonly problem: WordError | undefined;
  /** What was computed; undefined with a problem. */
  readonly computed: AssertionResult | undefined;
  /** What was seen, where connections were tried. */
  readonly tried: TriedConnections | undefined;
}

export interface TriedConnections {
  readonly tried: number;
  /** Connections that came through and must not, or did not and must; named as `a -> b tcp/80 over IPv4`. */
  readonly wrong: readonly string[];
  /** Verdicts of the kernel that are not the computed ones. */
  readonly differences: readonly ProbeDifference[];
  /** Connections like those tried, which are not. */
  readonly leftOut?: number;
}

export function checkTests(program: Program, tests: readonly PolicyTest[]): TestReport {
  return { where: 'static', tests: tests.map((test) => ({ test, results: test.expectations.map((expectation) => checkExpectation(program, expectation)) })) };
}

export function checkExpectation(program: Program, expectation: Expectation, context: WordContext = {}): ExpectationResult {
  try {
    const computed = checkAssertion(program, expectation.assertion, context);
    return { expectation, holds: computed.holds, problem: undefined, computed, tried: undefined };
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    return { expectation, holds: false, problem: error, computed: undefined, tried: undefined };
  }
}

export function countFailures({ tests }: TestReport): { readonly held: number; readonly failed: number } {
  const results = tests.flatMap((test) => test.results);
  const held = results.filter(({ holds }) => holds).length;
  return { held, failed: results.length - held };
}
