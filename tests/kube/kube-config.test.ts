// Which server is meant, and what is said where that cannot be known.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { test, type TestContext } from 'node:test';
import { WordError } from '../../src/base/word-error.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { openConnection, serviceAccountEntries, type ClusterChoice, type Connection } from '../../src/kube/kube-config.ts';
import { plainCredentials } from '../../src/kube/plain-credentials.ts';
import { makeFolder } from '../cli/run-bulkhead.ts';

const ENTRIES = `
clusters:
- { name: one, cluster: { server: 'https://one.example:6443' } }
- { name: plain, cluster: { server: 'http://127.0.0.1:8001/proxy' } }
- { name: odd, cluster: { server: 'ftp://one.example' } }
- { name: broken, cluster: {} }
users:
- { name: me, user: { token: secret-token } }
- { name: program, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'printf "{\\"status\\":{\\"token\\":\\"%s\\"}}" "$(echo "$KUBERNETES_EXEC_INFO" | grep -c ExecCredential)"'] } } }
- { name: failing, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo you must log in >&2; exit 1'] } } }
contexts:
- { name: one, context: { cluster: one, user: me } }
- { name: plain, context: { cluster: plain } }
- { name: odd, context: { cluster: odd, user: me } }
- { name: lost, context: { cluster: nobody, user: me } }
- { name: program, context: { cluster: one, user: program } }
- { name: failing, context: { cluster: one, user: failing } }
`;
const CONFIG = `apiVersion: v1\nkind: Config\ncurrent-context: one\n${ENTRIES}`;

async function open(test: TestContext, choice: ClusterChoice, text = CONFIG): Promise<Connection> {
  const folder = makeFolder(test, { config: text });
  return openConnection({ kubeconfig: `${folder}/config`, ...choice });
}

test('the current context', async (t) => {
  const { name, server, credentials } = await open(t, {});
  assert.deepEqual([name, server.href], ['one', 'https://one.example:6443/']);
  assert.equal((await credentials()).headers?.['Authorization' as never], 'Bearer secret-token');
});

test('another context, over plain http and without a user', async (t) => {
  const { name, server, credentials } = await open(t, { context: 'plain' });
  assert.deepEqual([name, server.href], ['plain', 'http://127.0.0.1:8001/proxy']);
  assert.deepEqual((await credentials()).headers, {});
});

test('a program gives the credentials, and is told in which version', async (t) => {
  const { credentials } = await open(t, { context: 'program' });
  assert.equal((await credentials()).headers?.['Authorization' as never], 'Bearer 1');
});

test('a program that fails says why', async (t) => {
  const { credentials } = await open(t, { context: 'failing' });
  await assert.rejects(credentials(), (error) => error instanceof ClusterError && error.code === 'unauthorized' && error.message === 'no credentials for the context `failing`: you must log in');
});

test('a mistyped context is named with its neighbor', async (t) => {
  await assert.rejects(open(t, { context: 'plian' }), (error) => error instanceof WordError && error.help === 'did you mean `plain`?');
});

function fails(name: string, message: RegExp, choice: ClusterChoice, text?: string): void {
  test(name, async (t) => {
    await assert.rejects(open(t, choice, text), (error) => {
      assert.ok(error instanceof ClusterError && error.code === 'no-cluster', String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

fails('a context whose cluster is missing', /`lost` names a cluster that the kubeconfig does not have/, { context: 'lost' });
fails('a server that is no address', /`ftp:\/\/one\.example` of the kubeconfig is no address/, { context: 'odd' });
fails('no current context', /has no current context\n {2}help: name one with --context: one, /, {}, ENTRIES);
fails('a current context that is not there', /`gone` is not in the kubeconfig/, {}, `current-context: gone\n${ENTRIES}`);
fails('what is no kubeconfig', /cannot be read/, {}, '[');
fails('an empty file', /cannot be read|has no current context/, {}, '');

test('no file', async () => {
  await assert.rejects(openConnection({ kubeconfig: '/nonexistent/config' }), (error) => error instanceof ClusterError && /cannot be read/.test(error.message));
});

function kubeconfig(user: string, cluster = ''): string {
  return `current-context: a\nclusters: [{ name: a, cluster: { server: 'https://a.example', ${cluster} } }]\nusers: [{ name: a, user: { ${user} } }]\ncontexts: [{ name: a, context: { cluster: a, user: a } }]\n`;
}

test('a token in a file is read for each request, and counts before the other one', async (t) => {
  const folder = makeFolder(t, { config: kubeconfig('token: old, tokenFile: token'), token: 'first\n' });
  const { credentials } = await openConnection({ kubeconfig: `${folder}/config` });
  assert.equal((await credentials()).headers?.['Authorization' as never], 'Bearer first');
  writeFileSync(`${folder}/token`, 'second');
  assert.equal((await credentials()).headers?.['Authorization' as never], 'Bearer second');
  rmSync(`${folder}/token`);
  await assert.rejects(credentials(), (error) => error instanceof ClusterError && error.code === 'unauthorized' && /ENOENT/.test(error.message));
});

test('certificates are read for each request, those inside of the kubeconfig first', async (t) => {
  const data = Buffer.from('inside').toString('base64');
  const folder = makeFolder(t, { config: kubeconfig(`client-certificate: cert, client-key: key, client-key-data: ${data}`, 'certificate-authority: ca, tls-server-name: b.example'), cert: 'one', key: 'two', ca: 'three' });
  const { credentials } = await openConnection({ kubeconfig: `${folder}/config` });
  const { ca, cert, key, servername, rejectUnauthorized } = await credentials();
  assert.deepEqual([`${ca}`, `${cert}`, `${key}`, servername, rejectUnauthorized], ['three', 'one', 'inside', 'b.example', true]);
  writeFileSync(`${folder}/cert`, 'renewed');
  assert.equal(`${(await credentials()).cert}`, 'renewed');
});

test('of two files that have one name the first counts', async (t) => {
  const folder = makeFolder(t, { one: kubeconfig('token: one'), two: `${kubeconfig('token: two')}`.replace('current-context: a', 'current-context: b') });
  process.env['KUBECONFIG'] = `${folder}/one${delimiter}${folder}/two`;
  t.after(() => delete process.env['KUBECONFIG']);
  const { credentials } = await openConnection({});
  assert.equal((await credentials()).headers?.['Authorization' as never], 'Bearer one');
});

test('the service account of a pod', async (t) => {
  const folder = makeFolder(t, { token: 'pod-token', 'ca.crt': 'ca' });
  const { clusters, users, currentContext } = serviceAccountEntries({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }, folder);
  const [cluster, user] = [clusters.get(currentContext!)!, users.get(currentContext!)!];
  assert.equal(cluster['server'], 'https://[fd00::1]:6443');
  const { headers, ca } = plainCredentials(cluster, user, { isSecure: true })();
  assert.deepEqual([headers, `${ca}`], [{ Authorization: 'Bearer pod-token' }, 'ca']);
  assert.throws(() => serviceAccountEntries({}, folder), /KUBERNETES_SERVICE_HOST does not say/);
});

test('a program is asked again when the server does not know its token any more', async (t) => {
  const script = 'printf x >> "$0"; printf "{\\"status\\":{\\"token\\":\\"%s\\"}}" "$(cat "$0")"';
  const folder = makeFolder(t, { count: '' });
  writeFileSync(`${folder}/config`, kubeconfig(`exec: { apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, '${script}', '${folder}/count'] }`));
  const { credentials, renew } = await openConnection({ kubeconfig: `${folder}/config` });
  const tokenOf = async (): Promise<unknown> => (await credentials()).headers?.['Authorization' as never];
  assert.deepEqual([await tokenOf(), await tokenOf()], ['Bearer x', 'Bearer x']);
  renew!();
  assert.equal(await tokenOf(), 'Bearer xx');
});
