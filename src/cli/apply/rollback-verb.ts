// `bulkhead rollback`: a release as it was before its newest revision, or before any that is kept.
import type { Command } from 'commander';
import type { FlowTable } from '../../flow/flow-table.ts';
import { ClusterError } from '../../kube/cluster-error.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { REAL_PACING } from '../../kube/retry.ts';
import type { PolicyTest } from '../../probe/policy-test.ts';
import { GUARDS } from '../../release/guards.ts';
import { sayingRights } from '../../release/missing-rights.ts';
import { ReleaseError } from '../../release/release-error.ts';
import { listReleases, overdueReleases } from '../../release/release-store.ts';
import { UsageError } from '../../terminal/failures.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { writeNote } from '../../terminal/output.ts';
import { checkRelease } from './apply-verb.ts';
import { carryRelease } from './carry-release.ts';
import { readFlows } from '../flows/flow-source.ts';
import { readLiveCluster } from './live-cluster.ts';
import { liveTests } from './live-tests.ts';
import { durationSeconds, positiveOrZero } from '../options/number-words.ts';
import { readTests } from '../test/read-tests.ts';
import { addReleaseOptions, type ReleaseOptions } from './release-options.ts';
import { rollbackProposal } from './rollback-proposal.ts';

interface RollbackOptions extends ReleaseOptions {
  readonly release: string;
  readonly to?: number;
  readonly expired?: boolean;
  readonly watch?: boolean;
  /** In seconds. */
  readonly every: number;
}

export function defineRollback(command: Command): void {
  addReleaseOptions(
    command
      .argument('[RELEASE]', 'its name', 'default')
      .option('--expired', 'every release whose time is over (apply --for), in place of a named one')
      .option('--watch', 'with --expired: stay, and take back each release when its time is over, without asking')
      .option('--every <DURATION>', 'with --watch: look so often', durationSeconds, 30)
      .option('--to <REVISION>', 'as it was behind this revision; 0: before the first', positiveOrZero),
  ).addHelpText('after', `
Every object is put back exactly as it was, and what was not there is taken away; that is judged, ordered and kept as any release is.
A revision that broke off in the middle is taken back in the same way.

Exit status: as of bulkhead apply.

Examples:
  bulkhead rollback
  bulkhead rollback shop --to 3 --yes
  bulkhead rollback --expired --yes
  bulkhead rollback --expired --watch`)
    .action(async (release: string, options: RollbackOptions) => {
      process.exitCode = await runRollback(release, options);
    });
}

async function runRollback(release: string, options: RollbackOptions): Promise<number> {
  checkRelease(release);
  const tests = options.test === undefined ? [] : await readTests(options.test);
  if (tests === undefined) return 2;
  if (options.watch === true) return watchExpired(tests, options);
  return options.expired === true ? takeBackExpired(tests, options) : takeBackOne(release, tests, options);
}

async function takeBackExpired(tests: readonly PolicyTest[], options: RollbackOptions): Promise<number> {
  const api = await openKubeApi(options);
  const names = overdueReleases(await sayingRights(listReleases(api, options.keepIn)), new Date());
  if (names.length === 0 && options.watch !== true) await writeNote('bulkhead: no release is overdue\n');
  let worst = 0;
  for (const name of names) worst = Math.max(worst, await takeBackOne(name, tests, options));
  return worst;
}

/** Until it is told to end, which is how it ends well. What fails is tried again at the next look, and said once. */
async function watchExpired(tests: readonly PolicyTest[], options: RollbackOptions): Promise<number> {
  if (options.expired !== true || options.dryRun !== undefined) throw new UsageError('--watch takes back what has expired', 'write --expired --watch, and no --dry-run');
  const unasked: RollbackOptions = { ...options, yes: true, adopt: true, allow: GUARDS, wait: 0, reason: options.reason ?? 'its time was over' };
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  let said = '';
  try {
    while (!interruption.hasCome()) {
      const trouble = await troubleOf(takeBackExpired(tests, unasked));
      if (trouble !== '' && trouble !== said) await writeNote(`bulkhead: ${trouble}\n`);
      said = trouble;
      await REAL_PACING.wait(Math.max(1, options.every) * 1_000, stop.signal);
    }
  } finally {
    interruption.stopListening();
  }
  return 0;
}

/** Of the world; a bug ends the watch. */
async function troubleOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return '';
  } catch (error) {
    if (error instanceof ClusterError || error instanceof ReleaseError) return error.message;
    throw error;
  }
}

/** Throws UsageError where they could not be read, which has been said. */
async function flowsOf(options: RollbackOptions): Promise<FlowTable | undefined> {
  if (options.flows === undefined) return undefined;
  const gathering = await readFlows(options);
  if (gathering === undefined) throw new UsageError('the recorded flows could not be read');
  return gathering.table;
}

async function takeBackOne(release: string, tests: readonly PolicyTest[], options: RollbackOptions): Promise<number> {
  const live = await readLiveCluster(options);
  if (live === undefined) return 2;
  const kept = await sayingRights(listReleases(live.api, options.keepIn, release));
  return carryRelease(rollbackProposal(release, kept, options.to), { live, kept, tests, options, flows: await flowsOf(options), testLive: liveTests(options) });
}
