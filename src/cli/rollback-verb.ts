// `bulkhead rollback`: a release as it was before its newest revision, or before any that is kept.
import type { Command } from 'commander';
import type { FlowTable } from '../flow/flow-table.ts';
import { openKubeApi } from '../kube/kube-api.ts';
import type { PolicyTest } from '../probe/policy-test.ts';
import { sayingRights } from '../release/missing-rights.ts';
import { listReleases, overdueReleases } from '../release/release-store.ts';
import { UsageError } from '../terminal/failures.ts';
import { writeNote } from '../terminal/output.ts';
import { checkRelease } from './apply-verb.ts';
import { carryRelease } from './carry-release.ts';
import { readFlows } from './flow-source.ts';
import { readLiveCluster } from './live-cluster.ts';
import { liveTests } from './live-tests.ts';
import { positiveOrZero } from './number-words.ts';
import { readTests } from './read-tests.ts';
import { addReleaseOptions, type ReleaseOptions } from './release-options.ts';
import { rollbackProposal } from './rollback-proposal.ts';

interface RollbackOptions extends ReleaseOptions {
  readonly release: string;
  readonly to?: number;
  readonly expired?: boolean;
}

export function defineRollback(command: Command): void {
  addReleaseOptions(
    command
      .argument('[RELEASE]', 'its name', 'default')
      .option('--expired', 'every release whose time is over (apply --for), in place of a named one')
      .option('--to <REVISION>', 'as it was behind this revision; 0: before the first', positiveOrZero),
  ).addHelpText('after', `
Every object is put back exactly as it was, and what was not there is taken away; that is judged, ordered and kept as any release is.
A revision that broke off in the middle is taken back in the same way.

Exit status: as of bulkhead apply.

Examples:
  bulkhead rollback
  bulkhead rollback shop --to 3 --yes
  bulkhead rollback --expired --yes`)
    .action(async (release: string, options: RollbackOptions) => {
      process.exitCode = await runRollback(release, options);
    });
}

async function runRollback(release: string, options: RollbackOptions): Promise<number> {
  checkRelease(release);
  const tests = options.test === undefined ? [] : await readTests(options.test);
  if (tests === undefined) return 2;
  if (options.expired !== true) return takeBackOne(release, tests, options);
  const api = await openKubeApi(options);
  const names = overdueReleases(await sayingRights(listReleases(api, options.keepIn)), new Date());
  if (names.length === 0) await writeNote('bulkhead: no release is overdue\n');
  let worst = 0;
  for (const name of names) worst = Math.max(worst, await takeBackOne(name, tests, options));
  return worst;
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
