// `bulkhead apply`: policies into a cluster as one release, judged before, written in a safe order, kept so that it can be taken back.
import type { Command } from 'commander';
import type { WantedObject } from '../../kube/cluster-api.ts';
import { EXPIRES_ANNOTATION } from '../../model/time-to-live.ts';
import type { WantedChange } from '../../release/prepare-objects.ts';
import { placeLabel, placeOfObject } from '../../release/release-object.ts';
import type { KeptRelease } from '../../release/release-record.ts';
import { sayingRights } from '../../release/missing-rights.ts';
import { listReleases } from '../../release/release-store.ts';
import { UsageError } from '../../terminal/failures.ts';
import { collect } from '../../input/input-options.ts';
import { carryRelease } from './carry-release.ts';
import { namesFlows, readFlows } from '../flows/flow-source.ts';
import { readLiveCluster } from './live-cluster.ts';
import { liveTests } from './live-tests.ts';
import type { Proposal } from './proposal.ts';
import { readTests } from '../test/read-tests.ts';
import { durationSeconds } from '../options/number-words.ts';
import { addReleaseOptions, type ReleaseOptions } from './release-options.ts';
import { readWanted, type WantedPolicies } from './wanted-policies.ts';

interface ApplyOptions extends ReleaseOptions {
  readonly file?: readonly string[];
  readonly namespace?: string;
  readonly release: string;
  readonly stage?: boolean;
  readonly prune?: boolean;
  /** In seconds. */
  readonly for?: number;
}

export function defineApply(command: Command): void {
  addReleaseOptions(
    command
      .argument('[PATH...]', 'the same as -f')
      .option('-f, --file <FILE|DIR|->', 'policies: YAML or JSON; a folder with all below it; - is standard input; repeatable', collect)
      .option('-n, --namespace <NAME>', 'namespace of policies that name none (default: default)')
      .option('--release <NAME>', 'what they are together', 'default')
      .option('--stage', 'write each as a staged policy, which is judged on real traffic and not enforced')
      .option('--for <DURATION>', 'break-glass: new policies that only allow, for so long; wants --reason', durationSeconds)
      .option('--detach', 'with --for: do not stay to take it back')
      .option('--prune', 'take away what belongs to the release and is in no file any more'),
  ).addHelpText('after', `
Nothing is written before it has said what would change, and somebody has said yes.
Broken off at any moment, the same command goes on, and bulkhead rollback takes it back.

Exit status: 0 it is written, in force and tested as far as anybody here can know, or with --dry-run may be; 1 it is refused, or not wanted, or did not hold; 2 it cannot be understood; 3 the cluster said no.

Examples:
  bulkhead apply policies/ --dry-run -o md
  bulkhead apply policies/ --test tests/ --atomic
  bulkhead apply policies/ --stage
  bulkhead apply debug.yaml --for 2h --reason 'incident 4711'`)
    .action(async (paths: readonly string[], options: ApplyOptions, command: Command) => {
      const isNamed = command.getOptionValueSource('release') !== 'default';
      process.exitCode = await runApply([...(options.file ?? []), ...paths], options.for === undefined || isNamed ? options : { ...options, release: 'break-glass' });
    });
}

async function runApply(words: readonly string[], options: ApplyOptions): Promise<number> {
  checkRelease(options.release);
  checkFor(options);
  const wanted = await readWanted(words, options);
  const tests = options.test === undefined ? [] : await readTests(options.test);
  const flows = namesFlows(options) ? await readFlows(options) : undefined;
  if (wanted === undefined || tests === undefined || (flows === undefined && namesFlows(options))) return 2;
  const live = await readLiveCluster(options);
  if (live === undefined) return 2;
  const kept = await sayingRights(listReleases(live.api, options.keepIn, options.release));
  const standing = kept.at(-1);
  if (options.for !== undefined && standing?.state === 'written' && standing.record.expires !== undefined) throw new UsageError(`the release ${options.release} stands until ${standing.record.expires}`, `take it back first: bulkhead rollback ${options.release}; or name another with --release`);
  return carryRelease(proposalOf(wanted, kept, options), { live, kept, tests, options, flows: flows?.table, testLive: liveTests(options) });
}

/** Throws UsageError. */
function checkFor({ for: seconds, reason, prune, stage, detach }: ApplyOptions): void {
  if (seconds === undefined) {
    if (detach === true) throw new UsageError('--detach says how --for ends, and there is none', 'leave it out');
    return;
  }
  if (seconds < 1 || seconds > FOR_SECONDS_MAX) throw new UsageError('--for takes from a second to a week', 'write --for 2h');
  if (reason === undefined) throw new UsageError('--for is for emergencies, and the history keeps why', 'add --reason TEXT');
  if (prune === true || stage === true) throw new UsageError(`--for and ${prune === true ? '--prune' : '--stage'} do not go together`, 'leave one of the two out');
}

/** Who wants more wants a policy. */
const FOR_SECONDS_MAX = 7 * 24 * 3600;

/** Part of names of objects, and the value of a label. Throws UsageError. */
export function checkRelease(release: string): void {
  if (!/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(release)) throw new UsageError(`\`${release}\` is no name of a release`, 'up to 40 lower-case letters, digits and dashes');
}

function proposalOf({ objects: written, ofFiles, lineOf }: WantedPolicies, kept: readonly KeptRelease[], { release, prune = false, for: seconds }: ApplyOptions): Proposal {
  const expires = seconds === undefined ? undefined : expiryOf(kept.at(-1), seconds);
  const objects = expires === undefined ? written : written.map((object) => withExpiry(object, expires));
  const wanted = objects.map((object): WantedChange => ({ place: placeOfObject(object), wanted: object }));
  const named = new Set(wanted.map(({ place }) => placeLabel(place)));
  const missing = (kept.at(-1)?.record.members ?? []).filter((member) => !named.has(placeLabel(placeOfObject(member))));
  // What is enforced now is no longer tried.
  const gone = missing.filter((member) => prune || isTwinOf(named, member));
  const left = missing.filter((member) => !gone.includes(member));
  return {
    release,
    action: 'apply',
    wanted: [...wanted, ...gone.map((member): WantedChange => ({ place: placeOfObject(member), wanted: undefined }))],
    members: [...objects, ...left],
    left: left.map((member) => placeLabel(placeOfObject(member))),
    ofFiles,
    lineOf,
    ...(expires === undefined ? {} : { expires }),
    isRestore: false,
  };
}

/** One that broke off goes on to the same end. */
function expiryOf(latest: KeptRelease | undefined, seconds: number): Date {
  const begun = latest?.state === 'writing' ? latest.record.expires : undefined;
  return begun === undefined ? new Date(Date.now() + seconds * 1000) : new Date(begun);
}

/** Whoever finds it sees how long it was to stand. */
function withExpiry(object: WantedObject, expires: Date): WantedObject {
  return { ...object, metadata: { ...object.metadata, annotations: { ...(object.metadata['annotations'] as object | undefined), [EXPIRES_ANNOTATION]: expires.toISOString() } } };
}

const REAL_KINDS: Readonly<Record<string, string>> = { StagedPolicy: 'NetworkPolicy', StagedClusterPolicy: 'ClusterNetworkPolicy' };

/** A staged policy whose real one is written. */
function isTwinOf(named: ReadonlySet<string>, { kind, metadata: { namespace, name } }: KeptRelease['record']['members'][number]): boolean {
  const real = REAL_KINDS[kind];
  return real !== undefined && named.has(namespace === undefined ? `${real} ${name}` : `${real} ${namespace}/${name}`);
}
