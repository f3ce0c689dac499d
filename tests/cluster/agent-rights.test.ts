// A real API server with the shipped manifests: the agent asks for what they grant and for nothing more, and says which right it lacks.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, test, type TestContext } from 'node:test';
import { loadAll } from 'js-yaml';
import { startAgent } from '../../src/agent/agent.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { performDuties } from '../../src/cli/run/agent-duties.ts';
import { agentManifests } from '../../src/cli/run/agent-manifests.ts';
import { uninstallCluster } from '../../src/cli/run/agent-uninstall.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { createFakeFirewall, type FakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { needs } from '../needs.ts';
import { agentToken } from './agent-token.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { otherUser } from './restricted-user.ts';

const wants = needs('apiserver');
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-audit-'));
after(() => rmSync(folder, { recursive: true }));
const auditLog = join(folder, 'log');
writeFileSync(join(folder, 'policy'), JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules: [{ level: 'Metadata', users: ['system:serviceaccount:bulkhead-system:bulkhead-agent'] }] }));
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles(), extraArgs: `--audit-policy-file=${join(folder, 'policy')} --audit-log-path=${auditLog}` }) : undefined;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** `group/resource verb`. */
function rightsOf(rules: readonly Rule[]): string[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) => apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)))).sort();
}

function shippedRules(): readonly Rule[] {
  const manifests = loadAll(agentManifests()) as { readonly kind: string; readonly rules: readonly Rule[] }[];
  return manifests.flatMap(({ kind, rules }) => (kind === 'ClusterRole' || kind === 'Role' ? rules : []));
}

function grant(rights: readonly string[]): void {
  const rules = rights.map((right): Rule => {
    const [place, verb] = right.split(' ') as [string, string];
    const [group, ...resource] = place.split('/') as [string, ...string[]];
    return { apiGroups: [group], resources: [resource.join('/')], verbs: [verb] };
  });
  server!.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'bulkhead-agent', labels: { 'app.kubernetes.io/name': 'bulkhead' } }, rules }));
}

const policyText = (port: number): string => JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'shop' }, spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port }] }] } });

const NODE = 'n1';

const NAMING = { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name: 'names' }, spec: { tier: 'Admin', priority: 1, subject: { namespaces: { matchLabels: { nobody: 'has' } } }, egress: [{ action: 'Accept', to: [{ domainNames: ['www.example.org'] }] }] } };

function prepare(): void {
  const { kubectl } = server!;
  kubectl(['apply', '-f', '-'], agentManifests());
  kubectl(['wait', '--for=condition=Established', 'crd', 'nodeenforcements.bulkhead.dev', 'stagedpolicies.bulkhead.dev', 'stagedclusterpolicies.bulkhead.dev']);
  kubectl(['create', 'namespace', 'shop']);
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE }, spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] } }));
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: { nodeName: NODE, containers: [{ name: 'web', image: 'x' }] } }));
  kubectl(['patch', 'pod', 'web', '-n', 'shop', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { phase: 'Running', podIP: '10.244.1.5', podIPs: [{ ip: '10.244.1.5' }] } })]);
  kubectl(['apply', '-f', '-'], policyText(80));
  kubectl(['apply', '-f', '-'], JSON.stringify(NAMING));
  for (const [kind, spec] of [['StagedPolicy', { networkPolicy: { podSelector: {} } }], ['StagedClusterPolicy', { clusterNetworkPolicy: { tier: 'Admin', priority: 1, subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] } }]] as const) {
    kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'bulkhead.dev/v1alpha1', kind, metadata: { name: 'none', ...(kind === 'StagedPolicy' ? { namespace: 'shop' } : {}) }, spec }));
  }
}

interface Run {
  readonly lines: string[];
  readonly isReady: () => boolean;
  readonly troubles: () => string;
  stop(): Promise<void>;
}

async function run(context: TestContext, kernel: FakeFirewall): Promise<Run> {
  const kubeconfig = otherUser(server!, 'agent', () => ({ token: agentToken(server!, NODE) }));
  const api = new KubeApi(await openConnection({ kubeconfig }));
  const stop = new AbortController();
  const { signal } = stop;
  context.after(() => stop.abort());
  const { agent, ended } = startAgent({ api, firewall: kernel, node: NODE, clock: systemClock, signal, answers: { open: () => ({ close: () => {} }), servers: [] } });
  const lines: string[] = [];
  const duties = performDuties({ agent, node: NODE, api, version: '0', nftVersion: '0', log: (_, message) => lines.push(message), signal, door: undefined, observes: false });
  return {
    lines,
    isReady: () => agent.state.isReady,
    troubles: () => agent.state.troubles.map(({ message }) => message).join('\n'),
    stop: async () => {
      stop.abort();
      await Promise.all([ended, duties]);
    },
  };
}

/** The test's own bound ends the waiting. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(50);
}

function accepts(kernel: FakeFirewall, port: number): boolean {
  return kernel.decide({ source: parseIpAddress('203.0.113.9')!, target: parseIpAddress('10.244.1.5')!, protocol: 6, port }) === 'accept';
}

function asked(): string[] {
  const events = readFileSync(auditLog, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { readonly verb: string; readonly objectRef?: { readonly apiGroup?: string; readonly resource: string; readonly subresource?: string }; readonly responseStatus?: { readonly code: number } });
  const refused = events.filter(({ responseStatus, objectRef }) => responseStatus?.code === 403 && objectRef !== undefined);
  assert.deepEqual(refused.map(({ verb, objectRef }) => `${objectRef!.resource} ${verb}`), [], 'nothing is asked in vain');
  const rights = events.flatMap(({ verb, objectRef }) => (objectRef === undefined ? [] : [`${objectRef.apiGroup ?? ''}/${objectRef.resource}${objectRef.subresource === undefined ? '' : `/${objectRef.subresource}`} ${verb}`]));
  return [...new Set(rights)].sort();
}

test('the agent asks for what the manifests grant, and for nothing more; without a right it says which', wants, async (context) => {
  prepare();
  const kernel = createFakeFirewall();
  const whole = await run(context, kernel);
  await until(() => whole.isReady() && accepts(kernel, 80));
  await until(() => server!.kubectl(['get', 'nodeenforcement', NODE, '--ignore-not-found', '-o', 'jsonpath={.status.ready}']) === 'true');
  server!.kubectl(['apply', '-f', '-'], policyText(81));
  await until(() => accepts(kernel, 81));
  await until(() => server!.kubectl(['get', 'events', '-n', 'shop', '-o', 'jsonpath={.items[*].reason}']).includes('InForce'));
  await until(() => server!.kubectl(['get', 'stagedpolicy', 'none', '-n', 'shop', '-o', `jsonpath={.status.nodes.${NODE}.generation}`]) === '1');
  await until(() => server!.kubectl(['get', 'stagedclusterpolicy', 'none', '-o', `jsonpath={.status.nodes.${NODE}.generation}`]) === '1');
  await whole.stop();
  // A create is part of an apply that finds nothing; lists are for servers that cannot stream them.
  const granted = rightsOf(shippedRules());
  const used = asked();
  assert.deepEqual(used.filter((right) => !granted.includes(right)), []);
  assert.deepEqual(granted.filter((right) => !used.includes(right) && !right.endsWith(' list') && right !== 'bulkhead.dev/nodeenforcements create'), []);

  let port = 100;
  for (const right of granted.filter((one) => !one.endsWith(' list'))) {
    grant(granted.filter((other) => other !== right));
    server!.kubectl(['delete', 'nodeenforcement', NODE, '--ignore-not-found']);
    const [resource] = /[^/ ]+(?= )|[^/]+\/status(?= )/.exec(right.slice(right.indexOf('/') + 1))!;
    const before = kernel.listing();
    const lacking = await run(context, kernel);
    const isTold = (): boolean => [...lacking.lines, lacking.troubles()].some((line) => line.includes(resource!));
    const isNeeded = right.endsWith(' watch') && !right.includes('staged') && !right.startsWith('/services');
    if (isNeeded) {
      await until(isTold);
      assert.equal(kernel.listing(), before, `without ${right} the kernel holds what it held`);
    } else {
      server!.kubectl(['apply', '-f', '-'], policyText(++port));
      await until(() => accepts(kernel, port));
      // Of what is staged, nothing is counted within the time of this test.
      if (!right.startsWith('bulkhead.dev/staged')) await until(isTold);
    }
    await lacking.stop();
  }
  grant(granted);
});

const KINDS = 'crd,clusterrole,clusterrolebinding,role,rolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding';

test('what the manifests made is taken away again, and nothing else', wants, async () => {
  const { kubectl } = server!;
  kubectl(['create', 'clusterrole', 'bulkhead-agent-of-somebody-else', '--verb=get', '--resource=pods']);
  const before = kubectl(['get', KINDS, '-A', '-o', 'name']).split('\n').filter((name) => !/bulkhead\.dev$|\/bulkhead-agent$/.test(name));
  const api = new KubeApi(await openConnection({ kubeconfig: server!.kubeconfig }));
  await uninstallCluster(api);
  await until(() => !kubectl(['get', 'crd', '-o', 'name']).includes('bulkhead.dev'));
  assert.deepEqual(kubectl(['get', KINDS, '-A', '-o', 'name']).split('\n'), before);
  kubectl(['create', 'clusterrole', 'bulkhead-agent', '--verb=get', '--resource=pods']);
  await assert.rejects(uninstallCluster(api), /ClusterRole bulkhead-agent without our label/);
  assert.match(kubectl(['get', 'clusterrole', 'bulkhead-agent', '-o', 'name']), /bulkhead-agent/);
});

