// What shows that a connection is needed, and where it stands.
import type { FindingCode } from '../../base/finding-code.ts';
import type { Finding, ObjectName } from '../../base/finding.ts';
import type { TextRange } from '../../base/source-position.ts';
import { locateOrigin, type Origin, type Path } from '../../model/origin.ts';
import { formatPath } from '../../read/values/object-context.ts';
import type { TextPlace } from './assignment.ts';

export interface Witness {
  readonly file: string;
  readonly range: TextRange;
  readonly object: ObjectName;
  /** Path in the object: `spec.template.spec.containers[0].env[1].value`. */
  readonly field: string;
  /** What stands there, in few words, never the text itself: `DB_HOST names db:5432`. */
  readonly says: string;
}

export function witnessAt(place: TextPlace, says: string): Witness {
  return { file: place.document.file, range: rangeOf(place), object: place.object, field: fieldOf(place.path), says };
}

export function witnessOf(origin: Origin, object: ObjectName, says: string): Witness {
  return { ...locateOrigin(origin), object, field: fieldOf(origin.path), says };
}

export function noteAt(place: TextPlace, code: FindingCode, severity: Finding['severity'], message: string, help: string): Finding {
  return { code, severity, message, file: place.document.file, range: rangeOf(place), object: place.object, help };
}

/** One line of a value of several; where the lines of the value are not those of the file, the nearest one. */
function rangeOf({ document, path, line }: TextPlace): TextRange {
  const { range, lines } = locate(document, path);
  if (lines.length <= 1) return range;
  const index = Math.min(line, lines.length - 1);
  const text = lines[index]!.trimEnd();
  const indent = Math.max(text.search(/\S/), 0);
  const column = (at: number): number => at + (index === 0 ? range.start.column : 1);
  const at = range.start.line + index;
  return { start: { line: at, column: column(indent) }, end: { line: at, column: column(Math.max(text.length, indent)) } };
}

interface Located {
  readonly range: TextRange;
  /** As written; empty where the text is not kept. */
  readonly lines: readonly string[];
}

/** The lines of a file name many, and share the path of the value in which they stand: found once for as long as it lives. */
const located = new WeakMap<Path, Located>();

function locate(document: TextPlace['document'], path: Path): Located {
  let found = located.get(path);
  if (found === undefined) located.set(path, (found = { range: document.locate(path), lines: document.writtenAt(path)?.split('\n') ?? [] }));
  return found;
}

/** Without the place of the object in a list. */
function fieldOf(path: Path): string {
  let start = 0;
  while (path[start] === 'items' && typeof path[start + 1] === 'number') start += 2;
  return formatPath(path.slice(start));
}
