// A page in HTML, Markdown and CSV: names of strangers stay text, nothing runs or is fetched, colors can be read.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Page } from '../../src/report/page/page.ts';
import { cell, PAGE_ROWS_MAX } from '../../src/report/page/page.ts';
import { pageHtml } from '../../src/report/page/page-html.ts';
import { PAGE_COLORS, PAGE_STYLE } from '../../src/report/page/page-style.ts';
import { pageCsv, pageMarkdown } from '../../src/report/page/page-text.ts';
import { HOSTILE } from './hostile-names.ts';

function pageOf(names: readonly string[]): Page {
  return {
    title: names[0]!,
    about: names.map((name) => ({ name, value: name })),
    sections: [{
      id: 'one',
      title: names[1] ?? 'One',
      intro: names.join(' '),
      figures: names.map((name) => ({ name, value: name, tone: 'bad' as const })),
      tables: [{ caption: names.join(' '), columns: [{ name: names[0]! }, { name: names[1] ?? 'two', isNumber: true }], rows: names.map((name) => [cell(name), { lines: [name, name], share: 0.5, tone: 'good' as const, link: 'https://example.com/?"><b>' }]), empty: 'none' }],
      notes: names,
    }],
  };
}

test('hostile names stay text in HTML', () => {
  const html = pageHtml(pageOf(HOSTILE));
  const tags = new Set(Array.from(html.matchAll(/<\/?([a-zA-Z!][^\s>]*)/g), ([, name]) => name!));
  assert.deepEqual([...tags].sort(), ['!doctype', 'a', 'body', 'caption', 'dd', 'div', 'dl', 'dt', 'h1', 'h2', 'head', 'header', 'html', 'li', 'main', 'meta', 'nav', 'p', 'rect', 'section', 'style', 'svg', 'table', 'tbody', 'td', 'th', 'thead', 'title', 'tr', 'ul']);
  const attributes = new Set(Array.from(html.replace(/<style>[^]*?<\/style>/, '').matchAll(/<[a-z][^>]*>/g), ([tag]) => Array.from(tag.replaceAll(/"[^"]*"/g, '""').matchAll(/ ([a-zA-Z-]+)=/g), ([, name]) => name!)).flat());
  assert.deepEqual([...attributes].sort(), ['aria-hidden', 'aria-label', 'aria-labelledby', 'charset', 'class', 'content', 'data-of', 'height', 'href', 'http-equiv', 'id', 'lang', 'name', 'preserveAspectRatio', 'rel', 'role', 'scope', 'viewBox', 'width']);
  for (const sign of ['\u202E', '\u001b', '\ud800']) assert.ok(!html.includes(sign));
});

test('the policy for content lets the one style sheet be, and nothing else', () => {
  const html = pageHtml(pageOf(['a', 'b']));
  const [, style] = /<style>([^]*?)<\/style>/.exec(html)!;
  assert.equal(style, PAGE_STYLE);
  assert.ok(html.includes(`content="default-src 'none'; style-src 'sha256-${createHash('sha256').update(style!).digest('base64')}'; base-uri 'none'; form-action 'none'"`));
  assert.doesNotMatch(html, /url\(|@import|<script|style=|src=| on[a-z]+=/);
});

test('rows beyond the bound are counted', () => {
  const names = Array.from({ length: PAGE_ROWS_MAX + 3 }, (_, index) => `n${index}`);
  const html = pageHtml(pageOf(names));
  assert.equal(html.match(/<tr role="row"><th scope="row"/g)!.length, PAGE_ROWS_MAX);
  assert.ok(html.includes('And 3 more'));
  assert.ok(pageMarkdown(pageOf(names)).includes('And 3 more'));
  assert.ok([...pageCsv(pageOf(names))].join('').includes(`n${PAGE_ROWS_MAX + 2}`));
});

test('Markdown and CSV take no name for markup or a formula', () => {
  const markdown = pageMarkdown(pageOf(HOSTILE));
  assert.doesNotMatch(markdown.replaceAll('<br>', ''), /(?<!\\)[<>]/);
  for (const line of [...pageCsv(pageOf(HOSTILE))].join('').split('\n')) for (const field of line.match(/"(?:[^"]|"")*"|[^,]*/g)!) assert.doesNotMatch(field.replace(/^"/, ''), /^\s*[=+@＝]/);
});

test('CSV begins with the title', () => {
  assert.equal([...pageCsv(pageOf(['Shop', 'b']))][1], 'about,,,Title,Shop\n');
});

/** WCAG 2.2, "relative luminance" and "contrast ratio". */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at]!, 0);
  const [light, dark] = [luminance(a), luminance(b)].sort((one, other) => other - one) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

test('text stands out from what is behind it, in light and dark', () => {
  assert.ok(Math.abs(contrast('#000000', '#ffffff') - 21) < 0.01);
  for (const colors of Object.values(PAGE_COLORS)) {
    for (const front of ['text', 'muted', 'link', 'good', 'bad', 'unsure'] as const) {
      for (const behind of ['paper', 'shade'] as const) assert.ok(contrast(colors[front], colors[behind]) >= 4.5, `${front} on ${behind}: ${contrast(colors[front], colors[behind])}`);
    }
  }
});
