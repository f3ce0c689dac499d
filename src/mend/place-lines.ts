// Finds the column at which each line of an object belongs, from what is known of the object's fields.
import type { FieldShape } from './field-shape.ts';
import type { DocumentLine } from './scan-document.ts';
import type { ScannedLine } from './scan-line.ts';

/** Where one line belongs; `column` is its indentation afterwards. */
export interface LinePlace {
  readonly column: number;
  /** What the line belongs to, for the message: `` `metadata` ``, `` an item of `from` ``. */
  readonly owner: string;
  /** The earlier line by which this one moves, where it only follows along; else its own index. */
  readonly cause: number;
  /** What is written before the line: a dash that it lacks, or the sign of a comment that goes on. */
  readonly insert?: '- ' | '# ';
}

/** A map or list that is open at the current line. Columns are those of the text as it stands; `new…` those after the repair. */
interface OpenField {
  /** As messages write it. */
  readonly name: string;
  readonly shape: FieldShape;
  /** The column of its key; −1 for the object itself. */
  readonly keyColumn: number;
  readonly newKeyColumn: number;
  /** The column of its first child; undefined until there is one. */
  childColumn: number | undefined;
  newChildColumn: number;
  readonly held: Set<string>;
  /** The line that moved it. */
  readonly cause: number;
  /** A list whose items were written without dashes. */
  lacksDashes?: boolean;
}

const HEAD_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'spec']);

interface Entry {
  readonly column: number;
  readonly key: string | undefined;
  readonly value: string;
  readonly isItem: boolean;
}

/**
 * The place of each line, or undefined where a line could belong to more than one open field: nothing is guessed.
 * Where the columns agree with the fields, lines stay as they are.
 */
export function placeLines(lines: readonly DocumentLine[], shape: FieldShape, { words }: { readonly words: boolean }): LinePlace[] | undefined {
  const open: OpenField[] = [];
  const places: LinePlace[] = [];
  for (const [index, line] of lines.entries()) {
    if (open.length === 0 && line.kind === 'entry') open.push(openObject(shape, lines));
    const place = placeLine(open, { lines, places, index, words });
    if (place === undefined) return undefined;
    places.push({ ...place, column: Math.max(0, place.column) });
  }
  return places;
}

interface LineAt {
  readonly lines: readonly DocumentLine[];
  readonly places: readonly LinePlace[];
  readonly index: number;
  /** Whether dashes are written where they lack, and lines that the page has broken are put together. */
  readonly words: boolean;
}

function placeLine(open: OpenField[], at: LineAt): LinePlace | undefined {
  const line = at.lines[at.index]!;
  if (line.kind === 'content') return followEntry(at);
  if (line.kind === 'loose') return { column: line.indentColumns, owner: '', cause: at.index };
  return (at.words ? placeBroken(open, at) : undefined) ?? placeEntry(open, line, at.index);
}

/** A line that lacks its dash or goes on from the line above; undefined where it does neither. */
function placeBroken(open: OpenField[], { lines, places, index }: LineAt): LinePlace | undefined {
  const line = lines[index]!;
  if (line.dashColumns.length > 0) return undefined;
  if (line.key !== undefined) return placeUndashed(open, line, index);
  const owner = open[open.length - 1]!;
  const isComment = lines[index - 1]?.hasComment === true || places[index - 1]?.insert === '# ';
  if (isComment) return { column: line.indentColumns, owner: '', cause: index, insert: '# ' };
  if (owner.shape.kind === 'list' && owner.shape.item.kind === 'scalar') return placeUndashedText(owner, line, index);
  const isValue = owner.shape.kind === 'anything' && owner.childColumn === undefined && line.indentColumns <= owner.keyColumn;
  if (!isValue) return undefined;
  owner.childColumn = line.indentColumns;
  return { column: owner.newKeyColumn + 2, owner: owner.name, cause: index };
}

/** The first key of the first item of a list, when the list has had no item so far. */
function placeUndashed(open: OpenField[], line: ScannedLine, index: number): LinePlace | undefined {
  const entry: Entry = { column: line.indentColumns, key: line.key, value: line.value, isItem: true };
  const list = open[open.length - 1]!;
  const { shape } = list;
  if (shape.kind !== 'list' || shape.item.kind !== 'fields' || list.childColumn !== undefined) return undefined;
  if (!couldBeItem(shape.item, entry) || entry.column <= list.keyColumn) return undefined;
  const column = newColumn(list, entry);
  list.childColumn = entry.column - 2;
  list.newChildColumn = column;
  const item: OpenField = {
    name: `an item of ${list.name}`,
    shape: shape.item,
    // As if the dash stood two columns before its key.
    keyColumn: entry.column - 2,
    newKeyColumn: column,
    childColumn: entry.column,
    newChildColumn: column + 2,
    held: new Set(),
    cause: index,
  };
  open.push(item);
  enterOwner(open, { owner: item, entry: { ...entry, isItem: false }, index, line });
  return { column, owner: list.name, cause: index, insert: '- ' };
}

function placeUndashedText(list: OpenField, line: ScannedLine, index: number): LinePlace | undefined {
  if (line.indentColumns <= list.keyColumn || (list.childColumn !== undefined && list.lacksDashes !== true) || /\s/.test(line.value)) return undefined;
  const column = newColumn(list, { column: line.indentColumns, key: undefined, value: line.value, isItem: true });
  list.lacksDashes = true;
  list.childColumn ??= line.indentColumns;
  list.newChildColumn = column;
  return { column, owner: list.name, cause: index, insert: '- ' };
}

/** The text of a block scalar, of a flow list or of a quoted text over several lines moves with its entry. */
function followEntry({ lines, places, index }: LineAt): LinePlace {
  let owner = index - 1;
  while (owner > 0 && lines[owner]!.kind !== 'entry') owner--;
  const { indentColumns, isBlank } = lines[index]!;
  const shift = isBlank ? 0 : places[owner]!.column - lines[owner]!.indentColumns;
  return { ...places[owner]!, column: indentColumns + shift };
}

function placeEntry(open: OpenField[], line: ScannedLine, index: number): LinePlace | undefined {
  const columns = [...line.dashColumns, line.entryColumn].map((column) => column + line.indentColumns);
  let place: LinePlace | undefined;
  for (const [depth, column] of columns.entries()) {
    const isItem = depth < line.dashColumns.length;
    if (!isItem && line.key === undefined) break;
    const entry: Entry = { column, key: line.key, value: line.value, isItem };
    const owner = place === undefined ? chooseOwner(open, entry) : open[open.length - 1];
    if (owner === undefined) return undefined;
    while (open[open.length - 1] !== owner) open.pop();
    const found = enterOwner(open, { owner, entry, index, line });
    // Behind the first dash the rest of the line keeps its distance from it.
    place ??= found;
  }
  return place ?? followText(open, line, index);
}

/** The object's own column is the one at which most of its head fields stand. */
function openObject(shape: FieldShape, lines: readonly DocumentLine[]): OpenField {
  const counts = new Map<number, number>();
  for (const line of lines) {
    if (line.kind !== 'entry' || line.dashColumns.length > 0 || !HEAD_FIELDS.has(line.key ?? '')) continue;
    counts.set(line.indentColumns, (counts.get(line.indentColumns) ?? 0) + 1);
  }
  const column = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? 0;
  return { name: 'the object', shape, keyColumn: -1, newKeyColumn: -1, childColumn: column, newChildColumn: column, held: new Set(), cause: -1 };
}

/** A line that is neither key nor item, such as the second line of a plain text: it stays with what is open. */
function followText(open: readonly OpenField[], line: ScannedLine, index: number): LinePlace {
  const owner = open[open.length - 1]!;
  return { column: line.indentColumns + owner.newKeyColumn - owner.keyColumn, owner: owner.name, cause: owner.cause >= 0 ? owner.cause : index };
}

/**
 * The open field to which an entry belongs. One whose column agrees decides, the deepest first.
 * Else exactly one may be able to hold the entry; with two, or none that the columns name, there is no answer.
 */
function chooseOwner(open: readonly OpenField[], entry: Entry): OpenField | undefined {
  const deepest = [...open].reverse();
  const byColumn = deepest.find((field) => agreesInColumn(field, entry) && couldHold(field, entry));
  if (byColumn !== undefined) return byColumn;
  const able = deepest.filter((field) => field.shape.kind !== 'anything' && couldHold(field, entry) && !holdsAlready(field, entry));
  if (able.length === 1) return able[0];
  if (able.length > 1) return undefined;
  return deepest.find((field) => agreesInColumn(field, entry));
}

/** Whether the columns alone, read as YAML reads them, put the entry into the field. */
function agreesInColumn(field: OpenField, entry: Entry): boolean {
  const isBelow = entry.isItem ? entry.column >= field.keyColumn : entry.column > field.keyColumn;
  return isBelow && (field.shape.kind === 'anything' || field.childColumn === undefined || field.childColumn === entry.column);
}

function couldHold(field: OpenField, entry: Entry): boolean {
  switch (field.shape.kind) {
    case 'anything':
      return true;
    case 'scalar':
      return false;
    case 'labels':
      return !entry.isItem && entry.key !== undefined && isPlainValue(entry.value);
    case 'fields':
      return !entry.isItem && entry.key !== undefined && Object.hasOwn(field.shape.fields, entry.key);
    case 'list':
      return entry.isItem && couldBeItem(field.shape.item, entry);
  }
}

function couldBeItem(item: FieldShape, entry: Entry): boolean {
  switch (item.kind) {
    case 'fields':
      return entry.key !== undefined ? Object.hasOwn(item.fields, entry.key) : entry.value === '' || entry.value.startsWith('{');
    case 'scalar':
      return entry.key === undefined && entry.value !== '' && isPlainValue(entry.value);
    default:
      return item.kind === 'anything';
  }
}

function isPlainValue(value: string): boolean {
  return value !== '' && !value.startsWith('{') && !value.startsWith('[');
}

function holdsAlready(field: OpenField, entry: Entry): boolean {
  return !entry.isItem && entry.key !== undefined && field.held.has(entry.key);
}

/** Puts the entry into its owner, opens what the entry opens, and gives the entry's place. */
function enterOwner(open: OpenField[], at: { owner: OpenField; entry: Entry; index: number; line: ScannedLine }): LinePlace {
  const { owner, entry, index, line } = at;
  const isFollowing = agreesInColumn(owner, entry);
  const column = newColumn(owner, entry);
  const shift = column - entry.column;
  const isMovedByOwner = owner.cause >= 0 && shift === owner.newKeyColumn - owner.keyColumn && (isFollowing || entry.isItem);
  const cause = isMovedByOwner ? owner.cause : index;
  if (owner.childColumn === undefined) {
    owner.childColumn = entry.column;
    owner.newChildColumn = column;
  }
  if (!entry.isItem && entry.key !== undefined) owner.held.add(entry.key);
  const opened = openedBy(owner, entry);
  if (opened !== undefined) {
    const childColumn = entry.isItem && (entry.key !== undefined || line.value !== '') ? nextColumn(line, entry) : undefined;
    open.push({
      name: entry.isItem ? `an item of ${owner.name}` : `\`${entry.key}\``,
      shape: opened,
      keyColumn: entry.column,
      newKeyColumn: column,
      childColumn,
      newChildColumn: (childColumn ?? 0) + shift,
      held: new Set(),
      cause: shift === 0 ? -1 : cause,
    });
  }
  return { column, owner: owner.name, cause };
}

/** The column of what stands behind this dash: the next dash or the entry. */
function nextColumn(line: ScannedLine, entry: Entry): number {
  const columns = [...line.dashColumns, line.entryColumn].map((column) => column + line.indentColumns);
  return columns.find((column) => column > entry.column)!;
}

function newColumn(owner: OpenField, entry: Entry): number {
  if (owner.shape.kind === 'anything') return entry.column + owner.newKeyColumn - owner.keyColumn;
  if (owner.childColumn !== undefined) return owner.newChildColumn;
  const distance = entry.column - owner.keyColumn;
  const least = entry.isItem ? 0 : 2;
  const isMoved = owner.newKeyColumn !== owner.keyColumn;
  if (distance < (entry.isItem ? 0 : 1)) return owner.newKeyColumn + least;
  return owner.newKeyColumn + (isMoved && distance % 2 === 1 ? Math.max(least, distance - 1) : distance);
}

function openedBy(owner: OpenField, entry: Entry): FieldShape | undefined {
  if (entry.isItem) return owner.shape.kind === 'list' ? owner.shape.item : undefined;
  if (entry.value !== '' || entry.key === undefined || owner.shape.kind === 'anything') return undefined;
  const shape = owner.shape.kind === 'fields' ? owner.shape.fields[entry.key] : undefined;
  return shape === undefined || shape.kind === 'scalar' ? { kind: 'anything' } : shape;
}
