// `bulkhead rollback`: a release as it was before its newest revision, or before any that is kept.
import type { Command } from 'commander';
import { sayingRights } from '../release/missing-rights.ts';
import { listReleases } from '../release/release-store.ts';
import { checkRelease } from './apply-verb.ts';
import { carryRelease } from './carry-release.ts';
import { readLiveCluster } from './live-cluster.ts';
import { positiveOrZero } from './number-words.ts';
import { readTests } from './read-tests.ts';
import { addReleaseOptions, type ReleaseOptions } from './release-options.ts';
import { rollbackProposal } from './rollback-proposal.ts';

interface RollbackOptions extends ReleaseOptions {
  readonly release: string;
  readonly to?: number;
}

export function defineRollback(command: Command): void {
  addReleaseOptions(
    command
      .argument('[RELEASE]', 'its name', 'default')
      .option('--to <REVISION>', 'as it was behind this revision; 0: before the first', positiveOrZero),
  ).addHelpText('after', `
Every object is put back exactly as it was, and what was not there is taken away; that is judged, ordered and kept as any release is.
A revision that broke off in the middle is taken back in the same way.

Exit status: as of bulkhead apply.

Examples:
  bulkhead rollback
  bulkhead rollback shop --to 3 --yes`)
    .action(async (release: string, options: RollbackOptions) => {
      process.exitCode = await runRollback(release, options);
    });
}

async function runRollback(release: string, options: RollbackOptions): Promise<number> {
  checkRelease(release);
  const tests = options.test === undefined ? [] : await readTests(options.test);
  if (tests === undefined) return 2;
  const live = await readLiveCluster(options);
  if (live === undefined) return 2;
  const kept = await sayingRights(listReleases(live.api, options.keepIn, release));
  return carryRelease(rollbackProposal(release, kept, options.to), { live, kept, tests, options });
}
