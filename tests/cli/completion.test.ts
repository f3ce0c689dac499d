// `bulkhead completion`: the words that are offered, and real shells that complete with them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';
import { runOnTerminal } from './pseudo-terminal.ts';
import { BULKHEAD, makeFolder, plainEnvironment, runBulkhead, startCommand } from './run-bulkhead.ts';

const ENV = { PATH: `${dirname(BULKHEAD)}${delimiter}${process.env['PATH']}` };

function offered(words: readonly string[], env: Readonly<Record<string, string>> = { KUBECONFIG: '/nonexistent' }): readonly string[] {
  const { status, stdout, stderr } = runBulkhead(['completion', 'words', '--', ...words], { env });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.trimEnd().split('\n').map((line) => line.split('\t')[0]!);
}

/** Each with the words typed so far, the last one open. */
const OFFERS: readonly (readonly [name: string, wanted: readonly string[], typed: readonly string[]])[] = [
  ['verbs', ['replay', 'recommend', 'reach', 'report', 'rollback'].sort(), ['r']],
  ['verbs of a verb', ['import'], ['flows', 'i']],
  ['options', ['--group-by'], ['flows', '--gr']],
  ['an option that was given is not offered again', [], ['flows', '--group-by', 'pair', '--gr']],
  ['one that takes several is', ['--file'], ['reach', '-f', 'x', '--fi']],
  ['words of a closed list', ['source', 'source-namespace'], ['flows', '--group-by', 'so']],
  ['behind an equals sign, too', ['--verdict=allowed', '--verdict=denied'], ['flows', '--verdict=']],
  ['words of an argument', ['bash'], ['completion', 'ba']],
  ['files are left to the shell', [':0'], ['reach', '-f', '']],
  ['workloads of the manifests that are named', ['shop/*', 'shop/api', 'shop/attacker', 'shop/web'], ['explain', '-f', 'examples/shop', 'shop/']],
  ['namespaces', ['shop'], ['reach', '-f', 'examples/shop', '-n', 's']],
  ['ends of recorded flows', ['api.cards.example'], ['flows', '--flows', 'examples/shop.hubble.jsonl', '--to', 'api.']],
  ['Services, where they may be asked for', ['svc/data/cache', 'svc/data/db'], ['flows', '--flows', 'examples/shop.hubble.jsonl', '--to', 'svc/data/']],
  ['and of manifests', ['svc/shop/api', 'svc/shop/web'], ['explain', '-f', 'examples/shop', 'shop/web', 'svc/shop/']],
  ['but they open nothing', [], ['flows', '--flows', 'examples/shop.hubble.jsonl', '--from', 'svc/']],
  ['what cannot be read has no names', [], ['explain', '-f', 'no such file', 'shop/']],
  ['no cluster has none', [], ['explain', '--cluster', 'shop/']],
  ['nothing is known of a verb that is none', [], ['rech', 'x']],
];

for (const [name, wanted, typed] of OFFERS) {
  test(`completion: ${name}`, () => {
    assert.deepEqual(offered(typed).filter((word) => word !== ':4' && word !== '--help').toSorted(), wanted);
  });
}

test('names of the current cluster, and none of one that never answers', async (t) => {
  const api = createServer((request, response) => {
    const kind = request.url!.startsWith('/api/v1/namespaces') ? 'Namespace' : 'Pod';
    const metadata = kind === 'Pod' ? { name: 'db-0', namespace: 'data', ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', controller: true }] } : { name: 'empty' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ kind: `${kind}List`, apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [{ metadata, spec: {} }] }));
  });
  const silent = createServer(() => undefined);
  const folder = makeFolder(t);
  const words = async (server: Server): Promise<string> => {
    server.listen(0, '127.0.0.1');
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    await once(server, 'listening');
    const config = join(folder, 'config.json');
    writeConfig(config, server);
    const run = startCommand(t, BULKHEAD, ['completion', 'words', '--', 'explain', '--kubeconfig', config, '']);
    assert.equal(await run.ended, 0);
    return run.printed();
  };
  assert.deepEqual((await words(api)).split('\n'), ['data/*', 'data/db', 'empty/*', 'internet', 'namespace=data', 'namespace=empty', ':4', '']);
  assert.deepEqual(await words(silent), 'internet\n:4\n');
  assert.deepEqual(offered(['reach', '--context', ''], { KUBECONFIG: join(folder, 'config.json') }), ['here', ':4']);
});

function writeConfig(file: string, server: Server): void {
  const { port } = server.address() as AddressInfo; // it listens on one
  writeFileSync(file, JSON.stringify({
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: {} }],
  }));
}

/** Typed as by a person with the Tab key; what the completed command answers is on its standard output. */
async function answerOnTab(t: TestContext, { program, words, setUp }: { readonly program: string; readonly words: readonly string[]; readonly setUp: string }): Promise<string> {
  const terminal = runOnTerminal(t, words, { program, env: { ...ENV, HOME: makeFolder(t) } });
  terminal.type(`${setUp}; echo rea''dy >&2\r`);
  await terminal.waitFor('ready');
  terminal.type('bulkhead expl\t-f examples/shop/shop.yaml shop/w\tshop/ap\ttcp/9000\r');
  terminal.type('exit\r');
  return (await terminal.ended).stdout;
}

test('bash completes', needs(), async (t) => {
  assert.match(await answerOnTab(t, { program: 'bash', words: ['--norc', '--noprofile', '-i'], setUp: 'source <(bulkhead completion bash)' }), /^shop\/web → shop\/api/m);
});

test('bash completes behind an equals sign and within quotes, where it cuts words otherwise', () => {
  const complete = (line: string): string => {
    const script = `source <(bulkhead completion bash); COMP_LINE=$1; COMP_POINT=\${#1}; _bulkhead bulkhead; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', script, 'bash', line], { cwd: cloneRoot, env: { ...plainEnvironment(), ...ENV }, encoding: 'utf8' }).stdout;
  };
  assert.equal(complete('bulkhead flows --verdict=d'), 'denied\n');
  assert.equal(complete('bulkhead flows --flows examples/shop.hubble.jsonl --to namespace=da'), 'data\n');
  assert.equal(complete("bulkhead flows --flows examples/shop.hubble.jsonl --to 'namespace=da"), 'namespace=data\n');
  assert.equal(complete('bulkhead flows --flows examples/shop.hubble.jsonl --to data/'), 'data/\\*\ndata/cache\ndata/db\n');
});

test('zsh completes', needs('zsh'), async (t) => {
  assert.match(await answerOnTab(t, { program: 'zsh', words: ['-f', '-i'], setUp: 'autoload -U compinit && compinit -D -u && source <(bulkhead completion zsh)' }), /^shop\/web → shop\/api/m);
});

test('fish completes', needs('fish'), (t) => {
  const complete = (line: string): string =>
    spawnSync('fish', ['--no-config', '-c', `bulkhead completion fish | source; complete -C "$argv[1]"`, line], { cwd: cloneRoot, env: { ...plainEnvironment(), ...ENV, HOME: makeFolder(t) }, encoding: 'utf8' }).stdout;
  assert.match(complete('bulkhead expl'), /^explain\tallowed or not/);
  assert.equal(complete('bulkhead explain -f examples/shop shop/w'), 'shop/web\n');
  assert.equal(complete('bulkhead flows --verdict='), '--verdict=allowed\n--verdict=denied\n');
  assert.equal(complete('bulkhead flows --group-by source-'), 'source-namespace\n');
  assert.match(complete('bulkhead reach -f examples/sho'), /^examples\/shop\//m);
});
