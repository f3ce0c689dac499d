// The pages about releases: each command of them is run on a real API server, and prints what the page says.
import { test } from 'node:test';
import { needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { clusterPageFolder, runPage } from './shown-page.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles() }) : undefined;

/** Each goes on where the one before it has ended. */
const PAGES = ['apply', 'history', 'rollback'].map((name) => `docs/guide/${name}.md`);

test('every command of the pages about releases prints what they say', { ...wants, timeout: 300_000 }, (t) => {
  server!.kubectl(['create', 'namespace', 'shop']);
  server!.kubectl(['create', 'serviceaccount', 'default', '-n', 'shop']);
  for (const [name, port] of [['web', 8080], ['api', 8080], ['db', 5432]] as const) {
    server!.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels: { app: name } }, spec: { containers: [{ name: 'a', image: 'none', ports: [{ containerPort: port }] }] } }));
  }
  const folder = clusterPageFolder(server!.kubeconfig);
  t.after(() => folder.remove());
  for (const page of PAGES) runPage(page, folder);
});
