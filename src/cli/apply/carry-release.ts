// Carries a release through: judged, shown, asked about, written, waited for, tested, and taken back where it fails.
import type { Finding } from '../../base/finding.ts';
import type { Program } from '../../compile/program.ts';
import { gapsOf } from '../../drift/drift.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { StoredObject, WantedObject } from '../../kube/cluster-api.ts';
import { ClusterError } from '../../kube/cluster-error.ts';
import { REAL_PACING } from '../../kube/retry.ts';
import { lintCluster } from '../../lint/lint.ts';
import { letBe } from '../../lint/settings/settings.ts';
import { checkTests, countFailures, type TestReport } from '../../probe/check-expectations.ts';
import { ProbeError } from '../../probe/cluster-under-test.ts';
import type { PolicyTest } from '../../probe/policy-test.ts';
import { readCniSigns } from '../../release/cni-signs.ts';
import { GUARDS } from '../../release/guards.ts';
import { judgeRelease, type Judgment } from '../../release/judge-release.ts';
import { missingToKeep } from '../../release/missing-rights.ts';
import { objectionsTo } from '../../release/objections.ts';
import { prepareObjects, type WantedChange } from '../../release/prepare-objects.ts';
import type { AnyPolicy } from '../../release/release.ts';
import { makeRecord } from '../../release/make-record.ts';
import { placeLabel, placeOfObject } from '../../release/release-object.ts';
import { RELEASE_LABEL, type KeptRelease, type ReleaseRecord } from '../../release/release-record.ts';
import { keepRecord, listReleases, setState } from '../../release/release-store.ts';
import { plannedWrites, type PlannedWrite } from '../../release/run-writes.ts';
import { BrokenOff, writeRelease } from '../../release/write-release.ts';
import { judgmentGithub, judgmentJson, judgmentMarkdown, judgmentText, type JudgedRelease } from '../../report/ask/judgment.ts';
import { networkPolicyObject } from '../../report/define/policy-object.ts';
import { printable } from '../../report/text/printable.ts';
import { testText } from '../../report/ask/test-report.ts';
import { openSettings } from '../../input/settings-file.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { INTERRUPTED_STATUS, listenForInterruption, type Interruption } from '../../terminal/interruption.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { createProgress } from '../../terminal/progress.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { writeFindings } from '../../terminal/write-findings.ts';
import { answersOf } from '../define/answer-proposals.ts';
import { awaitEnforcement } from './await-enforcement.ts';
import { readLiveCluster, type LiveCluster } from './live-cluster.ts';
import type { Proposal } from './proposal.ts';
import type { ReleaseOptions } from './release-options.ts';
import { releaseLockOptions } from './release-holder.ts';
import { rollbackProposal } from './rollback-proposal.ts';

export interface Carrying {
  readonly live: LiveCluster;
  /** All revisions of the release that are kept, old before new. */
  readonly kept: readonly KeptRelease[];
  readonly tests: readonly PolicyTest[];
  readonly options: ReleaseOptions;
  /** Holds the expectations against real connections; undefined: nobody here can. */
  readonly testLive?: TestLive;
  /** What was seen on the wire, to be held against the policies. */
  readonly flows?: FlowTable | undefined;
}

/** undefined: what the cluster holds could not be understood, which has been said. */
export type TestLive = (tests: readonly PolicyTest[], signal: AbortSignal) => Promise<TestReport | undefined>;

/** Gives the exit status. Fails with ClusterError and ReleaseError; what was written by then has been said. */
export async function carryRelease(proposal: Proposal, carrying: Carrying): Promise<number> {
  const { live, kept, options } = carrying;
  const latest = kept.at(-1);
  const broken = latest?.state === 'writing' ? latest : undefined;
  if (broken !== undefined && proposal.undoes === undefined) await writeNote(`bulkhead: revision ${broken.record.revision} of ${proposal.release} broke off before its end: this goes on from where it stands\n`);
  const revision = (latest?.record.revision ?? 0) + 1;
  const missing = options.dryRun === undefined ? await missingToKeep(live.api, options.keepIn) : [];
  const objects = await prepareObjects(live.api, withHelpersGone(proposal.wanted, broken), { dryRun: options.dryRun === 'client' ? 'client' : 'server', isRestore: proposal.isRestore, missing });
  const judgment = judgeRelease(live.cluster, objects, { written: live.written, apiCallers: live.apiCallers, flows: carrying.flows, ofFiles: proposal.ofFiles, helperPrefix: `bulkhead-between-${proposal.release}-${revision}-` });
  const judged = await judgedRelease(proposal, carrying, { judgment, revision });
  await writeAnswer(await judgmentAnswer(judged, options));
  if (options.output === 'text' || options.output === 'md') await writeFindings(judged.findings, proposal);
  if (options.dryRun !== undefined) return judged.objections.length === 0 ? 0 : 1;
  if (judgment.changes.length === 0) return finishUnchanged(proposal, carrying, broken);
  if (judged.objections.length > 0) return 1;
  const record = makeRecord(proposal, { judgment, revision, broken, at: new Date(), reason: options.reason, gaps: gapsOf(judgment.plan.after) });
  await keepRecord(live.api, options.keepIn, record, { dryRun: true });
  if (!(await isWanted(options))) return 1;
  const status = await write(carrying, { record, judgment }).catch((error: unknown) => takeBackBroken(proposal, carrying, error));
  if (status !== 0) return status;
  const confirmed = await confirmRelease(proposal, carrying, { record, judgment });
  return confirmed === 0 && proposal.expires !== undefined ? standFor(proposal, carrying, proposal.expires) : confirmed;
}

/** Fails with the error. */
async function takeBackBroken(proposal: Proposal, carrying: Carrying, error: unknown): Promise<never> {
  if (!(error instanceof BrokenOff)) throw error;
  if (carrying.options.atomic === true && proposal.action === 'apply') {
    await writeNote('bulkhead: --atomic: it is taken back\n');
    await takeBack(proposal, carrying).catch(sayBrokenToo);
  }
  throw error.cause;
}

/** What a revision that broke off put there for a while. */
function withHelpersGone(wanted: readonly WantedChange[], broken: KeptRelease | undefined): readonly WantedChange[] {
  return [...wanted, ...(broken?.record.helpers ?? []).map((object): WantedChange => ({ place: placeOfObject(object), wanted: undefined }))];
}

interface Judged {
  readonly judgment: Judgment;
  readonly revision: number;
}

async function judgedRelease({ release, left, expires }: Proposal, { live, tests, options, flows }: Carrying, { judgment, revision }: Judged): Promise<JudgedRelease> {
  const settings = await openSettings(options);
  const found = newFindings(judgment.plan);
  const findings = settings === undefined ? found : letBe(found, settings);
  const report = tests.length === 0 ? undefined : checkTests(judgment.plan.after, tests);
  const unknown = [
    ...(live.apiCallers === undefined ? ['nobody could find out which pods ask the API server: this user may not list rolebindings and clusterrolebindings'] : []),
    ...(flows === undefined ? ['no recorded flows are named with --flows: what pods really use is not held against it'] : []),
  ];
  const counts = { errors: findings.filter(({ severity }) => severity === 'error').length, failedTests: report === undefined ? 0 : countFailures(report).failed, isTemporary: expires !== undefined };
  const objections = objectionsTo(judgment, counts, { allowed: new Set(options.allow), isAdopting: options.adopt === true || (options.dryRun === undefined && answersOf(options) === 'ask') });
  return { release, revision, judgment, left, findings, tests: report, unknown, objections };
}

/** What was weak before as well is not news. */
function newFindings({ before, after }: Judgment['plan']): readonly Finding[] {
  const lint = (program: Program): readonly Finding[] => lintCluster(program.cluster, program);
  const key = ({ code, message }: Finding): string => `${code} ${message}`;
  const known = new Set(lint(before).map(key));
  return lint(after).filter((finding) => !known.has(key(finding)));
}

async function judgmentAnswer(judged: JudgedRelease, { output }: ReleaseOptions): Promise<Iterable<string>> {
  switch (output) {
    case 'text':
      return [judgmentText(judged, terminalOf(process.stdout).style)];
    case 'md':
      return [judgmentMarkdown(judged)];
    case 'github':
      return [judgmentGithub(judged)];
    case 'json':
    case 'yaml':
      return dataAnswer(output, [judgmentJson(judged)]);
  }
}

async function finishUnchanged({ release }: Proposal, { live }: Carrying, broken: KeptRelease | undefined): Promise<number> {
  if (broken !== undefined) await setState(live.api, broken, 'written');
  await writeNote(`bulkhead: the cluster is as the release ${release} wants it: nothing is written\n`);
  return 0;
}

async function isWanted(options: ReleaseOptions): Promise<boolean> {
  const answers = answersOf(options);
  if (answers === 'yes') return true;
  if (answers === 'none') {
    await writeNote('bulkhead: nothing was written: nobody can be asked here, and --yes is not given\n');
    return false;
  }
  const { createInterface } = await import('node:readline/promises');
  const question = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const isYes = /^y(es)?$/i.test((await question.question('Write it? [y/N] ')).trim());
    if (!isYes) await writeNote('bulkhead: nothing was written\n');
    return isYes;
  } finally {
    question.close();
  }
}

// --- Writing

interface Writing {
  readonly record: ReleaseRecord;
  readonly judgment: Judgment;
}

/** 0: all of it is in the API server. */
async function write({ live: { api }, kept, options }: Carrying, { record, judgment }: Writing): Promise<number> {
  const { release, revision } = record;
  const interruption = listenForInterruption();
  const progress = createProgress(process.stderr);
  const lock = releaseLockOptions(options.keepIn, release);
  const writes = plannedWrites(judgment.plan, judgment.changes, (policy) => helperObject(policy, release));
  const onWrite = (done: number, next: PlannedWrite): void => progress.show(`${done} of ${writes.length}: ${next.kind} ${placeLabel(next.place)}`);
  try {
    const done = await writeRelease(api, { record, kept, writes, changes: judgment.changes, lock, isStopped: interruption.hasCome, onWrite });
    progress.clear();
    await writeNote(done < writes.length ? `bulkhead: stopped behind ${done} of ${writes.length} writes of revision ${revision}: ${goOnText(record)}\n` : `bulkhead: revision ${revision} of ${release} is written\n`);
    return done < writes.length ? INTERRUPTED_STATUS : 0;
  } catch (error) {
    progress.clear();
    if (error instanceof BrokenOff) await writeNote(`bulkhead: revision ${revision} of ${release} broke off: ${goOnText(record)}\n`);
    throw error;
  } finally {
    interruption.stopListening();
  }
}

function goOnText({ release, action }: ReleaseRecord): string {
  const back = release === 'default' ? '' : ` ${release}`;
  return action === 'rollback' ? `\`bulkhead rollback${back}\` goes on` : `the same command goes on, and \`bulkhead rollback${back}\` takes it back`;
}

/** A helper as the server takes it, and as somebody who finds it understands it. */
function helperObject(policy: AnyPolicy, release: string): WantedObject {
  if (policy.kind !== 'NetworkPolicy') throw new Error('bug: helpers are NetworkPolicies');
  const object = networkPolicyObject(policy) as WantedObject; // it has a name
  return { ...object, metadata: { ...object.metadata, labels: { [RELEASE_LABEL]: release }, annotations: { 'bulkhead.dev/purpose': 'stands only while a release is written, so that nothing is opened or cut in between' } } };
}

// --- Behind the writing

/** Waits, tests, and takes it back where it was asked to. A world that fails on the way has shown nothing: it is taken back too, and the error thrown. */
async function confirmRelease(proposal: Proposal, carrying: Carrying, { record, judgment }: Writing): Promise<number> {
  const interruption = listenForInterruption();
  try {
    const outcome = await holdsUp(carrying, judgment, interruption).catch((error: unknown) => ({ error }));
    if (outcome === true) return 0;
    if (interruption.hasCome()) return INTERRUPTED_STATUS;
    if (outcome === false) {
      await giveUp(proposal, carrying, record);
      return 1;
    }
    if (carrying.options.atomic === true) await giveUp(proposal, carrying, record).catch(sayBrokenToo);
    throw outcome.error;
  } finally {
    interruption.stopListening();
  }
}

async function holdsUp(carrying: Carrying, judgment: Judgment, interruption: Interruption): Promise<boolean> {
  const isInForce = carrying.options.wait === 0 || (await waitFor(carrying, judgment, interruption));
  return isInForce && testsHold(carrying, interruption);
}

/** Written, and it does not do what it should. */
async function giveUp(proposal: Proposal, carrying: Carrying, { release, action }: ReleaseRecord): Promise<void> {
  const { live: { api }, options } = carrying;
  const failed = (await listReleases(api, options.keepIn, release)).at(-1);
  if (failed !== undefined) await setState(api, failed, 'failed');
  if (options.atomic !== true || action === 'rollback') return;
  await writeNote('bulkhead: --atomic: it is taken back\n');
  await takeBack(proposal, carrying);
}

async function sayBrokenToo(error: unknown): Promise<void> {
  await writeNote(`bulkhead: that broke off as well: ${messageOf(error)}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Until its time is over, or somebody stops it; then it is taken back. */
async function standFor(proposal: Proposal, carrying: Carrying, expires: Date): Promise<number> {
  const back = `\`bulkhead rollback ${proposal.release}\``;
  if (carrying.options.detach === true) {
    await writeNote(`bulkhead: it stands until ${back}, or \`bulkhead rollback --expired\` behind ${expires.toISOString()}, takes it back: nobody here waits for that\n`);
    return 0;
  }
  await writeNote(`bulkhead: it stands until ${expires.toISOString()} and goes then; Ctrl-C takes it back at once. If this process is killed it stays until ${back}, or \`bulkhead rollback --expired\`\n`);
  const interruption = listenForInterruption();
  try {
    await Promise.race([interruption.come, REAL_PACING.wait(Math.max(0, expires.getTime() - Date.now()))]);
  } finally {
    interruption.stopListening();
  }
  await takeBack(proposal, carrying);
  return 0;
}

async function takeBack({ release, lineOf }: Proposal, carrying: Carrying): Promise<void> {
  const { options } = carrying;
  // As it is now: it may have stood for hours.
  const live = (await readLiveCluster(options)) ?? carrying.live;
  const kept = await listReleases(live.api, options.keepIn, release);
  const { dryRun: _, atomic: __, ...rest } = options;
  const all: ReleaseOptions = { ...rest, yes: true, adopt: true, allow: GUARDS, output: 'text' };
  await carryRelease({ ...rollbackProposal(release, kept), lineOf }, { live, kept, tests: [], options: all });
}

async function waitFor({ live: { api }, options }: Carrying, judgment: Judgment, interruption: Interruption): Promise<boolean> {
  const enforced = judgment.changes.filter(({ place }) => !place.served.apiVersion.startsWith('bulkhead.dev/'));
  const written = enforced.filter(({ result }) => result !== undefined).map(({ place }) => place);
  const gone = enforced.flatMap(({ held, result }): StoredObject[] => (held !== undefined && result === undefined ? [held] : []));
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  const progress = createProgress(process.stderr);
  progress.show('waiting until every node says that it is in force');
  const { standing, message } = await awaitEnforcement(api, { written, gone, seconds: options.wait, signal: stop.signal, signs: () => readCniSigns(api, { changes: enforced, plan: judgment.plan }) });
  progress.clear();
  await writeNote(`bulkhead: ${printable(message)}\n`);
  return standing !== 'not-in-time';
}

/** Where nobody has a way into the pods, that is said, and is no failure of the policies. */
async function testsHold({ tests, testLive }: Carrying, interruption: Interruption): Promise<boolean> {
  if (tests.length === 0 || testLive === undefined) return true;
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  try {
    const report = await testLive(tests, stop.signal);
    if (report === undefined) return false;
    await writeAnswer([testText(report, terminalOf(process.stdout).style)]);
    return countFailures(report).failed === 0;
  } catch (error) {
    const cannot = error instanceof ProbeError || (error instanceof ClusterError && error.code === 'forbidden');
    if (!cannot) throw error;
    await writeNote(`bulkhead: the tests were not tried between real pods: ${printable(error.message.split('\n')[0]!)}\n`);
    return true;
  }
}
