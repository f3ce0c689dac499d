// `bulkhead test --in cluster --watch`: the tests for ever, what changes on stdout, with metrics and Events.
import type { ClusterApi } from '../../kube/cluster-api.ts';
import { ClusterError } from '../../kube/cluster-error.ts';
import { runCanary, type CanaryRun, type CanaryState, type ChangedExpectation } from '../../probe/canary.ts';
import { countFailures } from '../../probe/check-expectations.ts';
import type { PolicyTest } from '../../probe/policy-test.ts';
import { canaryMetrics } from '../../report/state/canary-metrics.ts';
import { expectationLines } from '../../report/ask/test-report.ts';
import { startServer, type Answer } from '../../server/server.ts';
import { UsageError } from '../../terminal/failures.ts';
import { INTERRUPTED_STATUS, listenForInterruption } from '../../terminal/interruption.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { writeEvents, type Saying } from '../namespace-events.ts';
import { systemClock } from '../system-clock.ts';
import type { ClusterRun } from './test-cluster.ts';

export interface CanaryWords {
  readonly every: string;
  /** `HOST:PORT` of this host, or none. */
  readonly metricsAddress: string;
  /** Of the Events; none are written when missing. */
  readonly events?: string;
}

/** Runs until it is told to end, which is how it ends well. */
export async function watchTests(tests: readonly PolicyTest[], prepared: ClusterRun, words: CanaryWords): Promise<number> {
  const everyMs = durationOf(words.every);
  let state: CanaryState | undefined;
  let notes = '';
  const server = words.metricsAddress === 'none' ? undefined : await startServer(addressOf(words.metricsAddress), (path) => answerPath(path, state));
  if (server !== undefined) await writeNote(`bulkhead: answers /metrics and /healthz on ${words.metricsAddress.replace(/:[0-9]+$/, '')}:${server.port}\n`);
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  const { signal } = stop;
  const run = async (): ReturnType<typeof prepared.run> => {
    const report = await prepared.run(tests, signal);
    if (report === undefined) throw new ClusterError('malformed', 'what the cluster holds could not be understood');
    return report;
  };
  try {
    await runCanary({
      run: async () => (await run())!, // looked at
      everyMs,
      clock: systemClock,
      signal,
      onRun: async (told) => {
        state = told.state;
        await tell(told);
        const news = (told.state.last?.report.notes ?? []).map((note) => `bulkhead: ${note}\n`).join('');
        if (news !== notes) await writeNote(news);
        notes = news;
        if (words.events !== undefined) await announce(await prepared.open(), words.events, told.changed);
      },
    });
  } finally {
    interruption.stopListening();
    await server?.close();
  }
  return interruption.hasCome() ? 0 : INTERRUPTED_STATUS;
}

function durationOf(word: string): number {
  const [, number = '', unit = 's'] = /^([0-9]+)(s|m|h)?$/.exec(word) ?? [];
  const ms = Number(number) * { s: 1_000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h'];
  if (number === '' || ms < 1_000 || ms > 86_400_000) throw new UsageError(`\`${word}\` is no time between two runs`, 'write --every 30s, 5m or 1h; from 1s to 24h');
  return ms;
}

function addressOf(word: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^\[?([0-9a-fA-F.:]+?)\]?:([0-9]{1,5})$/.exec(word) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new UsageError(`\`${word}\` is no address and port`, 'write --metrics-address 127.0.0.1:9642, or none');
  return { host, port: Number(port) };
}

function answerPath(path: string, state: CanaryState | undefined): Answer | undefined {
  switch (path) {
    case '/healthz':
      return { status: 200, type: 'text/plain', text: 'alive\n' };
    case '/metrics':
      return { status: 200, type: 'text/plain', text: state === undefined ? '' : canaryMetrics(state) };
    default:
      return undefined;
  }
}

/** A line for each run, and what changed in it. */
async function tell({ state: { last, problem }, changed }: CanaryRun): Promise<void> {
  const time = systemClock.now().toISOString();
  if (problem !== undefined || last === undefined) {
    await writeNote(`${time} no answer: ${problem ?? 'nothing was run'}\n`);
    return;
  }
  const { held, failed } = countFailures(last.report);
  const lines = changed.flatMap(({ result }) => expectationLines(result));
  await writeAnswer([`${time} ${held} held, ${failed} failed, in ${(last.tookMs / 1000).toFixed(1)} s\n${lines.map((line) => `  ${line}\n`).join('')}`]);
}

/** On the namespace; who may not write Events is told so on stderr, and the tests go on. */
async function announce(api: Pick<ClusterApi, 'create'>, namespace: string, changed: readonly ChangedExpectation[]): Promise<void> {
  try {
    await writeEvents(api, changed.map((one) => sayingOf(one, namespace)), systemClock.now());
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    await writeNote(`bulkhead: no Event is written: ${error.message}\n`);
  }
}

export function sayingOf({ test, result }: ChangedExpectation, namespace: string): Saying {
  const { holds, expectation } = result;
  return {
    verb: 'test',
    namespace,
    reason: holds ? 'ExpectationHolds' : 'ExpectationFails',
    type: holds ? 'Normal' : 'Warning',
    note: expectationLines(result).join('; '),
    key: [test, expectation.sentence, holds],
  };
}
