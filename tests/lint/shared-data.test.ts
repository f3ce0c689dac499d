// The shared manifests and texts: what lint must find in them, and what it must not.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasErrors, type Finding } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { saysWhoCalls } from '../../src/lint/callers/callers.ts';
import { lintCluster } from '../../src/lint/lint.ts';
import { repairText } from '../../src/mend/repair-text.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { reachOf } from '../cases/loaded-case.ts';
import { needs, sharedPath } from '../needs.ts';

function readSeed(name: string): { findings: readonly Finding[]; policies: ReturnType<typeof readManifests>['cluster']['policies']; meaning: readonly Finding[]; text: string } {
  const repair = repairText(name, readFileSync(sharedPath('seeds', name), 'utf8'));
  const { cluster, findings } = readManifests([sourceFromText(name, repair.text)]);
  assert.ok(!hasErrors(findings));
  return { findings: repair.findings, policies: cluster.policies, meaning: lintCluster(cluster, compileCluster(cluster)), text: repair.text };
}

function codesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ code, range }) => `${code} ${range?.start.line}`);
}

function lintFolder(folder: string): readonly Finding[] {
  const files = globSync('**/*.yaml', { cwd: sharedPath('data', folder) }).sort();
  const { cluster, written } = readManifests(files.map((file) => sourceFromText(file, readFileSync(sharedPath('data', folder, file), 'utf8'))), { keepsWritten: saysWhoCalls });
  assert.ok(cluster.policies.length > 5 && cluster.pods.length > 5);
  return lintCluster(cluster, compileCluster(cluster), { written });
}

test('the first text becomes the policy that it meant, and is told what it claims wrongly', needs('shared'), () => {
  const { findings, policies, meaning, text } = readSeed('000_2843c68aaa14a8c6.txt');
  assert.equal(policies.length, 1);
  const { name, namespace, podSelector, ingress, egress } = policies[0]!;
  assert.deepEqual({ name, namespace, podSelector, ingress, egress }, { name: 'anchan-deny-all', namespace: 'anchan', podSelector: { requirements: [] }, ingress: [], egress: [] });
  assert.ok(text.includes('podSelector: {} # Applicable to all the pods in the namespace\n'));
  assert.deepEqual(codesOf(findings), [
    'text-claims-otherwise 22',
    'yaml-trailing-blank 26',
    'yaml-indentation 27',
    'yaml-indentation 28',
    'yaml-trailing-blank 29',
    'yaml-indentation 30',
    'yaml-trailing-blank 30',
    'yaml-indentation 31',
    'yaml-indentation 32',
    'yaml-typographic-dash 32',
    'yaml-trailing-blank 32',
    'text-claims-otherwise 35',
  ]);
  assert.match(findings[0]!.message, /`role: backend`/);
  assert.deepEqual(meaning, []);
});

test('the second text is accepted, and told that its rule is reversed and DNS is cut', needs('shared'), () => {
  const { findings, policies, meaning } = readSeed('001_54ea78dea0c72d33.txt');
  assert.deepEqual(findings, []);
  assert.deepEqual(policies.map(({ name }) => name), ['my-network-policy']);
  assert.deepEqual(codesOf(meaning), ['reversed-direction 42', 'egress-without-dns 49']);
  assert.match(meaning[0]!.message, /tcp\/3306 .*`role=db`.*`role=app`/);
});

const POD = (namespace: string, role: string): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${role}, namespace: ${namespace}, labels: { role: ${role} } }\nspec: { containers: [{ name: main }] }\n---\n`;

/** Who reaches whom once the repaired text is applied beside pods. */
function reachWith(name: string, pods: string): string {
  const { cluster } = readManifests([sourceFromText(name, readSeed(name).text), sourceFromText('pods.yaml', pods)]);
  return reachOf(compileCluster(cluster));
}

test('the first text closes its namespace, both ways, and no other', needs('shared'), () => {
  assert.equal(
    reachWith('000_2843c68aaa14a8c6.txt', POD('anchan', 'backend') + POD('anchan', 'web') + POD('default', 'web')),
    'default/web → any IPv4, any IPv6  all\nany IPv4, any IPv6 → default/web  all\n',
  );
});

test('the second text lets db into app on 3306 and app to cache on 6379, and nothing else of app', needs('shared'), () => {
  assert.equal(
    reachWith('001_54ea78dea0c72d33.txt', POD('default', 'app') + POD('default', 'db') + POD('default', 'cache')),
    'default/app → default/cache  TCP 6379\ndefault/cache → default/db, any IPv4, any IPv6  all\ndefault/db → default/app  TCP 3306\ndefault/db → default/cache, any IPv4, any IPv6  all\nany IPv4, any IPv6 → default/cache, default/db  all\n',
  );
});

test('Sock Shop: the policies for carts select nothing, with the near miss', needs('shared'), () => {
  const findings = lintFolder('sock-shop');
  assert.deepEqual(
    findings.map(({ code, file }) => `${code} ${file}`),
    ['no-default-deny complete-demo.yaml', 'selects-no-pods policies/netpol-cart-access.yaml', 'peer-matches-nothing policies/netpol-cart-db-access.yaml', 'peer-matches-nothing policies/netpol-cortex-access.yaml'],
  );
  // Its default deny governs ingress alone.
  assert.match(findings[0]!.message, /no default deny for egress/);
  assert.match(findings[1]!.message, /`name=cart` selects no pod .*nearest is `name=carts` on `Deployment\/carts`/);
  assert.deepEqual(findings[1]!.edits?.map(({ text }) => text), ['carts']);
});

test('correct sets stay silent, but for what is true', needs('shared'), () => {
  const said = (folder: string): string[] => lintFolder(folder).map(({ code, severity, file, range }) => `${severity} ${code} ${file}:${range?.start.line}`);
  // They let all egress pass, and the frontend all ingress, each by a rule that says so.
  assert.deepEqual(said('online-boutique'), ['info allows-everybody policies/network-policy-adservice.yaml:35', 'info allows-everybody policies/network-policy-frontend.yaml:27']);
  assert.deepEqual(said('kube-prometheus'), [
    'info allows-everybody alertmanager-networkPolicy.yaml:14',
    'info no-default-deny namespace.yaml:7', // a policy for each workload, none for those to come
    'warning host-network-not-selected nodeExporter-networkPolicy.yaml:23', // nobody governs a pod on the host's network
    'info allows-everybody prometheusAdapter-networkPolicy.yaml:15',
  ]);
});
