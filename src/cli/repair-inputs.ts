// Texts of manifests, repaired where they are broken: for `lint`, and for `demo`, which works on the repaired copy.
import type { Finding } from '../base/finding.ts';
import { repairText } from '../lint/repair-text.ts';
import type { ReadFile } from '../read/read.ts';
import { decodeUtf8, joinBytes } from '../read/utf8.ts';
import { fileChunks } from './file-chunks.ts';
import { listInputs, type InputFile } from './list-inputs.ts';

/** One input, held in memory: texts to be repaired come from people. */
export interface RepairedInput {
  readonly file: InputFile;
  /** undefined: not UTF-8, so the bytes are read as they are and nothing is repaired. */
  readonly before: string | undefined;
  /** What is read: the repaired text, or of prose its manifests. */
  readonly after: string | undefined;
  readonly isChanged: boolean;
  readonly findings: readonly Finding[];
  readonly readFile: ReadFile;
}

/** Throws UnreadableInput for a file that cannot be opened. Writes nothing. */
export function repairInputs(words: readonly string[]): RepairedInput[] {
  return listInputs(words).map(repairInput);
}

function repairInput(file: InputFile): RepairedInput {
  const bytes = joinBytes([...fileChunks(file)]);
  const before = decodeUtf8(bytes);
  if (before === undefined) {
    return { file, before, after: undefined, isChanged: false, findings: [], readFile: { name: file.name, chunks: () => [bytes] } };
  }
  const { text: after, findings, isChanged } = repairText(file.name, before);
  return { file, before, after, isChanged, findings, readFile: { name: file.name, chunks: () => [Buffer.from(after)] } };
}
