// Tests that are run again and again: what the last run said, how many there were, and which expectations changed their standing.
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/sleep.ts';
import type { ExpectationResult, TestReport } from './check-expectations.ts';

export interface CanaryState {
  readonly runs: { readonly held: number; readonly failed: number; readonly error: number };
  /** Of the last run that came to an answer. */
  readonly last: { readonly at: Date; readonly tookMs: number; readonly report: TestReport } | undefined;
  /** Why the last run came to none; undefined: it did. */
  readonly problem: string | undefined;
}

/** One run, as it is told. */
export interface CanaryRun {
  readonly state: CanaryState;
  /** Expectations that hold and did not, or do not and did; of the first run, those that do not hold. */
  readonly changed: readonly ChangedExpectation[];
}

export interface ChangedExpectation {
  readonly test: string;
  readonly result: ExpectationResult;
}

export interface CanaryOptions {
  /** Fails with an Error whose code is a word: the run came to no answer, and the next one is made all the same. */
  readonly run: () => Promise<TestReport>;
  /** From the start of one run to that of the next; a run that takes longer is followed at once. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly onRun: (run: CanaryRun) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Ends with the signal. */
export async function runCanary({ run, everyMs, clock, onRun, signal }: CanaryOptions): Promise<void> {
  let state: CanaryState = { runs: { held: 0, failed: 0, error: 0 }, last: undefined, problem: undefined };
  while (!signal.aborted) {
    const startMs = clock.elapsedMs();
    const before = state;
    try {
      const report = await run();
      state = withReport(state, report, { at: clock.now(), tookMs: clock.elapsedMs() - startMs });
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (!signal.aborted) state = { ...state, runs: { ...state.runs, error: state.runs.error + 1 }, problem: error.message };
    }
    if (signal.aborted) return;
    await onRun({ state, changed: state.problem === undefined ? changedSince(before.last?.report, state.last!.report) : [] });
    await sleep(clock, Math.max(0, everyMs - (clock.elapsedMs() - startMs)), signal);
  }
}

function withReport({ runs }: CanaryState, report: TestReport, when: { readonly at: Date; readonly tookMs: number }): CanaryState {
  const outcome = report.tests.every(({ results }) => results.every(({ holds }) => holds)) ? 'held' : 'failed';
  return { runs: { ...runs, [outcome]: runs[outcome] + 1 }, last: { ...when, report }, problem: undefined };
}

/** The tests of both are the same ones. */
function changedSince(before: TestReport | undefined, { tests }: TestReport): readonly ChangedExpectation[] {
  return tests.flatMap(({ test, results }, index) =>
    results.flatMap((result, position) => {
      const held = before?.tests[index]?.results[position]?.holds ?? true;
      return held === result.holds ? [] : [{ test: test.name, result }];
    }),
  );
}
