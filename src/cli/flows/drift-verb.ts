// `bulkhead drift`: what is amiss in a cluster now and was not then: new denials, tests that fail, unprotected workloads, policies and rules that nobody needs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { compileCluster } from '../../compile/compile.ts';
import type { Program } from '../../compile/program.ts';
import { findDrift, keyOf, type Drift } from '../../drift/drift.ts';
import { newsOf, readTold, toldText, type News, type ToldDrift } from '../../drift/told.ts';
import { WEBHOOK_FORMS, webhookBodies, type WebhookForm } from '../../drift/webhook-body.ts';
import { DRIFT_FORMATS, driftGithub, driftJson, driftMarkdown, driftTable } from '../../report/flows/drift.ts';
import { openRevision } from '../../input/git-files.ts';
import { readFlowFiles } from '../../input/flow-files.ts';
import { addInputOptions, collect, type InputOptions } from '../../input/input-options.ts';
import { openInputs, readOpened } from '../../input/input.ts';
import { listInputs } from '../../input/list-inputs.ts';
import { hasBase } from '../../input/open-base.ts';
import { joinFiles, openFiles, type OpenedFiles } from '../../input/open-files.ts';
import { openSides, type OpenedSides } from '../../input/open-sides.ts';
import { replaceFile } from '../../input/replace-file.ts';
import type { ClusterChoice } from '../../kube/kube-config.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { choiceOf } from '../options/choice.ts';
import { addFlowOptions, namesFlows, readFlows, type FlowOptions } from './flow-source.ts';
import { EVENTS_MAX, writeEvents, type Saying } from '../namespace-events.ts';
import { durationSeconds, positiveNumber } from '../options/number-words.ts';
import { readTests } from '../test/read-tests.ts';
import { lookAgain } from './look-again.ts';
import { openSinceRelease } from './open-release.ts';
import { sendWebhook, WEBHOOK_VARIABLE, webhookAddress } from './send-webhook.ts';

interface DriftOptions extends InputOptions, FlowOptions {
  readonly lenient?: boolean;
  readonly oldRef?: string;
  readonly sinceRelease?: string;
  readonly keepIn: string;
  readonly oldFlows?: readonly string[];
  readonly test?: readonly string[];
  /** Seconds. */
  readonly watch?: number;
  readonly exitCode?: boolean;
  readonly webhook?: WebhookForm;
  readonly webhookFile?: string;
  readonly events?: string;
  readonly told?: string;
  readonly limit: number;
  readonly output: (typeof DRIFT_FORMATS)[number];
}

export function defineDrift(command: Command): void {
  addFlowOptions(addInputOptions(command.argument('[PATH...]', 'OLD and NEW: files, folders, snapshots, or the word cluster; one alone, or -f, --cluster or --snapshot: all that is amiss now')))
    .option('--old-ref <REF>', 'take OLD from this revision of git: a branch, a tag, a commit')
    .option('--since-release <NAME>', 'with --cluster: OLD is the cluster with the policies of this release as they were written')
    .option('--keep-in <NAMESPACE>', 'where the history of the release is kept', 'default')
    .option('--old-flows <FILE|->', 'what was recorded then, so that only what is refused or unused since is told; repeatable', collect)
    .option('--test <FILE>', 'expectations that must hold, as `bulkhead test` reads them; repeatable', collect)
    .option('--watch <DURATION>', 'look again every so often, 30s, 5m or 1h, until it is told to end; shown is each answer that differs from the one before', durationSeconds)
    .option('--exit-code', 'end with 1 when anything has drifted')
    .option('--webhook <FORM>', `also send what is news to a webhook; one of: ${WEBHOOK_FORMS.join(', ')}`, choiceOf(WEBHOOK_FORMS))
    .option('--webhook-file <FILE>', `the address of the webhook (default: $${WEBHOOK_VARIABLE})`)
    .option('--events <NAMESPACE>', 'also write what is news as Events of this namespace of the cluster')
    .option('--told <FILE>', 'with --webhook and --events: what was told is kept there, so that the same is told once, and once more when it is over')
    .option('--limit <NUMBER>', 'lines of each kind that are shown, in table, md and github; the rest is counted', positiveNumber, 20)
    .option('-o, --output <FORMAT>', `one of: ${DRIFT_FORMATS.join(', ')}`, choiceOf(DRIFT_FORMATS), 'table')
    .addHelpText('after', `
What is named with -f belongs to both sides. Denials and unused rules are told where --flows or --server has what was recorded;
without --old-flows, a denial that the policies of OLD would have ordered as well is none.

Exit status: 0; with --exit-code 1 when anything has drifted; 2 an input could not be understood; 3 the cluster or the
webhook said no.

Examples:
  bulkhead drift snapshot.json cluster --flows flows.jsonl --test tests/
  bulkhead drift --old-ref v1.4 manifests/ --test tests/ --exit-code
  bulkhead drift --cluster --since-release shop --server https://flows.example:9643 --since 7d
  bulkhead drift --cluster --flows flows.jsonl --old-flows last-week.jsonl`)
    .action(async (paths: readonly string[], options: DriftOptions) => {
      process.exitCode = await runDrift(paths, options);
    });
}

async function runDrift(paths: readonly string[], options: DriftOptions): Promise<number> {
  if (options.watch !== undefined) return await watchDrift(paths, options, options.watch);
  const alerting = alertingOf(options);
  const drifts = await lookForDrift(paths, options);
  if (drifts === undefined) return 2;
  await writeAnswer(await format(drifts, options));
  if (alerting !== undefined) await tellNews(alerting, drifts);
  return options.exitCode === true && drifts.length > 0 ? 1 : 0;
}

/** Shown again when it is another answer. */
async function watchDrift(paths: readonly string[], options: DriftOptions, seconds: number): Promise<number> {
  const { exitCode, file = [], flows = [], oldFlows = [] } = options;
  if (exitCode === true) throw new UsageError('--exit-code is about one answer, and --watch gives many', 'leave one of them out');
  if ([...paths, ...file, ...flows, ...oldFlows].includes('-')) throw new UsageError('standard input is read once, and --watch reads everything again', 'write it into a file');
  if (seconds === 0) throw new UsageError('--watch says how long to wait before each look', 'write --watch 5m');
  let shown: string | undefined;
  await lookAgain(seconds * 1_000, async () => {
    const alerting = alertingOf(options);
    const drifts = await lookForDrift(paths, options);
    if (drifts === undefined) return;
    const keys = drifts.map(keyOf).join('\n');
    if (keys !== shown) await writeAnswer(await format(drifts, options));
    shown = keys;
    if (alerting !== undefined) await tellNews(alerting, drifts);
  });
  return 0;
}

/** undefined: an input could not be understood, which has been said. */
async function lookForDrift(paths: readonly string[], options: DriftOptions): Promise<readonly Drift[] | undefined> {
  const tests = await readTests(options.test ?? []);
  const sides = await openStates(paths, options);
  if (options.sinceRelease !== undefined && sides.gaps === undefined) await writeNote(`bulkhead: the release ${options.sinceRelease} does not keep which workloads had no policy when it was written: those that came since, or changed their labels, are not told from the others\n`);
  const program = await readProgram(sides.after, options);
  const old = sides.before === sides.after ? program : await readProgram(sides.before, options);
  if (tests === undefined || program === undefined || old === undefined) return undefined;
  const [flows, oldFlows] = [namesFlows(options) ? await readFlows(options) : undefined, options.oldFlows === undefined ? undefined : await readFlowFiles(options.oldFlows, { lenient: options.lenient })];
  if ((flows === undefined && namesFlows(options)) || (oldFlows === undefined && options.oldFlows !== undefined)) return undefined;
  if (options.sinceRelease !== undefined && flows !== undefined && oldFlows === undefined) await writeNote(`bulkhead: what was refused is held against the pods of today: of those whose labels changed since ${options.sinceRelease} was written, a refusal is told where the same went through since, and no other; --old-flows tells them all\n`);
  return findDrift({ before: old === 'none' ? undefined : { program: old, flows: oldFlows?.table, hasOtherPods: options.sinceRelease !== undefined, gaps: sides.gaps, writtenMs: sides.writtenMs }, now: { program, flows: flows?.table }, tests });
}

interface Alerting {
  readonly webhook: { readonly form: WebhookForm; readonly address: URL } | undefined;
  /** Of the cluster. */
  readonly namespace: string | undefined;
  readonly cluster: ClusterChoice;
  readonly file: string;
  readonly told: readonly ToldDrift[];
}

/** Throws UsageError, before anything is computed. */
function alertingOf({ webhook: form, webhookFile, events: namespace, told: file, context, kubeconfig }: DriftOptions): Alerting | undefined {
  if (form === undefined && webhookFile !== undefined) throw new UsageError('--webhook-file says how a webhook is told, and none is', `add --webhook ${WEBHOOK_FORMS.join(' or ')}`);
  if (form === undefined && namespace === undefined) {
    if (file !== undefined) throw new UsageError('--told keeps what was told, and nobody is', `add --webhook ${WEBHOOK_FORMS.join(' or ')}, or --events`);
    return undefined;
  }
  if (file === undefined) throw new UsageError('nobody knows what was told before', 'name a file for it by --told');
  const webhook = form === undefined ? undefined : { form, address: webhookAddress(webhookFile) };
  const cluster = { ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) };
  return { webhook, namespace, cluster, file, told: existsSync(file) ? readTold(readFileSync(file, 'utf8')) : [] };
}

/** Kept as told only once it was taken: who breaks off in between is told again. */
async function tellNews({ webhook, namespace, cluster, file, told }: Alerting, drifts: readonly Drift[]): Promise<void> {
  const news = newsOf(told, drifts, Date.now());
  if (namespace !== undefined) await writeEvents(await openKubeApi(cluster), sayingsOf(news, namespace), new Date());
  if (webhook !== undefined) await sendWebhook(webhook.address, webhookBodies(webhook.form, news, Date.now()));
  if (existsSync(file)) replaceFile(file, toldText(news));
  else writeFileSync(file, toldText(news), { flag: 'wx', mode: 0o600 });
}

/** What is new first; what finds no room is counted in the last one. */
function sayingsOf({ fresh, resolved }: News, namespace: string): readonly Saying[] {
  const common = { verb: 'drift', namespace };
  const all = [
    ...fresh.map(({ kind, subject, message }): Saying => ({ ...common, reason: 'PolicyDrift', type: 'Warning', note: `${kind}: ${message}`, key: [kind, subject, 'fresh'] })),
    ...resolved.map(({ kind, subject }): Saying => ({ ...common, reason: 'PolicyDriftOver', type: 'Normal', note: `over: ${kind} ${subject}`, key: [kind, subject, 'over'] })),
  ];
  const more = all.length - EVENTS_MAX + 1;
  return more <= 1 ? all : [...all.slice(0, -more), { ...common, reason: 'PolicyDrift', type: 'Warning', note: `and ${more} more`, key: [more] }];
}

type OpenedStates = Omit<OpenedSides, 'before'> & { readonly before: OpenedFiles | undefined; readonly gaps?: readonly string[] | undefined; readonly writtenMs?: number };

async function openStates(paths: readonly string[], options: DriftOptions): Promise<OpenedStates> {
  const { oldRef, oldFlows, sinceRelease, keepIn, cluster, file = [] } = options;
  if (oldRef !== undefined) {
    if (hasBase(options)) throw new UsageError('a revision of git and a cluster are two things to compare with', 'leave --old-ref out, or --cluster and --snapshot');
    if (paths.length === 0) throw new UsageError('nothing to compare', 'name the manifests: bulkhead drift --old-ref main manifests/');
    return { before: joinFiles(openRevision(oldRef, paths), openFiles(listInputs(file))), after: openFiles(listInputs([...paths, ...file])) };
  }
  if (sinceRelease !== undefined) {
    if (cluster !== true || paths.length > 0 || file.length > 0) throw new UsageError('a release is of a cluster, and compared with that alone', 'write bulkhead drift --cluster --since-release NAME');
    return await openSinceRelease({ release: sinceRelease, keepIn }, options);
  }
  const [old, now, ...more] = paths;
  if (more.length > 0) throw new UsageError('two states are wanted at most', 'write bulkhead drift OLD NEW; what belongs to both goes behind -f');
  if (old !== undefined && now !== undefined) return openSides(old, now, options);
  const after = old === undefined ? await openInputs(file, options) : (await openSides(undefined, old, options)).after;
  // The same policies, held against what was recorded then.
  return { before: oldFlows === undefined ? undefined : after, after };
}

/** undefined: it could not be understood, which has been said. */
async function readProgram(opened: OpenedFiles, options: DriftOptions): Promise<Program | undefined>;
async function readProgram(opened: OpenedFiles | undefined, options: DriftOptions): Promise<Program | 'none' | undefined>;
async function readProgram(opened: OpenedFiles | undefined, options: DriftOptions): Promise<Program | 'none' | undefined> {
  if (opened === undefined) return 'none';
  const input = await readOpened(opened, options);
  return input === undefined ? undefined : compileCluster(input.cluster);
}

async function format(drifts: readonly Drift[], { output, limit }: DriftOptions): Promise<Iterable<string>> {
  switch (output) {
    case 'table':
      return [driftTable(drifts, { style: terminalOf(process.stdout).style, limit })];
    case 'json':
    case 'yaml':
      return dataAnswer(output, [driftJson(drifts)]);
    case 'md':
      return [driftMarkdown(drifts, limit)];
    case 'github':
      return [driftGithub(drifts, limit)];
  }
}
