// Which server is meant, and what is said where that cannot be known.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { WordError } from '../../src/base/word-error.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { openConnection, type ClusterChoice, type Connection } from '../../src/kube/kube-config.ts';
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
