// A page as one document of HTML that stands alone: no script, nothing fetched, every text escaped.
import { PAGE_ROWS_MAX, type Page, type PageCell, type PageFigure, type PageSection, type PageTable } from './page.ts';
import { PAGE_STYLE, PAGE_STYLE_DIGEST } from './page-style.ts';
import { printable } from '../text/printable.ts';
import { count } from '../text/truth-table.ts';

/** Nothing may run or be loaded; the one style sheet is known by its digest. */
export function pageHtml({ title, about, sections }: Page): string {
  const policy = `default-src 'none'; style-src 'sha256-${PAGE_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'`;
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n',
    `<title>${html(title)}</title>\n<style>${PAGE_STYLE}</style>\n</head>\n<body>\n`,
    `<header>\n<h1>${html(title)}</h1>\n${figureList('about', about)}</header>\n`,
    `<nav aria-label="Contents">\n<ul>\n${sections.map(({ id, title: name }) => `<li><a href="#${html(id)}">${html(name)}</a></li>\n`).join('')}</ul>\n</nav>\n`,
    `<main>\n${sections.map(sectionHtml).join('')}</main>\n</body>\n</html>\n`,
  ].join('');
}

/** HTML, "Escaping": in elements and in quoted attributes. Control and direction characters are shown as escapes. */
export function html(text: string): string {
  return printable(text).replace(/[\uD800-\uDFFF]/gu, '\uFFFD').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function sectionHtml({ id, title, intro, figures = [], tables, notes = [] }: PageSection): string {
  const heading = `${id}-title`;
  return [
    `<section id="${html(id)}" aria-labelledby="${html(heading)}">\n<h2 id="${html(heading)}">${html(title)}</h2>\n<p>${html(intro)}</p>\n`,
    figureList('figures', figures),
    ...tables.map(tableHtml),
    ...notes.map((note) => `<p class="note">${html(note)}.</p>\n`),
    '</section>\n',
  ].join('');
}

function figureList(kind: string, figures: readonly PageFigure[]): string {
  if (figures.length === 0) return '';
  const rows = figures.map(({ name, value, tone }) => `<div><dt>${html(name)}</dt><dd${classOf(tone)}>${html(value)}</dd></div>\n`);
  return `<dl class="${kind}">\n${rows.join('')}</dl>\n`;
}

/** Roles are said, since a narrow screen shows rows as blocks and would take them away (ARIA in HTML). */
function tableHtml({ caption, columns, rows, empty }: PageTable): string {
  if (rows.length === 0) return `<p><strong>${html(caption)}:</strong> ${html(empty)}.</p>\n`;
  const head = columns.map(({ name, isNumber }) => `<th scope="col" role="columnheader"${isNumber === true ? ' class="n"' : ''}>${html(name)}</th>`).join('');
  const body = rows.slice(0, PAGE_ROWS_MAX).map((row) => `<tr role="row">${row.map((one, at) => cellHtml(one, columns[at]!, at === 0)).join('')}</tr>\n`).join('');
  const rest = rows.length > PAGE_ROWS_MAX ? `<p class="note">And ${count(rows.length - PAGE_ROWS_MAX)} more, which are in the answer as JSON.</p>\n` : '';
  return `<table role="table">\n<caption>${html(caption)}</caption>\n<thead role="rowgroup"><tr role="row">${head}</tr></thead>\n<tbody role="rowgroup">\n${body}</tbody>\n</table>\n${rest}`;
}

function cellHtml({ lines, tone, share, link }: PageCell, { name, isNumber }: PageTable['columns'][number], isHead: boolean): string {
  const texts = lines.map((line, at) => (at === 0 && link !== undefined ? `<a href="${html(link)}" rel="noreferrer">${html(line)}</a>` : html(line)));
  const inner = `<div${classOf(tone)}>${texts.length === 1 ? texts[0]! : texts.map((text) => `<p>${text}</p>`).join('')}${share === undefined ? '' : bar(share)}</div>`;
  if (isHead) return `<th scope="row" role="rowheader">${inner}</th>`;
  return `<td role="cell" data-of="${html(name)}"${isNumber === true ? ' class="n"' : ''}>${inner}</td>`;
}

/** The text beside it says the same. */
function bar(share: number): string {
  return `<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="8"/><rect width="${Math.round(share * 100)}" height="8"/></svg>`;
}

function classOf(tone: string | undefined): string {
  return tone === undefined ? '' : ` class="${tone}"`;
}
