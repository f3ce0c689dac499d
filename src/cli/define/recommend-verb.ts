// `bulkhead recommend`: least-privilege policies from what manifests and recorded flows show of who talks to whom.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Finding } from '../../base/finding.ts';
import { compileCluster } from '../../compile/compile.ts';
import { comparePrograms } from '../../compare/compare.ts';
import { groupChanges } from '../../compare/group-changes.ts';
import type { Cluster } from '../../model/cluster.ts';
import { EXACT, type OutsideGrouping } from '../../recommend/ends/address-groups.ts';
import { opennessOf, type Openness } from '../../recommend/proof/openness.ts';
import { recommend, withDrafts, type Recommendation, type RecommendedKind } from '../../recommend/recommend.ts';
import { differenceMarkdown, differenceSummary, differenceText, type Difference } from '../../report/ask/difference.ts';
import { countFindings, findingText } from '../../report/findings/finding-text.ts';
import { recommendationFiles, recommendationJson, recommendationMarkdown, recommendationSentences, recommendationTable, recommendationYaml, RECOMMENDATION_FORMATS } from '../../report/define/recommendation.ts';
import { opennessText } from '../../report/define/recommended-flows.ts';
import { choiceOf } from '../options/choice.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { listInputs } from '../../input/list-inputs.ts';
import { addFlowOptions, namesFlows, readFlows, type FlowOptions } from '../flows/flow-source.ts';
import { runEdits } from './edit-recommended.ts';
import { maskedLines } from './masked-lines.ts';
import { pathBelow, writeWhole } from './write-whole.ts';
import { openFiles } from '../../input/open-files.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { hasBase } from '../../input/open-base.ts';
import { openInputs, readOpened, wordsOrStdin, type Input } from '../../input/input.ts';
import { terminalOf } from '../../terminal/terminal.ts';

interface RecommendVerbOptions extends InputOptions, Pick<FlowOptions, 'flows' | 'since'> {
  readonly as: RecommendedKind;
  readonly outside: OutsideGrouping;
  readonly withDenied?: boolean;
  readonly output: (typeof RECOMMENDATION_FORMATS)[number];
  readonly onlyDecided?: boolean;
  readonly write?: string;
  readonly fix?: boolean;
  readonly diff?: boolean;
  readonly removeUnused?: number;
}

const KINDS: readonly RecommendedKind[] = ['NetworkPolicy', 'ClusterNetworkPolicy'];

export function defineRecommend(command: Command): void {
  addFlowOptions(addInputOptions(command.argument('[PATH...]', 'the same as -f')))
    .addOption(new Option('--outside <WIDTH>', 'with --flows, how wide a rule for addresses may be: exact, /24 (of IPv6 /64), /24,/48, names: one rule for the addresses of a DNS name, or domain-names: with --as ClusterNetworkPolicy, a rule for the name itself').argParser(parseOutside).default(EXACT, 'exact'))
    .option('--with-denied', 'with --flows, grant what was refused as well')
    .option('-o, --output <FORMAT>', `one of: ${RECOMMENDATION_FORMATS.join(', ')}`, choiceOf(RECOMMENDATION_FORMATS), 'yaml')
    .option('--only-decided', 'leave out the rules that somebody has to decide on; they are listed all the same')
    .option('--as <KIND>', `kind of the policies: ${KINDS.join(' or ')}, which judges who comes from pods alone`, choiceOf(KINDS), 'NetworkPolicy')
    .option('--write <DIR>', 'write each policy into a file of its own, DIR/NAMESPACE/NAME.yaml, or DIR/NAME.yaml of a kind without namespaces')
    .option('--fix', 'with --flows, add to the policies of the files what the flows need and no more; a workload without one of its own gets a new file, below --write or beside the policy that isolates it')
    .option('--diff', 'show what --fix would write, as a unified diff, and write nothing')
    .option('--remove-unused <DAYS>', 'with --fix or --diff, take away the rules of NetworkPolicies that no recorded flow needs, and of the others the peers and ports, where every workload below was seen for DAYS days with nothing new', parseDays)
    .addHelpText('after', `
Read are the environment, commands, arguments and probes of containers, ConfigMaps, Services, Ingresses, annotations
and monitors. Values of Secrets are never read. NetworkPolicies of the input are not counted on: what the new ones
allow otherwise is said beside them. With --flows, policies are for what was recorded; with manifests beside them, for both, and
each rule says which of the two shows it. With --cluster or --snapshot, flows alone are asked, of the workloads there.

Exit status: 0; 2 when the input could not be understood.

Examples:
  bulkhead recommend -f manifests > policies.yaml
  bulkhead recommend -f manifests -o table
  helm template shop charts/shop | bulkhead recommend -f - --pod-cidr 10.244.0.0/16
  bulkhead recommend --flows flows.jsonl --outside /24 > policies.yaml
  bulkhead recommend -f manifests --flows flows.jsonl -o table
  bulkhead recommend -f manifests --flows flows.jsonl --diff
  bulkhead recommend -f manifests --flows flows.jsonl --diff --remove-unused 30`)
    .action(async (paths: readonly string[], options: RecommendVerbOptions) => {
      process.exitCode = await runRecommend(paths, options);
    });
}

async function runRecommend(paths: readonly string[], options: RecommendVerbOptions): Promise<number> {
  const words = [...(options.file ?? []), ...paths];
  const isEdit = options.fix === true || options.diff === true;
  if (isEdit && !namesFlows(options)) throw new UsageError('policies are edited for recorded flows, and none are named', 'name them with --flows');
  if (!isEdit && options.removeUnused !== undefined) throw new UsageError('rules are taken away from the policies of files', 'use --diff to see it, or --fix');
  if (isEdit && options.as !== 'NetworkPolicy') throw new UsageError('edits are made in NetworkPolicies alone', 'leave --as out');
  if (options.outside.kind === 'domain-names' && options.as !== 'ClusterNetworkPolicy') throw new UsageError('a NetworkPolicy cannot name a DNS name', 'use --as ClusterNetworkPolicy, or --outside names');
  const input = await readInput(words, options);
  const gathering = input === undefined || !namesFlows(options) ? undefined : await readFlows(options);
  if (input === undefined || (namesFlows(options) && gathering === undefined)) return 2;
  if (isEdit && gathering !== undefined) {
    await runEdits(input, words, options, { table: gathering.table, outside: options.outside, withDenied: options.withDenied === true, onlyDecided: options.onlyDecided === true });
    return 0;
  }
  const flows = gathering === undefined ? {} : { flows: { table: gathering.table, outside: options.outside, withDenied: options.withDenied === true } };
  const recommendation = recommend(input.cluster, input.written, { onlyDecided: options.onlyDecided === true, kind: options.as, ...flows });
  // Kinds that take no part in other answers may well have taken part in this one.
  const textFindings = input.textFindings.filter(({ code }) => code !== 'object-not-read');
  const known = recommendation.flows?.cluster ?? input.cluster;
  const difference = known.policies.length === 0 ? undefined : differenceOf(known, recommendation);
  const openness = recommendation.flows === undefined ? undefined : opennessBeside(known, recommendation);
  const layout = { options, textFindings, difference, openness };
  if (options.write === undefined) await writeAnswer(format(recommendation, layout));
  else await writeFiles(options.write, recommendation);
  if (options.output !== 'json') await writeRecommendFindings([...textFindings, ...recommendation.findings], input);
  if (options.output === 'yaml' || options.write !== undefined) {
    if (difference !== undefined) await writeNote(`bulkhead: in place of the policies of the input: ${differenceSummary(difference)}; -o table shows them\n`);
    if (openness !== undefined) await writeNote(`bulkhead: ${opennessText(openness.before, openness.after)}\n`);
  }
  return 0;
}

/** Flows need no manifests beside them; what a cluster keeps of its own shows no connections. */
async function readInput(words: readonly string[], options: RecommendVerbOptions): Promise<Input | undefined> {
  const hasFlows = namesFlows(options);
  if (hasBase(options) && !hasFlows) throw new UsageError('a cluster and a snapshot keep no texts that show who talks to whom', 'name manifests with -f, or recorded flows with --flows');
  if (words.includes('-') && options.flows?.includes('-') === true) throw new UsageError('standard input cannot be both flows and manifests', 'write one of them into a file');
  if (hasBase(options)) return readOpened(await openInputs(words, options), { ...options, keepsWritten: words.length > 0 });
  const files = hasFlows ? words : await wordsOrStdin(words, options);
  return readOpened(openFiles(listInputs(files)), { ...options, keepsWritten: true });
}

function parseDays(word: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(word)) throw new InvalidArgumentError('A number of days, 1 at least.');
  return Number(word);
}

/** `exact`, `/24`, `/24,/48`, `names`. */
function parseOutside(word: string): OutsideGrouping {
  if (word === 'exact') return EXACT;
  if (word === 'names' || word === 'domain-names') return { kind: word };
  const lengths = /^\/([0-9]{1,2})(?:,\/([0-9]{1,3}))?$/.exec(word);
  const [four, six] = [Number(lengths?.[1] ?? 99), Number(lengths?.[2] ?? 64)];
  if (lengths === null || four > 32 || six > 128) throw new InvalidArgumentError('One of: exact, names, domain-names, a length of prefixes such as /24, or two for both families such as /24,/48.');
  return { kind: 'prefix', bits: { 4: four, 6: six } };
}

function opennessBeside(cluster: Cluster, recommendation: Recommendation): Layout['openness'] {
  return { before: opennessOf(compileCluster(cluster)), after: opennessOf(compileCluster(withDrafts(cluster, recommendation))) };
}

/** The policies of the input on the one side, the recommended ones in their place on the other. */
function differenceOf(cluster: Cluster, recommendation: Recommendation): Difference {
  const comparison = comparePrograms({ before: compileCluster(cluster), after: compileCluster(withDrafts(cluster, recommendation)) });
  return { comparison, groups: groupChanges(comparison) };
}

interface Layout {
  readonly options: RecommendVerbOptions;
  readonly textFindings: readonly Finding[];
  readonly difference: Difference | undefined;
  readonly openness: { readonly before: Openness; readonly after: Openness } | undefined;
}

function* format(recommendation: Recommendation, { options, textFindings, difference, openness }: Layout): Generator<string> {
  const { style } = terminalOf(process.stdout);
  switch (options.output) {
    case 'yaml':
      yield* recommendationYaml(recommendation);
      return;
    case 'json':
      yield recommendationJson(recommendation, { textFindings, difference, openness });
      return;
    case 'table':
      yield recommendationTable(recommendation, style);
      if (openness !== undefined) yield `\n${opennessText(openness.before, openness.after)}\n`;
      if (difference === undefined) return;
      yield '\nIn place of the policies of the input:\n\n';
      yield* differenceText(difference, style);
      return;
    case 'md':
      yield recommendationMarkdown(recommendation);
      if (difference !== undefined) yield `\nIn place of the policies of the input:\n\n${differenceMarkdown(difference)}`;
  }
}

async function writeFiles(folder: string, recommendation: Recommendation): Promise<void> {
  const files = recommendationFiles(recommendation).map(({ path, text }) => ({ path: pathBelow(folder, path), text }));
  for (const { path, text } of files) writeWhole(path, text);
  await writeNote(`${recommendationSentences(recommendation).join('\n')}\nbulkhead: wrote ${recommendation.drafts.length} policies below ${folder}\n`);
}

/** Findings printed in full; -o json has all of them. */
const SHOWN_MAX = 50;

async function writeRecommendFindings(findings: readonly Finding[], { lineOf }: Input): Promise<void> {
  const layout = { ...terminalOf(process.stderr), lineOf: maskedLines(lineOf) };
  for (const finding of findings.slice(0, SHOWN_MAX)) await writeNote(findingText(finding, layout));
  const rest = findings.slice(SHOWN_MAX);
  if (rest.length > 0) await writeNote(`and ${countFindings(rest)}: -o json lists them\n`);
}
