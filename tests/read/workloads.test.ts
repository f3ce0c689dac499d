// Controllers as the pods they make, and live pods in their place ("workloads in files" of the semantics).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INDEXED_PODS_MAX } from '../../src/read/objects/read-workload.ts';
import { formatFindings, formatPod, readText } from './reading.ts';

function podsAre(name: string, expected: readonly string[], text: string, findings: readonly string[] = []): void {
  test(name, () => {
    const { cluster, findings: found } = readText(text);
    assert.deepEqual(formatFindings(found), findings);
    assert.deepEqual(cluster.pods.map(formatPod), expected);
  });
}

const TEMPLATE = '{metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{containerPort: 80, name: http}]}]}}';

function workload(kind: string, spec: string, name = 'web'): string {
  const apiVersion = { Job: 'batch/v1', CronJob: 'batch/v1', ReplicationController: 'v1' }[kind] ?? 'apps/v1';
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\nspec: {${spec}}\n---\n`;
}

function pod(name: string, more: { readonly labels?: string; readonly owner?: string; readonly status?: string; readonly spec?: string } = {}): string {
  const owner = more.owner === undefined ? '' : `, ownerReferences: [{controller: true, ${more.owner}}]`;
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {${more.labels ?? 'app: web'}}${owner}}\nspec: {${more.spec ?? 'containers: []'}}\nstatus: {${more.status ?? 'phase: Running'}}\n---\n`;
}

// Template labels and ports, plus what the controller adds.
podsAre('a Deployment', ['shop/Deployment/web web x3 {app=web pod-template-hash=?} TCP/80=http'], workload('Deployment', `replicas: 3, template: ${TEMPLATE}`));
podsAre('a Deployment scaled to nothing counts as one', ['shop/Deployment/web web x1 {app=web pod-template-hash=?} TCP/80=http'], workload('Deployment', `replicas: 0, template: ${TEMPLATE}`));
podsAre('a ReplicaSet', ['shop/ReplicaSet/web web x2 {app=web} TCP/80=http'], workload('ReplicaSet', `replicas: 2, template: ${TEMPLATE}`));
podsAre('a ReplicationController', ['shop/ReplicationController/web web x1 {app=web} TCP/80=http'], workload('ReplicationController', `template: ${TEMPLATE}`));
podsAre(
  'a DaemonSet has one pod for each node',
  ['shop/DaemonSet/web web x2 {app=web controller-revision-hash=? pod-template-generation=?} TCP/80=http'],
  `${workload('DaemonSet', `template: ${TEMPLATE}`)}apiVersion: v1\nkind: Node\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: b}\n`,
);
podsAre(
  'a StatefulSet',
  [0, 1].map((n) => `shop/StatefulSet/web web-${n + 5} x1 {app=web apps.kubernetes.io/pod-index=${n + 5} statefulset.kubernetes.io/pod-name=web-${n + 5} controller-revision-hash=?} TCP/80=http`),
  workload('StatefulSet', `replicas: 2, ordinals: {start: 5}, template: ${TEMPLATE}`),
);
test('a StatefulSet of more pods than are told apart', () => {
  const { cluster, findings } = readText(workload('StatefulSet', `replicas: ${INDEXED_PODS_MAX + 7}, template: ${TEMPLATE}`));
  assert.deepEqual(formatFindings(findings), ['warning too-many-pods 1:1']);
  assert.equal(cluster.pods.length, INDEXED_PODS_MAX + 1);
  assert.equal(cluster.pods.reduce((sum, { replicas }) => sum + replicas, 0), INDEXED_PODS_MAX + 7);
});
podsAre(
  'a Job',
  ['shop/Job/web web x2 {app=web batch.kubernetes.io/job-name=web job-name=web batch.kubernetes.io/controller-uid=? controller-uid=?} TCP/80=http'],
  workload('Job', `parallelism: 2, suspend: true, template: ${TEMPLATE}`),
);
podsAre(
  'an indexed Job',
  [0, 1].map((n) => `shop/Job/web web-${n} x1 {app=web batch.kubernetes.io/job-completion-index=${n} batch.kubernetes.io/job-name=web job-name=web batch.kubernetes.io/controller-uid=? controller-uid=?} TCP/80=http`),
  workload('Job', `completionMode: Indexed, completions: 2, template: ${TEMPLATE}`),
);
podsAre(
  'a CronJob',
  ['shop/CronJob/web web x1 {app=web batch.kubernetes.io/controller-uid=? batch.kubernetes.io/job-name=? controller-uid=? job-name=?} TCP/80=http'],
  workload('CronJob', `schedule: "* * * * *", jobTemplate: {spec: {template: ${TEMPLATE}}}`),
);
podsAre(
  'an unknown kind that carries containers',
  ['shop/Rollout/web web x4 {app=web} TCP/80=http'],
  `apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 4, template: ${TEMPLATE}}\n`,
);
podsAre(
  'a resource of an operator',
  [0, 1].map(
    (n) =>
      `shop/Alertmanager/main alertmanager-main-${n} x1 {alertmanager=main app.kubernetes.io/instance=main app.kubernetes.io/managed-by=prometheus-operator app.kubernetes.io/name=alertmanager apps.kubernetes.io/pod-index=${n} statefulset.kubernetes.io/pod-name=alertmanager-main-${n} tier=ops app.kubernetes.io/version=? controller-revision-hash=?} TCP/9093=web TCP/9094=mesh-tcp UDP/9094=mesh-udp TCP/8080=reloader-web`,
  ),
  'apiVersion: monitoring.coreos.com/v1\nkind: Alertmanager\nmetadata: {name: main, namespace: shop}\nspec: {replicas: 2, podMetadata: {labels: {tier: ops}}}\n',
);
podsAre(
  'sidecars count, ordinary init containers do not, hostPort never',
  ['shop/Pod/web web x1 {app=web} UDP/53 TCP/9=side hostNetwork'],
  pod('web', { spec: 'hostNetwork: true, containers: [{name: c, ports: [{containerPort: 53, hostPort: 99, protocol: UDP}]}], initContainers: [{name: i, ports: [{containerPort: 7}]}, {name: s, restartPolicy: Always, ports: [{containerPort: 9, name: side}]}]' }),
);
podsAre('an old API version is read, and said', ['shop/Deployment/web web x1 {app=web pod-template-hash=?} TCP/80=http'], workload('Deployment', `template: ${TEMPLATE}`).replace('apps/v1', 'apps/v1beta1'), ['warning removed-api-version 1:13']);
podsAre('a label that is a number is an error', ['shop/Deployment/web web x1 {pod-template-hash=?}'], workload('Deployment', 'template: {metadata: {labels: {version: 1}}}'), ['error wrong-type 4:48']);
podsAre('a port out of range is an error', ['shop/Deployment/web web x1 {pod-template-hash=?}'], workload('Deployment', 'template: {spec: {containers: [{ports: [{containerPort: 0}]}]}}'), ['error invalid-port 4:64']);

// Live pods stand under their topmost controller, in place of its template.
const HASH = 'app: web, pod-template-hash: 5d4f';
const OF_REPLICA_SET = { labels: HASH, owner: 'kind: ReplicaSet, name: web-5d4f' };
podsAre('pods of a Deployment whose ReplicaSet is not there', ['shop/Deployment/web web-5d4f-a x1 {app=web pod-template-hash=5d4f}', 'shop/Deployment/web web-5d4f-b x1 {app=web pod-template-hash=5d4f}'], pod('web-5d4f-b', OF_REPLICA_SET) + pod('web-5d4f-a', OF_REPLICA_SET));
podsAre('pods take the place of the template', ['shop/Deployment/web web-5d4f-a x1 {app=web pod-template-hash=5d4f}'], workload('Deployment', `replicas: 3, template: ${TEMPLATE}`) + pod('web-5d4f-a', OF_REPLICA_SET));
const OWNED_REPLICA_SET = workload('ReplicaSet', `replicas: 0, template: ${TEMPLATE}`, 'web-5d4f').replace('namespace: shop}', 'namespace: shop, ownerReferences: [{controller: true, kind: Deployment, name: web}]}');
podsAre('an old ReplicaSet of a Deployment makes no pods of its own', ['shop/Deployment/web web x1 {app=web pod-template-hash=?} TCP/80=http'], workload('Deployment', `template: ${TEMPLATE}`) + OWNED_REPLICA_SET);
podsAre('all of a live dump', ['shop/Deployment/web web-5d4f-a x1 {app=web pod-template-hash=5d4f}'], workload('Deployment', `template: ${TEMPLATE}`) + OWNED_REPLICA_SET + pod('web-5d4f-a', OF_REPLICA_SET));
podsAre('a ReplicaSet without a Deployment keeps its pods', ['shop/ReplicaSet/web-5d4f web-5d4f-a x1 {app=web pod-template-hash=5d4f}'], workload('ReplicaSet', `template: ${TEMPLATE}`, 'web-5d4f') + pod('web-5d4f-a', OF_REPLICA_SET));
podsAre('a Job of a CronJob', ['shop/CronJob/web web-123-x x1 {app=web}'], workload('CronJob', `jobTemplate: {spec: {template: ${TEMPLATE}}}`) + pod('web-123-x', { owner: 'kind: Job, name: web-123' }));
podsAre('a static pod is its own', ['shop/Pod/web web x1 {app=web}'], pod('web', { owner: 'kind: Node, name: a' }));
podsAre('finished pods are not there', [], pod('a', { status: 'phase: Succeeded' }) + pod('b', { status: 'phase: Failed' }));
podsAre('a Job that is done has no pods', [], workload('Job', `template: ${TEMPLATE}`) + pod('web-x', { owner: 'kind: Job, name: web', status: 'phase: Succeeded' }));
podsAre('a Deployment whose only pod failed will have another', ['shop/Deployment/web web x1 {app=web pod-template-hash=?} TCP/80=http'], workload('Deployment', `template: ${TEMPLATE}`) + pod('web-5d4f-a', { ...OF_REPLICA_SET, status: 'phase: Failed' }));
podsAre('addresses of both families', ['shop/Pod/web web x1 {app=web} 10.0.0.7 fd00::7'], pod('web', { status: 'podIP: 10.0.0.7, podIPs: [{ip: 10.0.0.7}, {ip: "fd00::7"}]' }));
podsAre('a hostNetwork pod has its node’s addresses', ['shop/Pod/web web x1 {app=web} hostNetwork 192.0.2.1'], `${pod('web', { spec: 'hostNetwork: true, nodeName: a' })}apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: [{type: Hostname, address: a}, {type: InternalIP, address: 192.0.2.1}]}\n`);
podsAre('pods are sorted by number', ['shop/Pod/db-2 db-2 x1 {app=web}', 'shop/Pod/db-10 db-10 x1 {app=web}'].sort(), pod('db-10') + pod('db-2'));

test('duplicates: alike is said, different is an error', () => {
  assert.deepEqual(formatFindings(readText(pod('web') + pod('web')).findings), ['info duplicate-object 9:18']);
  assert.deepEqual(formatFindings(readText(pod('web') + pod('web', { labels: 'app: db' })).findings), ['error duplicate-object 9:18']);
});

test('owners in a circle end', () => {
  const circle = workload('ReplicaSet', `template: ${TEMPLATE}`).replace('namespace: shop}', 'namespace: shop, ownerReferences: [{controller: true, kind: ReplicaSet, name: web}]}');
  assert.equal(readText(circle + pod('web-x', { owner: 'kind: ReplicaSet, name: web' })).cluster.pods.length, 1);
});

test('a Service', () => {
  const { cluster, findings } = readText(
    'apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n  type: NodePort\n  clusterIPs: [10.96.0.1, "fd00::1"]\n  selector: {app: web}\n  ports:\n  - {name: http, port: 80, targetPort: web, nodePort: 30080}\n  - {port: 53, protocol: UDP}\n',
  );
  assert.deepEqual(findings, []);
  const [service] = cluster.services;
  assert.equal(service?.type, 'NodePort');
  assert.equal(service?.isHeadless, false);
  assert.equal(service?.clusterIps.length, 2);
  assert.deepEqual([...(service?.selector ?? [])], [['app', 'web']]);
  assert.deepEqual(service?.ports, [
    { name: 'http', protocol: 'TCP', port: 80, targetPort: 'web', nodePort: 30080 },
    { name: undefined, protocol: 'UDP', port: 53, targetPort: 53, nodePort: undefined },
  ]);
});

test('a headless Service without a selector', () => {
  const { cluster } = readText('apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: None}\n');
  assert.equal(cluster.services[0]?.isHeadless, true);
  assert.equal(cluster.services[0]?.selector, undefined);
  assert.deepEqual(cluster.services[0]?.clusterIps, []);
});
