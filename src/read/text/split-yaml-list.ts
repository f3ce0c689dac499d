// Cuts a list of YAML in the block style that is too long for one document into its head, its items and its tail, at lines that no item can hold.

export interface YamlListPiece {
  /** `head`: up to the line `items:`. `items`: one item or more of the list. `tail`: the keys behind the items, perhaps none; the last piece. */
  readonly kind: 'list-head' | 'list-items' | 'list-tail';
  readonly text: string;
  readonly line: number;
}

const ITEMS_LINE = /(?:^|\n)items:[ \t]*(?:#[^\n]*)?\r?\n/;
const FIRST_ITEM = /(?:[ \t]*(?:#[^\n]*)?\r?\n)*( *)-[ \t\r\n]/y;

/**
 * What stands inside an item is indented by more than its dash, but for blank lines, comments, and lines inside quotes and
 * brackets, which libyaml lets begin anywhere. A cut at one of those leaves a quote or bracket open before it, so that the
 * piece cannot be read alone: a wrong cut is an error, never another value (YAML 1.2.2, sections 7.3, 7.4 and 8.2.1).
 */
export class YamlListSplitter {
  readonly head: YamlListPiece;
  readonly #lengthMax: number;
  readonly #indent: number;
  readonly #boundary: RegExp;
  #parts: string[] = [];
  #size = 0;
  #line: number;
  #firstLine: number;
  #hasItem = false;
  #isInTail = false;

  private constructor(head: YamlListPiece, indent: number, lengthMax: number) {
    this.head = head;
    this.#indent = indent;
    this.#lengthMax = lengthMax;
    this.#boundary = new RegExp(`(?:^|\\n)( {0,${indent}})(?=[^ \\t\\r\\n#])`, 'g');
    this.#line = head.line + countLines(head.text);
    this.#firstLine = this.#line;
  }

  /** For a document that begins so; undefined: it is no list that could be cut. `rest` is what stands behind the head. */
  static open(text: string, { line, lengthMax }: { readonly line: number; readonly lengthMax: number }): { readonly splitter: YamlListSplitter; readonly rest: string } | undefined {
    const found = ITEMS_LINE.exec(text);
    if (found === null) return undefined;
    const end = found.index + found[0].length;
    FIRST_ITEM.lastIndex = end;
    const first = FIRST_ITEM.exec(text);
    if (first === null) return undefined;
    return { splitter: new YamlListSplitter({ kind: 'list-head', text: text.slice(0, end), line }, first[1]!.length, lengthMax), rest: text.slice(end) };
  }

  /** Whether what is being gathered is longer than a piece may be. */
  get isTooLarge(): boolean {
    return this.#size > this.#lengthMax;
  }

  /** `line` of what is being gathered. */
  get line(): number {
    return this.#firstLine;
  }

  /** `text` is whole lines. */
  *feed(text: string): Generator<YamlListPiece> {
    let from = 0;
    if (!this.#isInTail) {
      for (const match of text.matchAll(this.#boundary)) {
        const indent = match[1]!.length;
        const at = match.index + match[0].length - indent;
        const isItem = indent === this.#indent && /^-(?:[ \t\r\n]|$)/.test(text.slice(at + indent, at + indent + 2));
        this.#keep(text.slice(from, at));
        from = at;
        if (this.#hasItem) yield this.#give();
        this.#hasItem = true;
        if (isItem) continue;
        this.#isInTail = true;
        break;
      }
    }
    this.#keep(text.slice(from));
  }

  *end(): Generator<YamlListPiece> {
    if (!this.#isInTail) yield this.#give();
    yield { ...this.#give(), kind: 'list-tail' };
  }

  #keep(text: string): void {
    if (text === '') return;
    this.#parts.push(text);
    this.#size += text.length;
    this.#line += countLines(text);
  }

  #give(): YamlListPiece {
    const piece: YamlListPiece = { kind: 'list-items', text: this.#parts.join(''), line: this.#firstLine };
    this.#parts = [];
    this.#size = 0;
    this.#firstLine = this.#line;
    return piece;
  }
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
