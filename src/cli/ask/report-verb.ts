// `bulkhead report`: isolation, exposure and compliance as one page that stands alone, or as data.
import type { Command } from 'commander';
import { compileCluster } from '../../compile/compile.ts';
import { chooseFrameworks } from '../../evidence/controls.ts';
import { gatherEvidence, hasUnmetControl, type Evidence } from '../../evidence/evidence.ts';
import { loadFrameworks } from '../../evidence/framework.ts';
import { checkTests, countFailures } from '../../probe/check-expectations.ts';
import { evidenceJson } from '../../report/page/evidence-json.ts';
import { evidencePage, type EvidenceHead } from '../../report/page/evidence-page.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, collect, type InputOptions } from '../../input/input-options.ts';
import { readInputs } from '../../input/input.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { choiceOf } from '../options/choice.ts';
import { addFlowOptions, namesFlows, readFlows, type FlowOptions } from '../flows/flow-source.ts';
import { packageVersion } from '../package-version.ts';
import { readTests } from '../test/read-tests.ts';
import { askCluster, readScopes, readTestRuns, unreadOf } from './report-sources.ts';

const FORMATS = ['html', 'json', 'yaml', 'csv', 'md'] as const;

interface ReportOptions extends InputOptions, FlowOptions {
  readonly lenient?: boolean;
  readonly scope?: readonly string[];
  readonly framework?: readonly string[];
  readonly tests?: readonly string[];
  readonly results?: readonly string[];
  readonly title: string;
  readonly at?: string;
  readonly keepIn: string;
  readonly exitCode?: boolean;
  readonly output: (typeof FORMATS)[number];
}

export function defineReport(command: Command): void {
  addFlowOptions(addInputOptions(command.argument('[PATH...]', 'the same as -f')))
    .option('--scope <SENTENCE>', 'pods that somebody answers for: NAME: PODS from END and END to END and END hops 3; repeatable', collect)
    .option('--framework <NAME>', `only its controls, of ${loadFrameworks().map(({ name }) => name).join(', ')}; repeatable (default: those of every cluster, and of the provider that is recognized)`, collect)
    .option('--tests <FILE>', 'test files or folders of them, held against the policies; repeatable', collect)
    .option('--results <FILE>', 'what bulkhead test -o json said before, the oldest first; repeatable', collect)
    .option('--title <TEXT>', 'of the page', 'Isolation and exposure')
    .option('--at <TIME>', 'when it was so, for the page: 2026-11-20T10:00:00Z (default: of a cluster now, else nothing is said)')
    .option('--keep-in <NAMESPACE>', 'of a cluster, where the history of releases is kept', 'default')
    .option('--exit-code', 'status 1 when a control is not met or a test fails')
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'html')
    .addHelpText('after', `
A control is judged by who can reach whom. Without "to", a scope does not say where its pods may go, and that is not asked;
without "hops", what comes through an end that it names is that end's to answer for.

Exit status: 0; 1 with --exit-code when a control is not met or a test fails; 2 when the input or a word could not be
understood; 3 when the cluster says no.

Examples:
  bulkhead report manifests > report.html
  bulkhead report --cluster --scope "pci: pci=true from shop/gateway to data/cards hops 3" -o json
  bulkhead report --snapshot monday.json --tests tests --flows flows.jsonl -o md`)
    .action(async (paths: readonly string[], options: ReportOptions) => {
      process.exitCode = await runReport([...(options.file ?? []), ...paths], options);
    });
}

async function runReport(words: readonly string[], options: ReportOptions): Promise<number> {
  const now = new Date();
  const at = timeOf(options, now);
  const tests = options.tests === undefined ? [] : await readTests(options.tests);
  const scopes = await readScopes(options.scope ?? [], options);
  const testRuns = readTestRuns(options.results ?? []);
  const input = await readInputs(words, options);
  if (input === undefined || tests === undefined) return 2;
  const flows = namesFlows(options) ? await readFlows(options) : undefined;
  if (flows === undefined && namesFlows(options)) return 2;
  const told = await askCluster(options, { keepIn: options.keepIn, now });
  const program = compileCluster(input.cluster);
  const evidence = gatherEvidence({
    program,
    diagnosis: told.diagnosis,
    scopes,
    frameworks: chooseFrameworks(loadFrameworks(), options.framework, told.diagnosis?.provider?.name),
    flows: flows?.table,
    tests: options.tests === undefined ? undefined : checkTests(program, tests),
    testRuns,
    at: at === undefined ? undefined : new Date(at).toISOString(),
    releases: told.releases,
    unread: [...unreadOf(input, options), ...told.unread],
  });
  await writeAnswer(await formatted(evidence, { title: options.title, inputs: inputsText(words, options), at, version: packageVersion(), isLive: options.cluster === true }, options.output));
  return options.exitCode === true && isWanting(evidence) ? 1 : 0;
}

function isWanting(evidence: Evidence): boolean {
  return hasUnmetControl(evidence) || (evidence.tests !== undefined && countFailures(evidence.tests).failed > 0);
}

/** ISO 8601. */
function timeOf({ at, cluster }: ReportOptions, now: Date): string | undefined {
  if (at === undefined) return cluster === true ? isoTime(now) : undefined;
  const time = Date.parse(at);
  if (Number.isNaN(time)) throw new UsageError(`\`${at}\` is no time`, 'write --at 2026-11-20T10:00:00Z');
  return isoTime(new Date(time));
}

/** To the second. */
function isoTime(time: Date): string {
  return time.toISOString().replace(/\.[0-9]+Z$/, 'Z');
}

function inputsText(words: readonly string[], { cluster, context, snapshot }: ReportOptions): string {
  const base = cluster === true ? [context === undefined ? 'the cluster' : `the cluster ${context}`] : snapshot === undefined ? [] : [snapshot];
  return [...base, ...words].join(', ') || 'what bulkhead.yaml names, or standard input';
}

async function formatted(evidence: Evidence, head: EvidenceHead, format: ReportOptions['output']): Promise<Iterable<string>> {
  switch (format) {
    case 'html':
      return [(await import('../../report/page/page-html.ts')).pageHtml(evidencePage(evidence, head))];
    case 'md':
      return [(await import('../../report/page/page-text.ts')).pageMarkdown(evidencePage(evidence, head))];
    case 'csv':
      return (await import('../../report/page/page-text.ts')).pageCsv(evidencePage(evidence, head));
    case 'json':
    case 'yaml':
      return dataAnswer(format, [evidenceJson(evidence, head)]);
  }
}
