// Edits that write a field into a map or a word into a list, give a field its value, or take one away.
import type { TextEdit } from '../../base/finding.ts';
import type { Position } from '../../base/source-position.ts';
import type { Path } from '../../model/origin.ts';
import type { TextDocument } from '../text/text-document.ts';
import type { LooseMap } from '../text/yaml-value.ts';

/** Writes `field` (`name: value`) before the first field of the map at a path; none where the map is empty or not written out. */
export function insertField(document: TextDocument, path: Path, map: LooseMap, field: string): readonly TextEdit[] | undefined {
  const written = document.writtenAt(path);
  const first = Object.keys(map)[0];
  if (written === undefined || /^[&*!]/.test(written)) return undefined;
  if (first === undefined) return [{ range: document.locate(path), text: `{ ${field} }` }];
  const { start } = document.locateKey([...path, first]);
  return [{ range: { start, end: start }, text: written.startsWith('{') ? `${field}, ` : `${field}\n${' '.repeat(start.column - 1)}` }];
}

/** Gives a field that stands there with nothing or null behind it its value. */
export function fillField(document: TextDocument, path: Path, value: string): readonly TextEdit[] {
  const key = document.locateKey(path);
  const written = document.writtenAt(path);
  if (written !== undefined && /^(?:null|~)$/i.test(written)) return [{ range: document.locate(path), text: value }];
  const behind: Position = { line: key.end.line, column: key.end.column + 1 };
  return [{ range: { start: behind, end: behind }, text: ` ${value}` }];
}

/** Adds a word to the list of words at a path; none where the list is empty. */
export function insertWord(document: TextDocument, path: Path, count: number, word: string): readonly TextEdit[] | undefined {
  const written = document.writtenAt(path);
  if (written === undefined || count === 0) return undefined;
  if (written.startsWith('[')) {
    const { end } = document.locate([...path, count - 1]);
    return [{ range: { start: end, end }, text: `, ${word}` }];
  }
  const { start } = document.locate([...path, 0]);
  const list = document.locate(path).start;
  if (!written.startsWith('- ') || list.line !== start.line) return undefined;
  // Before the first item, for a comment may stand behind the last one.
  return [{ range: { start, end: start }, text: `${word}\n${' '.repeat(list.column - 1)}-${' '.repeat(start.column - list.column - 1)}` }];
}

/** Takes the lines of a field of the object itself away; none where they are not its own. */
export function removeField(document: TextDocument, path: Path): readonly TextEdit[] | undefined {
  if (path.length !== 1 || document.writtenAt([])?.startsWith('{') !== false) return undefined;
  const { line } = document.locateKey(path).start;
  const end = document.locate(path).end.line;
  return [{ range: { start: { line, column: 1 }, end: { line: end + 1, column: 1 } }, text: '' }];
}
