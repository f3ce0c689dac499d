// `bulkhead diff OLD NEW`: connections gained and lost, not text.
import type { Command } from 'commander';
import type { Finding } from '../../base/finding.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { Program } from '../../compile/program.ts';
import { comparePrograms } from '../../compare/compare.ts';
import { groupChanges } from '../../compare/group-changes.ts';
import { DIFFERENCE_FORMATS, differenceGithub, differenceJson, differenceMarkdown, differenceText, isSame, type Difference } from '../../report/ask/difference.ts';
import { choiceOf } from '../options/choice.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { openRevision } from '../../input/git-files.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { listInputs } from '../../input/list-inputs.ts';
import { hasBase } from '../../input/open-base.ts';
import { joinFiles, openFiles } from '../../input/open-files.ts';
import { openSides, type OpenedSides } from '../../input/open-sides.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { readOpened, type Input } from '../../input/input.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

interface DiffOptions extends InputOptions {
  readonly output: (typeof DIFFERENCE_FORMATS)[number];
  readonly oldRef?: string;
  readonly exitCode?: boolean;
}

export function defineDiff(command: Command): void {
  addInputOptions(command.argument('[PATH...]', 'OLD and NEW: files, folders, snapshots, or the word cluster; with --old-ref, the paths that are compared with themselves; with --cluster, NEW alone: what applying it changes'))
    .option('--old-ref <REF>', 'take OLD from this revision of git: a branch, a tag, a commit')
    .option('--exit-code', 'end with 1 when anything differs')
    .option('-o, --output <FORMAT>', `one of: ${DIFFERENCE_FORMATS.join(', ')}`, choiceOf(DIFFERENCE_FORMATS), 'text')
    .addHelpText('after', `
What is named with -f belongs to both sides.

Exit status: 0; with --exit-code 1 when a connection is gained or lost, or a workload appears or vanishes.

Examples:
  bulkhead diff old/ new/
  bulkhead diff -f workloads/ policies.old.yaml policies.new.yaml
  bulkhead diff --old-ref origin/main manifests/ -o md
  bulkhead diff --cluster manifests/
  bulkhead diff yesterday.json cluster`)
    .action(async (paths: readonly string[], options: DiffOptions) => {
      process.exitCode = await runDiff(paths, options);
    });
}

async function runDiff(paths: readonly string[], options: DiffOptions): Promise<number> {
  const sides = await openSets(paths, options);
  const before = await readOpened(sides.before, options);
  const after = await readOpened(sides.after, options);
  if (before === undefined || after === undefined) return 2;
  const programs = { before: compileCluster(before.cluster), after: compileCluster(after.cluster) };
  const comparison = comparePrograms(programs);
  const difference = { comparison, groups: groupChanges(comparison) };
  const findings = await newFindings({ input: before, program: programs.before }, { input: after, program: programs.after });
  await writeAnswer(await formatDifference(difference, findings, options));
  if (options.output !== 'json' && options.output !== 'yaml') await writeFindings(findings, after);
  return options.exitCode === true && !isSame(difference) ? 1 : 0;
}

async function openSets(paths: readonly string[], options: DiffOptions): Promise<OpenedSides> {
  const { oldRef, file = [] } = options;
  if (oldRef !== undefined) {
    if (hasBase(options)) throw new UsageError('a revision of git and a cluster are two things to compare with', 'leave --old-ref out, or --cluster and --snapshot');
    if (paths.length === 0) throw new UsageError('nothing to compare', 'name the manifests: bulkhead diff --old-ref main manifests/');
    return { before: joinFiles(openRevision(oldRef, paths), openFiles(listInputs(file))), after: openFiles(listInputs([...paths, ...file])) };
  }
  const [old, now, ...more] = paths;
  if (old !== undefined && now === undefined && hasBase(options)) return openSides(undefined, old, options);
  if (old === undefined || now === undefined || more.length > 0) throw new UsageError('two sets of manifests are wanted', 'write bulkhead diff OLD NEW, or --old-ref REF PATH, or --cluster NEW; what belongs to both goes behind -f');
  return openSides(old, now, options);
}

interface Side {
  readonly input: Input;
  readonly program: Program;
}

/** What was weak before as well is not news. */
async function newFindings(before: Side, after: Side): Promise<readonly Finding[]> {
  const key = ({ code, message }: Finding): string => `${code} ${message}`;
  const known = new Set((await before.input.findingsOf(before.program)).map(key));
  return (await after.input.findingsOf(after.program)).filter((finding) => !known.has(key(finding)));
}

async function formatDifference(difference: Difference, findings: readonly Finding[], { output }: DiffOptions): Promise<Iterable<string>> {
  switch (output) {
    case 'text':
      return differenceText(difference, terminalOf(process.stdout).style);
    case 'json':
    case 'yaml':
      return dataAnswer(output, differenceJson(difference, findings));
    case 'md':
      return [differenceMarkdown(difference)];
    case 'github':
      return [differenceGithub(difference)];
  }
}
