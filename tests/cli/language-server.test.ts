// The language server as an editor meets it: a process that is spoken to over its standard input and output.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createProtocolConnection, type CodeAction, type Diagnostic, type ProtocolConnection, type PublishDiagnosticsParams } from 'vscode-languageserver/node';
import { applyEdits } from '../../src/mend/apply-edits.ts';
import { BULKHEAD, makeFolder, plainEnvironment } from './run-bulkhead.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop, labels: { app: web } }\nspec: { containers: [{ name: main, image: example/web, ports: [{ containerPort: 8080 }] }] }\n';
const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: wbe
  ingress:
  - from:
    - podSelector: {}
`;

interface Editor {
  readonly connection: ProtocolConnection;
  readonly uriOf: (name: string) => string;
  /** Resolves when the server has said something of the file for which `isIt` holds. */
  readonly diagnostics: (name: string, isIt: (diagnostics: readonly Diagnostic[]) => boolean) => Promise<readonly Diagnostic[]>;
  readonly close: () => Promise<number | null>;
}

async function openEditor(context: TestContext, files: Readonly<Record<string, string>>): Promise<Editor> {
  const folder = makeFolder(context, files);
  const server = spawn(BULKHEAD, ['lint', '--language-server'], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'], env: plainEnvironment() });
  context.after(() => server.kill());
  const connection = createProtocolConnection(server.stdout, server.stdin);
  const said = new Map<string, readonly Diagnostic[]>();
  const waiting = new Set<() => void>();
  connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }: PublishDiagnosticsParams) => {
    said.set(uri, diagnostics);
    for (const look of waiting) look();
  });
  connection.listen();
  const uriOf = (name: string): string => pathToFileURL(join(folder, name)).href;
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: pathToFileURL(folder).href, capabilities: {}, workspaceFolders: null });
  await connection.sendNotification('initialized', {});
  return {
    connection,
    uriOf,
    diagnostics: (name, isIt) => new Promise((resolve) => {
      const look = (): void => {
        const diagnostics = said.get(uriOf(name));
        if (diagnostics === undefined || !isIt(diagnostics)) return;
        waiting.delete(look);
        resolve(diagnostics);
      };
      waiting.add(look);
      look();
    }),
    close: async () => {
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      const [status] = (await once(server, 'exit')) as [number | null];
      connection.dispose();
      return status;
    },
  };
}

async function open({ connection, uriOf }: Editor, name: string, text: string): Promise<void> {
  await connection.sendNotification('textDocument/didOpen', { textDocument: { uri: uriOf(name), languageId: 'yaml', version: 1, text } });
}

const hasCode = (code: string) => (diagnostics: readonly Diagnostic[]): boolean => diagnostics.some((one) => one.code === code);

test('what is typed is judged beside the files of the folder, and a quick fix mends it', async (context) => {
  const editor = await openEditor(context, { 'app.yaml': POD, 'policy.yaml': POLICY.replace('wbe', 'web') });
  await open(editor, 'policy.yaml', POLICY);
  const found = (await editor.diagnostics('policy.yaml', hasCode('selects-no-pods'))).find(({ code }) => code === 'selects-no-pods')!;
  assert.deepEqual(found.range, { start: { line: 7, character: 4 }, end: { line: 8, character: 14 } });

  const actions: CodeAction[] = await editor.connection.sendRequest('textDocument/codeAction', { textDocument: { uri: editor.uriOf('policy.yaml') }, range: found.range, context: { diagnostics: [found] } });
  const edits = actions.flatMap((action) => action.edit?.changes?.[editor.uriOf('policy.yaml')] ?? []);
  assert.ok(edits.length > 0, 'no quick fix is offered');
  const mended = applyEdits(POLICY, edits.map(({ range: { start, end }, newText: text }) => ({ range: { start: { line: start.line + 1, column: start.character + 1 }, end: { line: end.line + 1, column: end.character + 1 } }, text })));
  assert.ok(mended.includes('app: web'));
  await editor.connection.sendNotification('textDocument/didChange', { textDocument: { uri: editor.uriOf('policy.yaml'), version: 2 }, contentChanges: [{ text: mended }] });
  await editor.diagnostics('policy.yaml', (diagnostics) => !hasCode('selects-no-pods')(diagnostics));
  assert.equal(await editor.close(), 0);
});

test('text that does not parse is shown where it is broken, in letters of more than one unit too', async (context) => {
  const editor = await openEditor(context, { 'app.yaml': POD });
  const broken = `# 🚢 ships\n${POLICY.replace('name: web', 'name: “web”')}`;
  await open(editor, 'broken.yaml', broken);
  const found = (await editor.diagnostics('broken.yaml', hasCode('yaml-typographic-quote'))).find(({ code }) => code === 'yaml-typographic-quote')!;
  assert.equal(found.range.start.line, broken.split('\n').findIndex((line) => line.includes('“')));
  assert.equal(await editor.close(), 0);
});

test('a file that is closed counts again as it stands on disk', async (context) => {
  const editor = await openEditor(context, { 'app.yaml': POD, 'policy.yaml': POLICY });
  await open(editor, 'policy.yaml', POLICY.replace('wbe', 'web'));
  await open(editor, 'other.yaml', POLICY.replace('name: web', 'name: other'));
  await editor.diagnostics('other.yaml', hasCode('selects-no-pods'));
  await editor.connection.sendNotification('textDocument/didClose', { textDocument: { uri: editor.uriOf('policy.yaml') } });
  await editor.diagnostics('policy.yaml', hasCode('selects-no-pods'));
  assert.equal(await editor.close(), 0);
});

test('a policy says what it would refuse of the flows that the settings name, and no longer once it lets them through', async (context) => {
  const flow = { time: '2026-11-20T10:00:00Z', verdict: 'FORWARDED', l4: { TCP: { destination_port: 8080 } }, source: { namespace: 'shop', labels: ['k8s:app=client'], pod_name: 'client' }, destination: { namespace: 'shop', labels: ['k8s:app=web'], pod_name: 'web' }, count: 3 };
  const narrow = `${POLICY.replace('wbe', 'web')}    ports: [{ port: 9090 }]\n`;
  const editor = await openEditor(context, { 'app.yaml': POD, 'bulkhead.yaml': 'flows: [seen.jsonl]\n', 'seen.jsonl': `${JSON.stringify(flow)}\n` });
  await open(editor, 'policy.yaml', narrow);
  const found = (await editor.diagnostics('policy.yaml', hasCode('refuses-recorded-flow'))).find(({ code }) => code === 'refuses-recorded-flow')!;
  assert.match(String(found.message), /^would refuse a recorded flow `shop\/client → shop\/web` on tcp\/8080, seen 3 times\n/);
  await editor.connection.sendNotification('textDocument/didChange', { textDocument: { uri: editor.uriOf('policy.yaml'), version: 2 }, contentChanges: [{ text: narrow.replace('9090', '8080') }] });
  await editor.diagnostics('policy.yaml', (diagnostics) => !hasCode('refuses-recorded-flow')(diagnostics));
  assert.equal(await editor.close(), 0);
});

test('a folder that cannot be read whole leaves what is open', async (context) => {
  const editor = await openEditor(context, { 'app.yaml': POD });
  const warned = new Promise<string>((resolve) => editor.connection.onNotification('window/showMessage', ({ message }: { message: string }) => resolve(message)));
  symlinkSync('nowhere.yaml', new URL(editor.uriOf('link.yaml')));
  await open(editor, 'policy.yaml', POLICY.replace('name: web', 'name: “web”'));
  assert.match(await warned, /only what is open is looked at: .*link\.yaml.*leads nowhere/);
  await editor.diagnostics('policy.yaml', hasCode('yaml-typographic-quote'));
  assert.equal(await editor.close(), 0);
});

test('the settings of the folder hold, and are no manifest themselves', async (context) => {
  const settings = 'severities:\n  no-default-deny: off\nsuppressions:\n- code: selects-no-pods\n  file: other.yaml\n  reason: its pods come later\n';
  const editor = await openEditor(context, { 'app.yaml': POD, 'bulkhead.yaml': settings, 'other.yaml': POLICY.replace('name: web', 'name: other') });
  await open(editor, 'bulkhead.yaml', settings);
  await open(editor, 'policy.yaml', POLICY);
  const found = await editor.diagnostics('policy.yaml', hasCode('selects-no-pods'));
  assert.ok(!hasCode('no-default-deny')(found));
  assert.deepEqual(await Promise.race([editor.diagnostics('other.yaml', () => true), editor.diagnostics('bulkhead.yaml', () => true), editor.close().then(() => 'nothing')]), 'nothing');
});
