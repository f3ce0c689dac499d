// From the words of the command line to a cluster: the path that every verb but `lint` and `demo` takes.
import { fstatSync } from 'node:fs';
import { hasErrors, sortFindings, type Finding } from '../base/finding.ts';
import type { IpRange } from '../base/ip-address.ts';
import { parseRange } from '../base/range-text.ts';
import type { Cluster } from '../model/cluster.ts';
import { readManifests } from '../read/read.ts';
import type { WrittenObject } from '../read/values/written-object.ts';
import type { Program } from '../compile/program.ts';
import type { LintOptions } from '../lint/checks/lint-meaning.ts';
import type { LineLookup } from '../report/findings/finding-text.ts';
import { UsageError } from '../terminal/failures.ts';
import type { InputOptions } from './input-options.ts';
import { listInputs } from './list-inputs.ts';
import { openBase, type BaseOptions } from './open-base.ts';
import { joinFiles, openFiles, type OpenedFiles } from './open-files.ts';
import { writeNote } from '../terminal/output.ts';
import { openSettings, SETTINGS_NAME, type SettingsOption } from './settings-file.ts';
import { writeFindings } from '../terminal/write-findings.ts';

export interface Input {
  readonly cluster: Cluster;
  readonly lineOf: LineLookup;
  /** The objects of the files as they were written; empty unless they were asked for. */
  readonly written: readonly WrittenObject[];
  /** Whether an object says in which namespace it stands. */
  readonly namesNamespaces: boolean;
  /** What was said about the text. */
  readonly textFindings: readonly Finding[];
  /** What was said about the text, and what `lint` says about the meaning, as the settings file lets it be. */
  findingsOf(program: Program, options?: LintOptions): Promise<readonly Finding[]>;
}

/** undefined: the input could not be understood; what is wrong with it has been written to stderr. */
export async function readInputs(words: readonly string[], options: InputOptions): Promise<Input | undefined> {
  return readOpened(await openInputs(words, options), options);
}

/** The files that are named; with `--cluster` or `--snapshot`, applied onto that, and none need be named. */
export async function openInputs(words: readonly string[], options: BaseOptions): Promise<OpenedFiles> {
  const base = await openBase(options);
  if (base === undefined) return openFiles(listInputs(await wordsOrStdin(words, options)));
  return joinFiles(openFiles(listInputs(words)), base);
}

/** The same for files that are open already. */
export async function readOpened({ readFiles, lineOf, findings: before = [] }: OpenedFiles, options: InputOptions & { readonly keepsWritten?: boolean }): Promise<Input | undefined> {
  const { cluster, written, namesNamespaces, findings: textFindings } = readManifests(readFiles, { ...readOptionsOf(options), keepsWritten: options.keepsWritten ?? false });
  const findings = [...before, ...textFindings];
  if (hasErrors(findings)) {
    await writeFindings(findings, { lineOf });
    await writeNote('bulkhead: nothing was computed: mend the errors above first; `bulkhead lint --fix` mends what it can\n');
    return undefined;
  }
  const settings = await openSettings(options);
  const findingsOf = async (program: Program, lintOptions?: LintOptions): Promise<readonly Finding[]> => {
    const { lintAnswer } = await import('../lint/checks/lint-meaning.ts');
    const all = sortFindings([...findings, ...lintAnswer(cluster, program, lintOptions)]);
    return settings === undefined ? all : (await import('../lint/settings/settings.ts')).letBe(all, settings);
  };
  return { cluster, lineOf, written, namesNamespaces, textFindings: findings, findingsOf };
}

export interface ReadOptionsOfWords {
  readonly defaultNamespace?: string;
  readonly lenient?: boolean;
  readonly podRanges?: readonly IpRange[];
}

export function readOptionsOf({ namespace, lenient, podCidr }: InputOptions): ReadOptionsOfWords {
  return {
    ...(namespace === undefined ? {} : { defaultNamespace: namespace }),
    ...(lenient === undefined ? {} : { lenient }),
    ...(podCidr === undefined ? {} : { podRanges: podCidr.map(podRange) }),
  };
}

/** Without a word, what the settings file names is read, else manifests that are piped in. A socket or a terminal is not: nobody can tell whether anything will come. */
export async function wordsOrStdin(words: readonly string[], options: SettingsOption): Promise<readonly string[]> {
  if (words.length > 0) return words;
  const inputs = await inputsOfSettings(options);
  if (inputs.length > 0) return inputs;
  if (!isPipedIn()) throw new UsageError('nothing to read', 'name manifests with -f FILE or -f DIR, or pipe them in with -f -');
  await writeNote('bulkhead: reading manifests from standard input\n');
  return ['-'];
}

/** Empty where there is no such file, or it names none. */
export async function inputsOfSettings(options: SettingsOption): Promise<readonly string[]> {
  const inputs = (await openSettings(options))?.inputs ?? [];
  if (inputs.length > 0) await writeNote(`bulkhead: reading ${inputs.join(', ')}, as ${options.config ?? SETTINGS_NAME} says\n`);
  return inputs;
}

function isPipedIn(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile();
  } catch {
    return false; // closed
  }
}

function podRange(word: string): IpRange {
  const range = parseRange(word);
  if (range === undefined || !word.includes('/')) throw new UsageError(`\`${word}\` is no CIDR`, 'write --pod-cidr 10.244.0.0/16');
  return range;
}
