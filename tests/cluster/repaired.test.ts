// What a repair gives is taken by a real API server: every page of `cases/repair`, and the shared texts.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { repairText } from '../../src/mend/repair-text.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { answerPage, lintPages } from '../lint/case-page.ts';
import { needs, sharedPath } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { applyObject } from './write-object.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer() : undefined;

/** Namespaces that the texts name: the server wants them to be there. */
const NAMESPACES = ['shop', 'anchan'];

const texts = (): readonly { readonly name: string; readonly text: string }[] => [
  ...lintPages().filter(({ file }) => file.startsWith('cases/repair/')).map((page) => ({ name: page.file, text: answerPage(page).repaired })),
  ...(needs('shared').skip === undefined ? readdirSync(sharedPath('seeds')) : []).map((name) => ({ name, text: repairText(name, readFileSync(sharedPath('seeds', name), 'utf8')).text })),
];

test('each repaired text is valid, field by field', wants, async () => {
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  for (const name of NAMESPACES) await applyObject(connection, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const all = texts();
  assert.ok(all.length >= 20, `${all.length} texts`);
  for (const { name, text } of all) {
    const answer = server!.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], text);
    assert.match(answer, /^networkpolicy\.networking\.k8s\.io\/\S+ created \(server dry run\)$/m, name);
  }
});
