// `bulkhead lint`: what is wrong or weak in manifests; `--fix` mends it, `--diff` shows how.
import type { Command } from 'commander';
import { hasErrors, sortFindings, type Finding } from '../../base/finding.ts';
import { readManifests } from '../../read/read.ts';
import { compileCluster } from '../../compile/compile.ts';
import { countMendable, countProposals, mendForm, type EditedTexts, type EditState, type LintTexts } from '../../mend/prove-edits.ts';
import { saysWhoCalls } from '../../lint/callers/callers.ts';
import { lintCluster } from '../../lint/lint.ts';
import { countFindings, placeOf, type LineLookup } from '../../report/findings/finding-text.ts';
import { printable } from '../../report/text/printable.ts';
import { FINDING_FORMATS, formatFindings } from '../../report/report.ts';
import type { Style } from '../../report/text/style.ts';
import { answerProposals, answersOf } from './answer-proposals.ts';
import { choiceOf } from '../options/choice.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { addEngineOption, engineOf, type EngineOption } from '../options/engine-option.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { openLetBe } from '../../input/let-be.ts';
import type { InputFile } from '../../input/list-inputs.ts';
import { openBase } from '../../input/open-base.ts';
import type { OpenedFiles } from '../../input/open-files.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { packageVersion } from '../package-version.ts';
import { readOptionsOf, wordsOrStdin } from '../../input/input.ts';
import { placedAsWritten, readFileOf, repairInputs, textsOf, type RepairedInput } from '../../input/repair-inputs.ts';
import { replaceFile } from '../../input/replace-file.ts';
import { openSettings } from '../../input/settings-file.ts';
import { terminalOf } from '../../terminal/terminal.ts';

const FORMATS = [...FINDING_FORMATS, 'yaml'] as const;

interface LintOptions extends InputOptions, EngineOption {
  readonly fix?: boolean;
  readonly diff?: boolean;
  readonly yes?: boolean;
  readonly languageServer?: boolean;
  readonly output: (typeof FORMATS)[number];
}

export function defineLint(command: Command): void {
  addEngineOption(addInputOptions(command.argument('[PATH...]', 'the same as -f')))
    .option('--fix', 'write what is proven to mend into the files, and ask before what changes a meaning; of standard input, print it')
    .option('--diff', 'show what --fix would write, as a unified diff, and write nothing')
    .option('--yes', 'do not ask: make the edits that change a meaning as well')
    .option('--language-server', 'serve findings to an editor over the Language Server Protocol on standard input and output')
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'text')
    .addHelpText('after', '\nExit status: 0 no errors, or all of them mended by --fix; 1 errors; 2 a file cannot be opened.\n\nExample: bulkhead lint --diff examples/shop')
    .action(async (paths: readonly string[], options: LintOptions) => {
      process.exitCode = await runLint([...(options.file ?? []), ...paths], options);
    });
}

async function runLint(words: readonly string[], options: LintOptions): Promise<number> {
  const settings = await openSettings(options);
  const engine = await engineOf(options);
  if (options.languageServer === true) {
    const { serveLanguage } = await import('./language-server.ts');
    await serveLanguage({ words: words.length > 0 ? words : (settings?.inputs ?? []), flows: settings?.flows ?? [], lint: { engine, settings, ...readOptionsOf(options) } });
    return 0;
  }
  const base = await openBase({ ...options, withCallers: true });
  const inputs = repairInputs(base === undefined ? await wordsOrStdin(words, options) : words);
  const letBe = await openLetBe(settings, inputs);
  const lintTexts: LintTexts = (texts) => {
    const { cluster, findings, written } = readManifests([...inputs.map((input) => readFileOf(input, texts)), ...(base?.readFiles ?? [])], { ...readOptionsOf(options), keepsWritten: saysWhoCalls });
    return { cluster, findings: sortFindings(letBe.ofMeaning([...findings, ...lintCluster(cluster, compileCluster(cluster), { engine, written })], texts)) };
  };
  const texts = textsOf(inputs);
  const start: EditState = { texts, linted: lintTexts(texts) };
  const mending = options.fix === true || options.diff === true ? await mendInputs(start, lintTexts, options) : undefined;
  const changes = mending === undefined ? [] : changesOf(inputs, mending.state.texts);
  if (options.fix === true) for (const { file, after } of changes) if (file.kind === 'file') replaceFile(file.name, after);
  const linted: Linted = { inputs: inputs.map((input) => ({ ...input, findings: letBe.ofText(input.findings) })), base, start, mending: options.fix === true ? mending : undefined, changes };
  const left = findingsLeft(linted);
  await writeAnswer(await describe(linted, left, options));
  await writeSummary(left, linted, options);
  return hasErrors(left) ? 1 : 0;
}

interface Mending {
  readonly state: EditState;
  /** What vanished by edits of findings; repairs of the text apart. */
  readonly findings: readonly Finding[];
}

async function mendInputs(start: EditState, lintTexts: LintTexts, options: LintOptions): Promise<Mending> {
  const form = mendForm(start, lintTexts);
  const answered = await answerProposals(form.state, lintTexts, options.fix === true || options.yes === true ? answersOf(options) : 'none');
  return { state: answered.state, findings: [...form.findings, ...answered.made] };
}

interface Linted {
  readonly inputs: readonly RepairedInput[];
  /** Shown, never mended. */
  readonly base: OpenedFiles | undefined;
  readonly start: EditState;
  /** What `--fix` has written. */
  readonly mending: Mending | undefined;
  /** What it has written, or `--diff` shows. */
  readonly changes: readonly FileChange[];
}

interface FileChange {
  readonly file: InputFile;
  readonly before: string;
  readonly after: string;
}

function changesOf(inputs: readonly RepairedInput[], texts: EditedTexts): FileChange[] {
  return inputs.flatMap(({ file, before }) => {
    const after = texts.get(file.name)?.whole;
    return before === undefined || after === undefined || after === before ? [] : [{ file, before, after }];
  });
}

function isRepair({ edits }: Finding): boolean {
  return edits !== undefined;
}

function findingsLeft({ inputs, base, start, mending }: Linted): Finding[] {
  const ofTexts = inputs.flatMap(({ findings }) => findings);
  const shown = mending === undefined ? [...ofTexts, ...placedAsWritten(inputs, start.linted.findings)] : [...ofTexts.filter((finding) => !isRepair(finding)), ...mending.state.linted.findings];
  return sortFindings([...(base?.findings ?? []), ...shown]);
}

function mendedOf({ inputs, mending }: Linted): readonly Finding[] {
  return mending === undefined ? [] : sortFindings([...inputs.flatMap(({ findings }) => findings.filter(isRepair)), ...mending.findings]);
}

async function describe(linted: Linted, left: readonly Finding[], options: LintOptions): Promise<Iterable<string>> {
  const { inputs, base, mending, changes } = linted;
  const terminal = terminalOf(process.stdout);
  const stdin = inputs.find(({ file }) => file.kind === 'stdin');
  // The mended text of standard input is the answer, as of a filter; findings would only be in its way.
  if (mending !== undefined && stdin !== undefined) return [printedText(stdin, mending.state.texts)];
  const { unifiedDiff } = await import('../../report/text/text-diff.ts');
  const diffs = changes.map(({ file, before, after }) => unifiedDiff({ file: file.name, before, after }, terminal.style));
  if (options.diff === true) return diffs;
  const rest = await formatLeft(options.output, left, { ...terminal, lineOf: linesOf(inputs, mending === undefined ? [] : changes, base), version: packageVersion(), files: inputs.map(({ file }) => file.name) });
  return options.output === 'text' ? [...mendedOf(linted).map((finding) => mendedLine(finding, terminal.style)), ...diffs, ...rest] : rest;
}

/** Of prose the manifests alone, so that kubectl takes it. */
function printedText({ file, before, after }: RepairedInput, texts: EditedTexts): string {
  const text = texts.get(file.name);
  if (text === undefined) return before ?? '';
  const isCut = text.whole !== text.manifests || before !== after;
  return isCut ? `${text.manifests.replace(/^\s*\n/, '').trimEnd()}\n` : text.whole;
}

async function formatLeft(format: (typeof FORMATS)[number], left: readonly Finding[], layout: Parameters<typeof formatFindings>[2]): Promise<Iterable<string>> {
  return format === 'yaml' ? dataAnswer(format, formatFindings('json', left, layout)) : formatFindings(format, left, layout);
}

function mendedLine({ file, range, message }: Finding, style: Style): string {
  return `${printable(placeOf(file, range))}: ${style.green('mended')}: ${printable(message)}\n`;
}

/** Lines of the files as they are now, after what was written. */
function linesOf(inputs: readonly RepairedInput[], written: readonly FileChange[], base: OpenedFiles | undefined): LineLookup {
  const lines = new Map(inputs.map(({ file, before }) => [file.name, before?.split('\n')]));
  for (const { file, after } of written) lines.set(file.name, after.split('\n'));
  return (file, line) => lines.get(file)?.[line - 1]?.replace(/\r$/, '') ?? base?.lineOf(file, line);
}

async function writeSummary(left: readonly Finding[], linted: Linted, options: LintOptions): Promise<void> {
  const { style } = terminalOf(process.stderr);
  const { inputs, start, mending } = linted;
  const mended = mendedOf(linted);
  const repairs = inputs.flatMap(({ findings }) => findings.filter(isRepair));
  const mendable = mending === undefined ? repairs.length + countMendable(start) : 0;
  const waiting = countProposals((mending ?? { state: start }).state);
  const words = left.length === 0 ? 'no findings' : countFindings(left);
  const hint = mendable === 0 ? '' : `, ${mendable} of them mended by: bulkhead lint --fix`;
  const asked = mending === undefined || waiting === 0 ? '' : `; ${waitingText(waiting, options)}`;
  await writeNote(style.dim(`${mended.length === 0 ? '' : `${mended.length} mended; `}${words}${hint}${asked}\n`));
}

/** With `--yes`, what is left could not be proven. */
function waitingText(count: number, { yes }: LintOptions): string {
  const [edits, are, them] = count === 1 ? ['edit', 'is', 'it'] : ['edits', 'are', 'them'];
  if (yes === true) return `${count} ${edits} ${are} not made, for ${count === 1 ? 'it' : 'each'} would bring another finding`;
  return `${count} ${edits} ${count === 1 ? 'changes' : 'change'} what policies mean and ${are} not made: --yes makes ${them}`;
}
