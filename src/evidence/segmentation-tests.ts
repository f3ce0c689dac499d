// When connections between the pods of the cluster were last tried against expectations, and how that came out: what is known towards controls that ask for tests from time to time.
import type { KeptRelease } from '../release/release-record.ts';
import type { TestRun } from './test-results.ts';

export interface TestHistory {
  readonly testRuns: readonly TestRun[];
  /** ISO 8601: of the report; undefined: nobody said when it is of. */
  readonly at: string | undefined;
  readonly releases: readonly KeptRelease[] | undefined;
}

export interface LastTest {
  /** `fails`: the last one did not hold. Never more than `unknown` otherwise: who tested, how, and whether all of it, no results tell. */
  readonly verdict: 'fails' | 'unknown';
  readonly says: string;
  readonly failures: readonly string[];
}

/** What no results of tests tell. */
const FOR_PEOPLE = 'whether that was all of the segmentation, and whether who tested was qualified and independent, is for people to say';

export function judgeLastTest({ testRuns, at, releases }: TestHistory, monthsMax: number): LastTest {
  const unknown = (says: string): LastTest => ({ verdict: 'unknown', says, failures: [] });
  if (at === undefined) return unknown('nobody said when this report is of, so no test is known to be recent');
  const live = testRuns.filter(({ where, connections }) => where === 'cluster' && connections > 0);
  const dated = live.flatMap((run) => (run.at === undefined || run.at > at ? [] : [{ ...run, at: run.at }])).sort((a, b) => (a.at < b.at ? -1 : 1));
  const last = dated.at(-1);
  if (last === undefined) return unknown(`no results of a test in the cluster${live.length === 0 ? '' : ' that say when it was, or none before this report,'} were given`);
  const soonest = monthsBefore(at, monthsMax);
  const standing = standingFailures(dated.filter((run) => run === last || run.at >= soonest));
  const earlier = [...standing.values()].filter((failedAt) => failedAt < last.at);
  const computed = last.held - last.confirmed.length;
  const result = [
    `the last test in the cluster that is known, of ${last.at}, tried ${countOf(last.connections, 'connection')}: ${countOf(last.confirmed.length, 'expectation')} held, ${last.failed} failed`,
    ...(computed === 0 ? [] : [`${computed} more ${computed === 1 ? 'was' : 'were'} computed, and no connection tried for ${computed === 1 ? 'it' : 'them'}`]),
    ...(earlier.length === 0 ? [] : [`${earlier.length} failed before, last on ${earlier.sort().at(-1)}, and no test since showed that ${earlier.length === 1 ? 'it holds' : 'they hold'}`]),
  ];
  if (last.failed > 0 || earlier.length > 0) return { verdict: 'fails', says: result.join('; '), failures: [...new Set([...last.failures, ...standing.keys()])] };
  const age = last.at < soonest ? [`that is more than ${monthsMax} months before`] : [];
  return unknown([...result, ...age, ...changesSince(releases, last.at, at), FOR_PEOPLE].join('; '));
}

/** By sentence, when it failed last; without those that held in a later test: one of other expectations says nothing of them. */
function standingFailures(runs: readonly (TestRun & { readonly at: string })[]): ReadonlyMap<string, string> {
  const standing = new Map<string, string>();
  for (const { at, confirmed, failures } of runs) {
    for (const sentence of confirmed) standing.delete(sentence);
    for (const sentence of failures) standing.set(sentence, at);
  }
  return standing;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A test is asked for after each change as well. */
function changesSince(releases: TestHistory['releases'], testedAt: string, at: string): readonly string[] {
  if (releases === undefined) return ['whether policies were changed since is not known'];
  const since = releases.filter(({ record }) => record.at > testedAt && record.at <= at);
  const last = since.reduce<KeptRelease | undefined>((newest, one) => (newest === undefined || one.record.at > newest.record.at ? one : newest), undefined);
  return last === undefined ? [] : [`policies were released ${since.length === 1 ? 'once' : `${since.length} times`} since, last on ${last.record.at}, and not tested after it`];
}

/** Of a month that is too short for the day, in the next one: the later bound is the stricter. */
function monthsBefore(at: string, months: number): string {
  const time = new Date(at);
  time.setUTCMonth(time.getUTCMonth() - months);
  return time.toISOString();
}
