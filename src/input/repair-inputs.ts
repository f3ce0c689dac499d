// Texts of manifests, repaired where they are broken: for `lint`, and for `demo`, which works on the repaired copy.
import type { Finding } from '../base/finding.ts';
import { sourceFromText, type ReadFile } from '../read/read.ts';
import { decodeUtf8, joinBytes } from '../read/text/utf8.ts';
import { applyEdits, editsOf, moveFinding, placeBefore } from '../mend/apply-edits.ts';
import type { EditedTexts } from '../mend/prove-edits.ts';
import { repairText } from '../mend/repair-text.ts';
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

/** What edits begin with: each text repaired, and of prose the manifests in it. */
export function textsOf(inputs: readonly RepairedInput[]): EditedTexts {
  const texts = inputs.flatMap(({ file, before, after, findings }) => {
    if (before === undefined || after === undefined) return [];
    return [[file.name, { whole: applyEdits(before, editsOf(findings)), manifests: after }] as const];
  });
  return new Map(texts);
}

/** The input as edited, or as it is where nothing can be edited. */
export function readFileOf({ file, readFile }: RepairedInput, texts: EditedTexts): ReadFile {
  const text = texts.get(file.name);
  return text === undefined ? readFile : sourceFromText(file.name, text.manifests);
}

/** Findings about repaired texts, at the places where the files have what they are about. */
export function placedAsWritten(inputs: readonly RepairedInput[], findings: readonly Finding[]): readonly Finding[] {
  const places = new Map(inputs.flatMap(({ file, before, isChanged, findings: own }) => (isChanged && before !== undefined ? [[file.name, placeBefore(before, editsOf(own))] as const] : [])));
  return findings.map((finding) => {
    const place = places.get(finding.file ?? '');
    return place === undefined ? finding : moveFinding(finding, place);
  });
}
