// `bulkhead apply`, `rollback` and `history` where there is no cluster, or the words are wrong: a sentence, and a status that says whose fault it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBulkhead } from './run-bulkhead.ts';

const NOWHERE = ['--kubeconfig', '/nowhere/kubeconfig'];
const POLICY = '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a"},"spec":{"podSelector":{}}}\n';

function check(name: string, words: readonly string[], expected: { readonly status: number; readonly says: RegExp; readonly input?: string }): void {
  test(name, () => {
    const { status, stderr } = runBulkhead(words, { input: expected.input ?? POLICY });
    assert.deepEqual([status, expected.says.test(stderr)], [expected.status, true], stderr);
  });
}

check('no cluster', ['apply', '-', ...NOWHERE, '--yes'], { status: 3, says: /\/nowhere\/kubeconfig/ });
check('no cluster to take anything back in', ['rollback', ...NOWHERE, '--yes'], { status: 3, says: /\/nowhere\/kubeconfig/ });
check('no cluster with a history', ['history', ...NOWHERE], { status: 3, says: /\/nowhere\/kubeconfig/ });
check('a policy that cannot be understood', ['apply', '-', ...NOWHERE], { status: 2, says: /nothing was judged/, input: POLICY.replace('podSelector', 'podSelektor') });
check('no policy at all', ['apply', '-', ...NOWHERE], { status: 2, says: /there is no policy in what was read/, input: '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}\n' });
check('a release with a name that no label takes', ['apply', '-', ...NOWHERE, '--release', 'A_b'], { status: 2, says: /`A_b` is no name of a release/ });
check('break-glass without a reason', ['apply', '-', ...NOWHERE, '--for', '2h'], { status: 2, says: /add --reason/ });
check('break-glass for a year', ['apply', '-', ...NOWHERE, '--for', '8760h', '--reason', 'x'], { status: 2, says: /from a second to a week/ });
check('a duration that is none', ['apply', '-', ...NOWHERE, '--wait', 'soon'], { status: 2, says: /A duration is wanted/ });
check('a guard that there is none of', ['apply', '-', ...NOWHERE, '--allow', 'dsn'], { status: 2, says: /Did you mean dns\?/ });
check('a kind that cannot be staged', ['apply', '-', ...NOWHERE, '--stage'], { status: 2, says: /BaselineAdminNetworkPolicy default cannot be staged/, input: '{"apiVersion":"policy.networking.k8s.io/v1alpha1","kind":"BaselineAdminNetworkPolicy","metadata":{"name":"default"},"spec":{"subject":{"namespaces":{}}}}\n' });
