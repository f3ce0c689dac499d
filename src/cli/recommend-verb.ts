// `bulkhead recommend`: least-privilege policies from what the manifests show of who talks to whom.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Finding } from '../base/finding.ts';
import { compileCluster } from '../compile/compile.ts';
import { comparePrograms } from '../compare/compare.ts';
import { groupChanges } from '../compare/group-changes.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import { recommend, type Recommendation } from '../recommend/recommend.ts';
import { differenceMarkdown, differenceSummary, differenceText, type Difference } from '../report/difference.ts';
import { countFindings, findingText } from '../report/finding-text.ts';
import { recommendationFiles, recommendationJson, recommendationMarkdown, recommendationSentences, recommendationTable, recommendationYaml, RECOMMENDATION_FORMATS } from '../report/recommendation.ts';
import { choiceOf } from './choice.ts';
import { UsageError } from '../terminal/failures.ts';
import { addFileOptions, type InputOptions } from '../input/input-options.ts';
import { listInputs, systemWords } from '../input/list-inputs.ts';
import { maskedLines } from './masked-lines.ts';
import { openFiles } from '../input/open-files.ts';
import { writeAnswer, writeNote } from '../terminal/output.ts';
import { readOpened, wordsOrStdin, type Input } from '../input/input.ts';
import { replaceFile } from '../input/replace-file.ts';
import { terminalOf } from '../terminal/terminal.ts';

interface RecommendVerbOptions extends InputOptions {
  readonly output: (typeof RECOMMENDATION_FORMATS)[number];
  readonly onlyDecided?: boolean;
  readonly write?: string;
}

export function defineRecommend(command: Command): void {
  addFileOptions(command.argument('[PATH...]', 'the same as -f'))
    .option('-o, --output <FORMAT>', `one of: ${RECOMMENDATION_FORMATS.join(', ')}`, choiceOf(RECOMMENDATION_FORMATS), 'yaml')
    .option('--only-decided', 'leave out the rules that somebody has to decide on; they are listed all the same')
    .option('--write <DIR>', 'write each policy into a file of its own, DIR/NAMESPACE/NAME.yaml')
    .addHelpText('after', `
Read are the environment, commands, arguments and probes of containers, ConfigMaps, Services, Ingresses, annotations
and monitors. Values of Secrets are never read. NetworkPolicies of the input are not counted on: what the new ones
allow otherwise is said beside them.

Exit status: 0; 2 when the input could not be understood.

Examples:
  bulkhead recommend -f manifests > policies.yaml
  bulkhead recommend -f manifests -o table
  helm template shop charts/shop | bulkhead recommend -f - --pod-cidr 10.244.0.0/16`)
    .action(async (paths: readonly string[], options: RecommendVerbOptions) => {
      process.exitCode = await runRecommend(paths, options);
    });
}

async function runRecommend(paths: readonly string[], options: RecommendVerbOptions): Promise<number> {
  const words = await wordsOrStdin([...(options.file ?? []), ...paths], options);
  const input = await readOpened(openFiles(listInputs(words)), { ...options, keepsWritten: true });
  if (input === undefined) return 2;
  const recommendation = recommend(input.cluster, input.written, { onlyDecided: options.onlyDecided === true });
  // Kinds that take no part in other answers may well have taken part in this one.
  const textFindings = input.textFindings.filter(({ code }) => code !== 'object-not-read');
  const difference = input.cluster.policies.length === 0 ? undefined : differenceOf(input, recommendation);
  if (options.write === undefined) await writeAnswer(format(recommendation, { options, textFindings, difference }));
  else await writeFiles(options.write, recommendation);
  if (options.output !== 'json') await writeRecommendFindings([...textFindings, ...recommendation.findings], input);
  if (difference !== undefined && (options.output === 'yaml' || options.write !== undefined)) await writeNote(`bulkhead: in place of the policies of the input: ${differenceSummary(difference)}; -o table shows them\n`);
  return 0;
}

/** The policies of the input on the one side, the recommended ones in their place on the other. */
function differenceOf({ cluster }: Input, { drafts }: Recommendation): Difference {
  const policies = drafts.map(({ policy }) => policy as NetworkPolicy); // a recommendation drafts no other kind
  const comparison = comparePrograms({ before: compileCluster(cluster), after: compileCluster({ ...cluster, policies }) });
  return { comparison, groups: groupChanges(comparison) };
}

interface Layout {
  readonly options: RecommendVerbOptions;
  readonly textFindings: readonly Finding[];
  readonly difference: Difference | undefined;
}

function* format(recommendation: Recommendation, { options, textFindings, difference }: Layout): Generator<string> {
  const { style } = terminalOf(process.stdout);
  switch (options.output) {
    case 'yaml':
      yield* recommendationYaml(recommendation);
      return;
    case 'json':
      yield recommendationJson(recommendation, { textFindings, difference });
      return;
    case 'table':
      yield recommendationTable(recommendation, style);
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
  for (const { path, text } of recommendationFiles(recommendation)) writeWhole(join(folder, path), text);
  await writeNote(`${recommendationSentences(recommendation).join('\n')}\nbulkhead: wrote ${recommendation.drafts.length} policies below ${folder}\n`);
}

function writeWhole(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '', { flag: 'a' });
  } catch (error) {
    throw new UsageError(`cannot write \`${path}\`: ${systemWords(error)}`);
  }
  replaceFile(path, text);
}

/** Findings printed in full; -o json has all of them. */
const SHOWN_MAX = 50;

async function writeRecommendFindings(findings: readonly Finding[], { lineOf }: Input): Promise<void> {
  const layout = { ...terminalOf(process.stderr), lineOf: maskedLines(lineOf) };
  for (const finding of findings.slice(0, SHOWN_MAX)) await writeNote(findingText(finding, layout));
  const rest = findings.slice(SHOWN_MAX);
  if (rest.length > 0) await writeNote(`and ${countFindings(rest)}: -o json lists them\n`);
}
