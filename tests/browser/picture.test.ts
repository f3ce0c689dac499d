// The picture of `reach -o svg` as Chromium draws it: well-formed, and no text outside of where it belongs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { portSetOf } from '../../src/base/port-set.ts';
import { formatReach } from '../../src/report/reach/reach-formats.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { CHROMIUM, needs } from '../needs.ts';
import { reachabilityOf } from '../report/reachability-example.ts';

const NAMES = ['db', 'a-name-that-is-rather-long-but-not-cut', 'one-that-is-longer-than-the-picture-has-room-for', '<&>"\''];

test('in Chromium', needs('chromium'), async (t) => {
  const ends = NAMES.map((name) => ({ id: `shop/${name}`, kind: 'Pod', namespace: 'shop', name, pods: 2, hostNetwork: false }));
  const rows = ends.map((_, at) => ({ source: at, target: (at * 2 + 1) % ends.length, ports: portSetOf('TCP', 1000 + at, 2000 + at) }));
  const svg = [...(await formatReach('svg', reachabilityOf(ends, rows), { style: PLAIN_STYLE, widthColumns: 80, findings: [] }))].join('');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`);
  assert.equal(await page.evaluate('document.documentElement.tagName + document.getElementsByTagName("parsererror").length'), 'svg0');
  const outside = await page.evaluate(`[...document.querySelectorAll('text')].filter((text) => {
    const inner = text.getBBox();
    const boxes = text.classList.contains('head') || text.classList.contains('note') ? ['.paper'] : text.classList.contains('small') ? ['.pill'] : ['.box', '.out'];
    return ![...document.querySelectorAll(boxes.join())].map((box) => box.getBBox()).some((box) => box.x <= inner.x && box.y <= inner.y && inner.x + inner.width <= box.x + box.width && inner.y + inner.height <= box.y + box.height);
  }).map(({ textContent }) => textContent)`);
  assert.deepEqual(outside, []);
});
