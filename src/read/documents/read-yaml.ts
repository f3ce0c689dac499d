// Reads YAML as kubectl does, document by document, and gives the objects in it one by one.
import { addInvalidUtf8, addTooLarge, type Reading } from './document-reading.ts';
import { looseObjects, type LooseObject } from '../values/loose-object.ts';
import { isListPiece, parseSingle, withoutMark, YamlListReader } from './read-yaml-list.ts';
import { splitYaml, type YamlDocumentPiece } from '../text/split-yaml.ts';
import { TextDocument } from '../text/text-document.ts';
import { addTextProblem } from './text-findings.ts';
import { TextProblem } from '../text/text-problem.ts';
import { decodePieces } from '../text/utf8.ts';

export function* readYaml(reading: Reading, chunks: Iterable<Uint8Array>, firstLine: number, jsonProblem: TextProblem | undefined): Generator<LooseObject> {
  const pieces = splitYaml(decodeText(reading, chunks, firstLine), { firstLine, lengthMax: reading.settings.fileBytesMax });
  const list = new YamlListReader(reading);
  let isFirst = true;
  for (const piece of pieces) {
    if (reading.isCut) return;
    if (isListPiece(piece)) yield* list.read(piece);
    else yield* readYamlPiece(reading, piece, isFirst ? jsonProblem : undefined);
    isFirst = false;
  }
}

/** Ends at the first byte that is no UTF-8, with a finding at its place. */
function* decodeText(reading: Reading, chunks: Iterable<Uint8Array>, firstLine: number): Generator<string> {
  let line = firstLine;
  let column = 1;
  for (const piece of decodePieces(chunks)) {
    const text = piece.kind === 'text' ? piece.text : piece.textBefore;
    yield text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) line++;
    const lineStart = text.lastIndexOf('\n') + 1;
    column = text.length - lineStart + (lineStart === 0 ? column : 1);
    if (piece.kind === 'text') continue;
    reading.isCut = true;
    addInvalidUtf8(reading, `byte ${piece.byteOffset}`, { line, column });
  }
}

function* readYamlPiece(reading: Reading, piece: YamlDocumentPiece, jsonProblem: TextProblem | undefined): Generator<LooseObject> {
  if (piece.kind === 'document') {
    yield* readYamlDocument(reading, piece.text, piece.line, jsonProblem);
  } else if (piece.kind === 'too-large') {
    addTooLarge(reading, { line: piece.line, column: 1 });
  } else {
    const document = new TextDocument({ file: reading.file, line: piece.line, column: 1 }, piece.text);
    addTextProblem(
      reading,
      document,
      piece.text,
      new TextProblem({ code: 'yaml-syntax', message: 'only a comment may stand behind `---`', start: 3, end: piece.text.trimEnd().length, help: 'move it to a line of its own' }),
    );
  }
}

function* readYamlDocument(reading: Reading, chunk: string, line: number, jsonProblem: TextProblem | undefined): Generator<LooseObject> {
  const text = withoutMark(chunk);
  const document = new TextDocument({ file: reading.file, line, column: 1 }, text);
  try {
    yield* looseObjects(parseSingle(document, text), document, [], undefined, undefined);
  } catch (error) {
    if (!(error instanceof TextProblem)) throw error;
    addTextProblem(reading, document, text, jsonProblem !== undefined && /^\s*\{\s*"/.test(text) ? jsonProblem : error);
  }
}
