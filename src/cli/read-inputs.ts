// From the words of the command line to a cluster: the path that every verb but `lint` and `demo` takes.
import { fstatSync } from 'node:fs';
import { hasErrors, sortFindings, type Finding } from '../base/finding.ts';
import type { IpRange } from '../base/ip-address.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Program } from '../compile/program.ts';
import { parseRange } from '../analyze/address-words.ts';
import { readManifests, type ReadFile } from '../read/read.ts';
import type { LineLookup } from '../report/finding-text.ts';
import { UsageError } from './failures.ts';
import { fileChunks, keptChunks, shownText } from './file-chunks.ts';
import type { InputOptions } from './input-options.ts';
import { listInputs, type InputFile } from './list-inputs.ts';
import { writeNote } from './output.ts';
import { writeFindings } from './write-findings.ts';

export interface Input {
  readonly cluster: Cluster;
  readonly lineOf: LineLookup;
  /** What was said about the text, and what `lint` says about the meaning. */
  findingsOf(program: Program): Promise<readonly Finding[]>;
}

/** undefined: the input could not be understood; what is wrong with it has been written to stderr. */
export async function readInputs(words: readonly string[], options: InputOptions): Promise<Input | undefined> {
  return readOpened(openFiles(listInputs(await wordsOrStdin(words))), options);
}

export interface OpenedFiles {
  readonly readFiles: readonly ReadFile[];
  readonly lineOf: LineLookup;
}

/** The same for files that are open already. */
export async function readOpened({ readFiles, lineOf }: OpenedFiles, options: InputOptions): Promise<Input | undefined> {
  const { cluster, findings } = readManifests(readFiles, readOptionsOf(options));
  if (hasErrors(findings)) {
    await writeFindings(findings, { lineOf });
    await writeNote('bulkhead: nothing was computed: mend the errors above first; `bulkhead lint --fix` mends what it can\n');
    return undefined;
  }
  const findingsOf = async (program: Program): Promise<readonly Finding[]> => {
    const { lintCluster } = await import('../lint/lint.ts');
    return sortFindings([...findings, ...lintCluster(cluster, program)]);
  };
  return { cluster, lineOf, findingsOf };
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

/** Lines of a file are read again only when one is shown. */
export function openFiles(files: readonly InputFile[]): OpenedFiles {
  const texts = new Map<string, () => string | undefined>();
  const readFiles = files.map((file): ReadFile => {
    if (file.kind === 'file') return { name: file.name, chunks: () => fileChunks(file) };
    const kept = keptChunks(file);
    texts.set(file.name, kept.text);
    return { name: file.name, chunks: kept.chunks };
  });
  const lines = new Map<string, readonly string[]>();
  const lineOf: LineLookup = (file, line) => {
    let known = lines.get(file);
    if (known === undefined) {
      const text = texts.has(file) ? texts.get(file)!() : shownText(file);
      lines.set(file, (known = text?.split(/\r?\n/) ?? []));
    }
    return known[line - 1];
  };
  return { readFiles, lineOf };
}

/** Without a word, manifests that are piped in are read. A socket or a terminal is not: nobody can tell whether anything will come. */
export async function wordsOrStdin(words: readonly string[]): Promise<readonly string[]> {
  if (words.length > 0) return words;
  if (!isPipedIn()) throw new UsageError('nothing to read', 'name manifests with -f FILE or -f DIR, or pipe them in with -f -');
  await writeNote('bulkhead: reading manifests from standard input\n');
  return ['-'];
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
