// The page of `bulkhead report` as Chromium shows it: nothing runs or is fetched, it fits a phone and a desk, and it can be read without eyes.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { pageHtml } from '../../src/report/page/page-html.ts';
import { runBulkhead } from '../cli/run-bulkhead.ts';
import { CHROMIUM, needs } from '../needs.ts';

const SIZES = [{ width: 400, colorScheme: 'dark' }, { width: 1280, colorScheme: 'light' }] as const;
/** Longer than a phone is wide, and of markup. */
const NAME = `${'a-name-without-an-end-'.repeat(6)}<img src=x onerror="document.title='run'">`;

test('in Chromium', needs('chromium'), async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-report-'));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  t.after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { stdout, status } = runBulkhead(['report', 'examples/shop/data.yaml', 'examples/shop/shop.yaml', '--scope', 'data: data/* from shop/api hops 2']);
  assert.equal(status, 0);
  const hostile = pageHtml({ title: NAME, about: [{ name: NAME, value: NAME }], sections: [{ id: 'one', title: NAME, intro: NAME, tables: [{ caption: NAME, columns: ['Workload', 'Pods', 'Found', 'Known from'].map((name) => ({ name })), rows: [[1, 2, 3, 4].map(() => ({ lines: [NAME], share: 1 }))], empty: '' }] }] });
  for (const [name, html] of [['report', stdout], ['hostile', hostile]] as const) {
    writeFileSync(join(folder, `${name}.html`), html);
    for (const { width, colorScheme } of SIZES) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      const heard: string[] = [];
      page.on('console', (message) => heard.push(message.text()));
      page.on('pageerror', (error) => heard.push(String(error)));
      page.on('request', (request) => heard.push(request.url()));
      await page.goto(`file://${folder}/${name}.html`);
      assert.deepEqual(heard, [`file://${folder}/${name}.html`], 'nothing but the page itself');
      assert.ok((await page.evaluate('document.documentElement.scrollWidth')) as number <= width, `${name} is wider than ${width}`);
      assert.notEqual(await page.title(), 'run');
      const levels = (await page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(({ tagName }) => tagName)")) as string[];
      assert.deepEqual([levels[0], ...new Set(levels.slice(1))], ['H1', 'H2']);
      assert.equal(await page.evaluate("[...document.querySelectorAll('table')].filter((table) => table.caption === null || [...table.querySelectorAll('th')].some((head) => !head.scope) || [...table.querySelectorAll('tbody tr')].some((row) => row.cells[0].tagName !== 'TH')).length"), 0);
      // The style sheet is in force: the policy for content knows its digest.
      assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), colorScheme === 'dark' ? 'rgb(15, 20, 25)' : 'rgb(255, 255, 255)');
      await page.close();
    }
  }
});
