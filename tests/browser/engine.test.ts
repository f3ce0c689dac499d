// The engine runs in a browser and in a worker of it, and gives the bytes that it gives in Node.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { manifestText } from '../clusters/manifests.ts';
import { randomCluster } from '../clusters/random-cluster.ts';
import { needs, sharedPath } from '../needs.ts';
import { answerOf, type Manifest } from './answer.ts';
import { buildEngine, openEngine, type BrowserEngine } from './chromium.ts';

const BROKEN = '# bread\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {app: \u201ca\u201d}\nspec:\n  containers:\n  - name: c\n    ports:\n    - containerPort: 80\n';
const RANDOM_CLUSTERS = 5;

test('the engine needs nothing of Node', async () => {
  const engine = await buildEngine();
  assert.doesNotMatch(engine, /\bfrom\s*["']node:|import\s*\(?\s*["']node:/);
  assert.ok(engine.length > 100_000);
});

describe('in Chromium', needs('chromium'), () => {
  let engine: BrowserEngine;
  before(async () => {
    engine = await openEngine(await buildEngine());
  });
  after(async () => {
    await engine.close();
  });

  const holds = async (manifests: readonly Manifest[]): Promise<void> => {
    const expected = answerOf(manifests);
    assert.ok(expected.length > 500);
    assert.equal(await engine.inPage(manifests), expected, 'the page');
    assert.equal(await engine.inWorker(manifests), expected, 'the worker');
    assert.deepEqual(engine.complaints, []);
  };

  for (const folder of ['online-boutique', 'sock-shop', 'kube-prometheus']) {
    test(`${folder}`, needs('shared'), () => holds(globSync(sharedPath('data', folder, '**/*.yaml')).sort().map((file) => ({ name: basename(file), text: readFileSync(file, 'utf8') }))));
  }
  test('broken text', () => holds([{ name: 'broken.yaml', text: BROKEN }]));
  test('JSON', () => holds([{ name: 'list.json', text: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', labels: { app: '\u00e9\ud83d\ude00' } } }] }) }]));
  test('random clusters', () => fc.assert(fc.asyncProperty(randomCluster, (cluster) => holds([{ name: 'random.yaml', text: manifestText(cluster) }])), { numRuns: RANDOM_CLUSTERS }));
});
