// Who sends flows and who reads them, as a real API server says by the shipped manifests; the server itself has no rights but those.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { ReviewedAdmission } from '../../src/history/serve/admission.ts';
import { askHistory } from '../../src/history/send/ask-history.ts';
import { writeBatch } from '../../src/history/batch/flow-batch.ts';
import { openHistory } from '../../src/history/history.ts';
import { askPlace, textOf } from '../../src/history/send/post-batch.ts';
import { serveHistory } from '../../src/history/serve/serve-history.ts';
import { openKubeApi } from '../../src/kube/kube-api.ts';
import { RememberedReviews } from '../../src/server/remembered-reviews.ts';
import { FIRST_CERTIFICATE } from '../history/certificates.ts';
import { batchOf, flow, NOON, podEnd } from '../history/sample-flows.ts';
import { cloneRoot, needs } from '../needs.ts';
import { agentToken } from './agent-token.ts';
import { startApiServer } from './api-server.ts';
import { otherUser } from './restricted-user.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer() : undefined;

test('agents send for their own node, people read what a RoleBinding grants, the server asks with its own rights', wants, async (context) => {
  const { kubectl } = server!;
  for (const node of ['a', 'b']) kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } }));
  for (const file of ['agent.yaml', 'server.yaml']) kubectl(['apply', '-f', join(cloneRoot, 'deploy', file)]);
  for (const namespace of ['shop', 'bank']) kubectl(['create', 'namespace', namespace]);
  kubectl(['create', 'serviceaccount', 'alice', '-n', 'shop']);
  kubectl(['create', 'serviceaccount', 'bob', '-n', 'bank']);
  kubectl(['create', 'rolebinding', 'alice', '-n', 'shop', '--clusterrole=bulkhead-flow-reader', '--serviceaccount=shop:alice']);

  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-access-'));
  writeFileSync(join(folder, 'ca.crt'), FIRST_CERTIFICATE.cert);
  const own = await openKubeApi({ kubeconfig: otherUser(server!, 'flows', () => ({ token: kubectl(['create', 'token', 'bulkhead-server', '-n', 'bulkhead-system']).trim() })) });
  const store = await openHistory({ file: join(folder, 'flows.duckdb'), nowMs: () => NOON + 60_000 });
  const running = await serveHistory({ host: '127.0.0.1', port: 0, store, door: { certificate: FIRST_CERTIFICATE, admission: new ReviewedAdmission(new RememberedReviews(own, () => Date.now())) }, nowMs: () => NOON + 60_000, onFailure: () => undefined });
  context.after(async () => {
    await running.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const place = (token: string) => ({ url: `https://127.0.0.1:${running.port}`, caFile: join(folder, 'ca.crt'), token });
  const body = gzipSync(writeBatch(batchOf([flow({ target: podEnd('bank', 'vault') }), flow({ source: podEnd('bank', 'teller'), target: podEnd('bank', 'vault') })], { node: 'a' })));
  const send = async (token: string): Promise<string> => {
    const answer = await askPlace(place(token), { method: 'POST', path: '/v1/batches', headers: { 'bulkhead-node': 'a', 'content-encoding': 'gzip' }, body });
    return `${answer.statusCode} ${await textOf(answer)}`;
  };
  const alice = kubectl(['create', 'token', 'alice', '-n', 'shop']).trim();
  assert.match(await send(agentToken(server!, 'b', 'bulkhead-agent', 'bulkhead-server')), /^403 an agent sends the flows of its own node alone, and the token names the node b/);
  assert.match(await send(agentToken(server!, 'a')), /^401 the cluster does not know this token, made for the audience bulkhead-server/);
  assert.match(await send(alice), /^401/);
  assert.match(await send(agentToken(server!, 'a', 'bulkhead-agent', 'bulkhead-server')), /^200 /);

  const read = async (token: string, namespaces: readonly string[] = []): Promise<number> => {
    let lines = 0;
    for await (const _ of askHistory(place(token), { namespaces })) lines++;
    return lines;
  };
  assert.equal(await read(alice), 1);
  await assert.rejects(read(alice, ['bank']), /403: get of flows .* in the namespace bank/);
  await assert.rejects(read(kubectl(['create', 'token', 'bob', '-n', 'bank']).trim()), /403/);
  const gone = await askPlace(place(alice), { method: 'DELETE', path: '/v1/flows?namespace=shop' });
  assert.deepEqual([gone.statusCode, (await textOf(gone)).length > 0], [403, true], 'who reads deletes nothing');
});
