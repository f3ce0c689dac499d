// `bulkhead lint`: what is wrong or weak in manifests; `--fix` mends it, `--diff` shows how.
import type { Command } from 'commander';
import { hasErrors, sortFindings, type Finding } from '../base/finding.ts';
import { compileCluster } from '../compile/compile.ts';
import { applyEdits, editsOf } from '../lint/apply-edits.ts';
import { lintCluster } from '../lint/lint.ts';
import { readManifests } from '../read/read.ts';
import { countFindings, placeOf, type LineLookup } from '../report/finding-text.ts';
import { printable } from '../report/printable.ts';
import { FINDING_FORMATS, formatFindings } from '../report/report.ts';
import type { Style } from '../report/style.ts';
import { choiceOf } from './choice.ts';
import { dataAnswer } from './data-answer.ts';
import { addEngineOption, engineOf, type EngineOption } from './engine-option.ts';
import { addInputOptions, type InputOptions } from './input-options.ts';
import type { InputFile } from './list-inputs.ts';
import { openBase } from './open-base.ts';
import type { OpenedFiles } from './open-files.ts';
import { writeAnswer, writeNote } from './output.ts';
import { packageVersion } from './package-version.ts';
import { readOptionsOf, wordsOrStdin } from './read-inputs.ts';
import { repairInputs, type RepairedInput } from './repair-inputs.ts';
import { replaceFile } from './replace-file.ts';
import { terminalOf } from './terminal.ts';

const FORMATS = [...FINDING_FORMATS, 'yaml'] as const;

interface LintOptions extends InputOptions, EngineOption {
  readonly fix?: boolean;
  readonly diff?: boolean;
  readonly output: (typeof FORMATS)[number];
}

export function defineLint(command: Command): void {
  addEngineOption(addInputOptions(command.argument('[PATH...]', 'the same as -f')))
    .option('--fix', 'write the repairs into the files; of standard input, print the repaired text')
    .option('--diff', 'show the repairs as a unified diff')
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'text')
    .addHelpText('after', '\nExit status: 0 no errors, or all of them mended by --fix; 1 errors; 2 a file cannot be opened.\n\nExample: bulkhead lint --diff examples/shop')
    .action(async (paths: readonly string[], options: LintOptions) => {
      process.exitCode = await runLint([...(options.file ?? []), ...paths], options);
    });
}

async function runLint(words: readonly string[], options: LintOptions): Promise<number> {
  const engine = await engineOf(options);
  const base = await openBase(options);
  const inputs = repairInputs(base === undefined ? await wordsOrStdin(words) : words);
  const { cluster, findings: textFindings } = readManifests([...inputs.map(({ readFile }) => readFile), ...(base?.readFiles ?? [])], readOptionsOf(options));
  const meaning = lintCluster(cluster, compileCluster(cluster), { engine });
  const findings = sortFindings([...(base?.findings ?? []), ...inputs.flatMap((input) => input.findings), ...textFindings, ...meaning]);
  const mendings = inputs.flatMap((input) => mendingOf(input, textFindings));
  const mended = options.fix === true ? writeMendings(mendings) : [];
  const left = findings.filter((finding) => !mended.includes(finding));
  await writeAnswer(await describe({ inputs, base, mendings, mended, left }, options));
  await writeSummary(left, { mended, mendable: mendings.flatMap((mending) => mending.findings).length - mended.length });
  return hasErrors(left) ? 1 : 0;
}

/** What `--fix` makes of a file: repairs of the text, then what reading it found to be sloppy. What changes a meaning is left to its author. */
interface Mending {
  readonly file: InputFile;
  readonly before: string;
  readonly after: string;
  readonly findings: readonly Finding[];
}

function mendingOf(input: RepairedInput, textFindings: readonly Finding[]): Mending[] {
  const { file, before } = input;
  if (before === undefined) return [];
  const sloppy = textFindings.filter((finding) => finding.file === file.name && finding.edits !== undefined);
  const repairs = input.findings.filter((finding) => finding.edits !== undefined);
  const after = applyEdits(applyEdits(before, editsOf(repairs)), editsOf(sloppy));
  return after === before ? [] : [{ file, before, after, findings: [...repairs, ...sloppy] }];
}

interface Linted {
  readonly inputs: readonly RepairedInput[];
  /** Shown, never mended. */
  readonly base: OpenedFiles | undefined;
  readonly mendings: readonly Mending[];
  readonly mended: readonly Finding[];
  readonly left: readonly Finding[];
}

async function describe({ inputs, base, mendings, mended, left }: Linted, options: LintOptions): Promise<Iterable<string>> {
  const terminal = terminalOf(process.stdout);
  const isStdin = ({ file }: { readonly file: InputFile }): boolean => file.kind === 'stdin';
  // The mended text of standard input is the answer, as of a filter; findings would only be in its way.
  if (options.fix === true && inputs.some(isStdin)) return [mendings.find(isStdin)?.after ?? inputs.find(isStdin)?.before ?? ''];
  if (options.diff === true) {
    const { unifiedDiff } = await import('../report/text-diff.ts');
    return mendings.map(({ file, before, after }) => unifiedDiff({ file: file.name, before, after }, terminal.style));
  }
  const rest = await formatLeft(options.output, left, { ...terminal, lineOf: linesOf(inputs, options.fix === true ? mendings : [], base), version: packageVersion() });
  return options.output === 'text' ? [...mended.map((finding) => mendedLine(finding, terminal.style)), ...rest] : rest;
}

async function formatLeft(format: (typeof FORMATS)[number], left: readonly Finding[], layout: Parameters<typeof formatFindings>[2]): Promise<Iterable<string>> {
  return format === 'yaml' ? dataAnswer(format, formatFindings('json', left, layout)) : formatFindings(format, left, layout);
}

function mendedLine({ file, range, message }: Finding, style: Style): string {
  return `${printable(placeOf(file, range))}: ${style.green('mended')}: ${printable(message)}\n`;
}

/** Lines of the files as they are now, after what was written. */
function linesOf(inputs: readonly RepairedInput[], written: readonly Mending[], base: OpenedFiles | undefined): LineLookup {
  const lines = new Map(inputs.map(({ file, before }) => [file.name, before?.split('\n')]));
  for (const { file, after } of written) lines.set(file.name, after.split('\n'));
  return (file, line) => lines.get(file)?.[line - 1]?.replace(/\r$/, '') ?? base?.lineOf(file, line);
}

function writeMendings(mendings: readonly Mending[]): Finding[] {
  for (const { file, after } of mendings) if (file.kind === 'file') replaceFile(file.name, after);
  return sortFindings(mendings.flatMap(({ findings }) => findings));
}

async function writeSummary(left: readonly Finding[], { mended, mendable }: { readonly mended: readonly Finding[]; readonly mendable: number }): Promise<void> {
  const { style } = terminalOf(process.stderr);
  const words = left.length === 0 ? 'no findings' : countFindings(left);
  const hint = mendable === 0 ? '' : `, ${mendable} of them mended by: bulkhead lint --fix`;
  await writeNote(style.dim(`${mended.length === 0 ? '' : `${mended.length} mended; `}${words}${hint}\n`));
}
