// Reads the lines of one YAML document, telling entries from the inner lines of texts and flow lists.
import { scanLine, type ScannedLine } from './scan-line.ts';

export interface DocumentLine extends ScannedLine {
  /** `content`: inside a block scalar, a flow list or a quoted text; it moves with the entry above and keeps its signs. */
  readonly kind: 'entry' | 'content' | 'loose';
}

const LABEL_FIELDS: ReadonlySet<string> = new Set(['labels', 'matchLabels', 'annotations', 'nodeSelector']);

export interface DocumentScan {
  readonly tabColumns: number;
  /** Whether words are mended too. */
  readonly words: boolean;
}

export function scanDocument(lines: readonly string[], { tabColumns, words }: DocumentScan): DocumentLine[] {
  const text = new TextTracker();
  const labels = new LabelTracker();
  return lines.map((raw) => {
    const line = scanLine(raw, { tabColumns, isLabel: labels.isOpen, isNote: labels.isNote, words });
    if (text.isInside(line)) return { ...line, kind: 'content', edits: line.edits.filter((edit) => edit.code === 'yaml-line-end') };
    if (line.isBlank || line.isComment) return { ...line, kind: 'loose' };
    text.enter(line);
    labels.enter(line);
    return { ...line, kind: 'entry' };
  });
}

/** Knows whether a line stands below a field that holds labels. */
class LabelTracker {
  isOpen = false;
  isNote = false;

  enter(line: ScannedLine): void {
    if (line.key !== undefined && line.value === '') this.isOpen = LABEL_FIELDS.has(line.key);
    else if (line.dashColumns.length > 0) this.isOpen = false;
    else return;
    this.isNote = line.key === 'annotations';
  }
}

/** Follows block scalars, flow lists and quoted texts over several lines. */
class TextTracker {
  private flowDepth = 0;
  private quote = '';
  private blockColumn = -1;

  isInside(line: ScannedLine): boolean {
    if (this.blockColumn >= 0) {
      if (line.raw.trim() === '' || line.indentColumns > this.blockColumn) return true;
      this.blockColumn = -1;
    }
    if (this.flowDepth === 0 && this.quote === '') return false;
    this.follow(line.raw);
    return true;
  }

  enter(line: ScannedLine): void {
    if (/^[|>][0-9+-]{0,2}$/.test(line.value)) {
      const dash = line.dashColumns[line.dashColumns.length - 1] ?? 0;
      this.blockColumn = line.indentColumns + (line.key !== undefined ? line.entryColumn : dash);
    } else if (/^["'[{]/.test(line.value)) this.follow(line.value);
  }

  private follow(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const sign = text[at]!;
      if (this.quote !== '') {
        if (sign === '\\' && this.quote === '"') at++;
        else if (sign === this.quote) this.quote = '';
      } else if (sign === '#' && (at === 0 || text[at - 1] === ' ')) return;
      else if (sign === '"' || sign === "'") this.quote = sign;
      else if (sign === '[' || sign === '{') this.flowDepth++;
      else if ((sign === ']' || sign === '}') && this.flowDepth > 0) this.flowDepth--;
    }
  }
}
