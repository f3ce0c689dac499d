// `bulkhead flows` and `bulkhead denied`: what went over the wire and what was refused, by which rule, in the lab that runs here, in a cluster, and in files of records.
import type { Command } from 'commander';
import { judgedRows } from '../../flow/flow.ts';
import { recordsOf } from '../../flow/gather-flows.ts';
import { FLOW_END_HELP, flowFilter, unknownEnd } from '../../flow/filter-flows.ts';
import type { FlowRecord, FlowVerdict } from '../../flow/flow-record.ts';
import { GROUP_KEYS, groupFlows, unusedRules, type GroupKey } from '../../flow/group-flows.ts';
import { FLOW_FORMATS, flowLines, flowsJson, flowTable, groupLines, groupsJson, groupTable, growingFlowTable, unusedJson, unusedLines, unusedText } from '../../report/flows/flows.ts';
import type { HistoryWords } from '../../history/send/ask-history.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { readInputs } from '../../input/input.ts';
import { hasBase } from '../../input/open-base.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { parseSince } from '../../words/time-words.ts';
import { choiceOf } from '../options/choice.ts';
import { followAgents } from './agent-flows.ts';
import { addFlowSourceOptions, flowSourceOf, noteUnknownEnd, readFlows, timeOf, type FlowOptions } from './flow-source.ts';
import { followFlows } from './follow-flows.ts';
import { followServer } from './follow-server.ts';
import { defineImport } from './import-flows.ts';
import { positiveNumber } from '../options/number-words.ts';
import { once } from '../options/once.ts';

interface FlowsOptions extends InputOptions, FlowOptions {
  readonly lenient?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly port?: string;
  readonly verdict?: FlowVerdict;
  readonly newSince?: string;
  readonly groupBy?: GroupKey;
  readonly unused?: boolean;
  readonly follow?: boolean;
  readonly limit: number;
  readonly output: (typeof FLOW_FORMATS)[number];
}

const VERDICTS = ['allowed', 'denied'] as const;

export function defineFlows(command: Command): void {
  addShowing(command.enablePositionalOptions())
    .option('--verdict <VERDICT>', `one of: ${VERDICTS.join(', ')}`, choiceOf(VERDICTS))
    .option('--unused', 'rules of the policies named with -f, --cluster or --snapshot that none of the flows needed')
    .addHelpText('after', `${HELP}
  bulkhead flows --from shop/web --to 'namespace=data' --port 3306 --verdict denied --since 2h
  bulkhead flows --group-by pair --limit 10
  bulkhead flows --new-since 1d --flows flows.jsonl
  bulkhead flows --unused -f policies --flows flows.jsonl`)
    .action(async (options: FlowsOptions) => {
      process.exitCode = await runFlows(options);
    });
  defineImport(command.command('import').description('Turns the JSON export of Hubble into records of flows, folded by workload, each with the rules that decide it.'));
}

export function defineDenied(command: Command): void {
  addShowing(command)
    .addHelpText('after', `${HELP}
  bulkhead denied --follow
  bulkhead denied --to shop/db --since 1h`)
    .action(async (options: FlowsOptions) => {
      process.exitCode = await runFlows({ ...options, verdict: 'denied' });
    });
}

const HELP = `
Without --flows, --server or --agents, the flows are those of the lab that runs here.
With -f, --cluster or --snapshot each flow is judged by those policies; else it has the rules that were recorded.

Exit status: 0; 2 when a line, a word or the policies could not be understood; 3 no lab runs here, or the cluster or the server says no.

Examples:`;

function addShowing(command: Command): Command {
  return addFlowSourceOptions(addInputOptions(command))
    .option('--from <END>', `who opened: ${FLOW_END_HELP}`, once)
    .option('--to <END>', 'who was asked: the same words', once)
    .option('--port <PORT>', '3306 of whatever protocol, tcp/80, udp/53, 8000-8999, icmp', once)
    .option('--new-since <TIME>', 'only flows never seen before then')
    .option('--group-by <KEY>', `sums of what they have in common, the largest first; one of: ${GROUP_KEYS.join(', ')}`, choiceOf(GROUP_KEYS))
    .option('-F, --follow', 'of a lab, a server or agents: each as it happens, until Ctrl-C')
    .option('--limit <NUMBER>', 'lines of a table; the rest is counted', positiveNumber, 100)
    .option('-o, --output <FORMAT>', `one of: ${FLOW_FORMATS.join(', ')}; jsonl is what --flows reads`, choiceOf(FLOW_FORMATS), 'table');
}

async function runFlows(options: FlowsOptions): Promise<number> {
  const newSinceMs = await timeOf('--new-since', options.newSince);
  const isWanted = flowFilter({ source: options.from, target: options.to, port: options.port, verdict: options.verdict, newSinceMs });
  if (options.follow === true) return await runFollow(options, isWanted);
  const isJudged = options.file !== undefined || hasBase(options);
  if (options.unused === true && options.groupBy !== undefined) throw new UsageError('--unused shows rules, and --group-by sums of flows', 'leave out one of them');
  if (options.unused === true && !isJudged) throw new UsageError('no policies are named', 'name them with -f, --cluster or --snapshot');
  const input = isJudged ? await readInputs(options.file ?? [], options) : undefined;
  if (isJudged && input === undefined) return 2;
  const gathering = await readFlows(options, { keepsReasons: !isJudged, newSinceMs, pods: input?.cluster.pods, words: serverWords(options) });
  if (gathering === undefined) return 2;
  const all = [...(input === undefined ? recordsOf(gathering.table) : judgedRows(input.cluster, gathering.table))];
  for (const end of [options.from, options.to].flatMap((word) => (word === undefined ? [] : (unknownEnd(word, all) ?? [])))) await noteUnknownEnd(end);
  const wanted = all.filter((record) => isWanted(record) && gathering.isNew(record));
  if (input !== undefined && options.unused === true) {
    const unused = wanted.length === 0 ? [] : unusedRules(input.cluster, wanted);
    await writeFormat(options, { table: unusedText(unused, wanted.length), json: unusedJson(unused, wanted.length), lines: unusedLines(unused) });
  } else await writeFlows(wanted, options);
  return 0;
}

/** Of what --unused leaves unsaid, every flow counts. */
function serverWords({ from, to, port, verdict, newSince }: FlowsOptions): HistoryWords {
  return { from, to, port, verdict, newSince: newSince === undefined ? undefined : new Date(parseSince(newSince, Date.now())).toISOString() };
}

async function runFollow(options: FlowsOptions, isWanted: (record: FlowRecord) => boolean): Promise<number> {
  if (options.groupBy !== undefined || options.unused === true || options.file !== undefined || hasBase(options)) throw new UsageError('--follow shows flows as they are recorded', 'leave out --group-by, --unused and the policies');
  if (options.since !== undefined || options.until !== undefined) throw new UsageError('--follow shows what comes from now on', 'leave out --since and --until, or ask for what was without --follow');
  const tableOf = growingFlowTable(terminalOf(process.stdout).style);
  const show = async (records: readonly FlowRecord[]): Promise<void> => {
    if (records.length > 0) await writeAnswer(options.output === 'table' ? [tableOf(records)] : flowLines(records));
  };
  await followSource(options, { isWanted, show });
  return 0;
}

async function followSource(options: FlowsOptions, common: { readonly isWanted: (record: FlowRecord) => boolean; readonly show: (records: readonly FlowRecord[]) => Promise<void> }): Promise<void> {
  const source = flowSourceOf(options);
  switch (source.kind) {
    case 'server':
      return followServer({ server: source.place, words: serverWords(options), ...common });
    case 'agents':
      return followAgents({ place: source.place, ...common });
    case 'lab':
      return followFlows({ pid: source.pid, ...common });
    case 'files':
      throw new UsageError('files do not go on', 'leave out --flows');
  }
}

/** The latest first. */
async function writeFlows(records: readonly FlowRecord[], options: FlowsOptions): Promise<void> {
  const layout = { ...terminalOf(process.stdout), limit: options.limit };
  if (options.groupBy !== undefined) {
    const groups = groupFlows(records, options.groupBy);
    return writeFormat(options, { table: groupTable(groups, layout), json: groupsJson(groups), lines: groupLines(groups) });
  }
  const latest = records.toSorted((a, b) => b.lastSeen - a.lastSeen);
  return writeFormat(options, { table: flowTable(latest, layout), json: flowsJson(latest), lines: flowLines(latest) });
}

interface Formats {
  readonly table: string;
  readonly json: string;
  readonly lines: Iterable<string>;
}

async function writeFormat({ output }: FlowsOptions, { table, json, lines }: Formats): Promise<void> {
  await writeAnswer(output === 'table' ? [table] : output === 'jsonl' ? lines : await dataAnswer(output, [json]));
}
