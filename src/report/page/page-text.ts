// A page as Markdown for people, and as CSV for spreadsheets.
import type { Page, PageCell, PageFigure, PageSection, PageTable } from './page.ts';
import { PAGE_ROWS_MAX } from './page.ts';
import { csvField, markdownCell } from '../reach/reach-table.ts';
import { printable } from '../text/printable.ts';
import { count } from '../text/truth-table.ts';

export function pageMarkdown({ title, about, sections }: Page): string {
  return [`# ${markdownCell(title)}\n\n`, figureLines(about), ...sections.map(sectionMarkdown)].join('');
}

function sectionMarkdown({ title, intro, figures = [], tables, notes = [] }: PageSection): string {
  return [`\n## ${markdownCell(title)}\n\n${markdownCell(intro)}\n`, figures.length === 0 ? '' : `\n${figureLines(figures)}`, ...tables.map(tableMarkdown), ...notes.map((note) => `\n${markdownCell(note)}.\n`)].join('');
}

function figureLines(figures: readonly PageFigure[]): string {
  return figures.map(({ name, value }) => `- ${markdownCell(name)}: ${markdownCell(value)}\n`).join('');
}

function tableMarkdown({ caption, columns, rows, empty }: PageTable): string {
  if (rows.length === 0) return `\n**${markdownCell(caption)}:** ${markdownCell(empty)}.\n`;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const rest = rows.length > PAGE_ROWS_MAX ? `\nAnd ${count(rows.length - PAGE_ROWS_MAX)} more, which are in the answer as JSON.\n` : '';
  return `\n**${markdownCell(caption)}**\n\n${line(columns.map(({ name }) => markdownCell(name)))}|${columns.map(({ isNumber }) => (isNumber === true ? '---:|' : '---|')).join('')}\n${rows.slice(0, PAGE_ROWS_MAX).map((row) => line(row.map(markdownOf))).join('')}${rest}`;
}

function markdownOf({ lines }: PageCell): string {
  return lines.map(markdownCell).join('<br>');
}

/** One line for each cell of each table, whatever their columns: section, table, row, column, value. */
export function* pageCsv({ title, about, sections }: Page): Generator<string> {
  yield 'section,table,row,column,value\n';
  const line = (...fields: readonly string[]): string => `${fields.map((text) => csvField(harmless(printable(text)))).join(',')}\n`;
  yield line('about', '', '', 'Title', title);
  for (const { name, value } of about) yield line('about', '', '', name, value);
  for (const { id, figures = [], tables } of sections) {
    for (const { name, value } of figures) yield line(id, '', '', name, value);
    for (const { caption, columns, rows } of tables) {
      for (const [first, ...others] of rows) {
        for (const [at, one] of others.entries()) yield line(id, caption, first!.lines.join('; '), columns[at + 1]!.name, one.lines.join('; '));
      }
    }
  }
}

/** A spreadsheet takes what starts so for a formula, some also behind blanks and in full width (OWASP, "CSV Injection"). */
function harmless(text: string): string {
  return /^\s*[=+\-@＝＋－＠]/.test(text) && !/^-?[0-9.]+$/.test(text) ? `'${text}` : text;
}
