// A random day of a fake cluster: objects come, change and go while watches are cut, forgotten and refused.
import fc from 'fast-check';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import type { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { CLUSTER_POLICIES } from '../../src/agent/followed-kinds.ts';

/** One thing that happens, in words and in deed; the cluster refuses some, as a server does. */
export interface Happening {
  readonly what: string;
  act(cluster: FakeCluster): void | Promise<void>;
}

const CNP = CLUSTER_POLICIES.ClusterNetworkPolicy;
const NAMES = ['a', 'b', 'c'] as const;
const name = fc.constantFrom(...NAMES);
const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'pod-template-hash'), fc.constantFrom('x', 'y', '5d9'), { maxKeys: 2 });

const pod = fc
  .record({ namespace: name, name, labels, phase: fc.constantFrom('Pending', 'Running', 'Running', 'Succeeded', 'Failed'), last: fc.integer({ min: 0, max: 9 }), nodeName: fc.option(name, { nil: undefined }), owner: fc.constantFrom(undefined, 'web-5d9', 'job'), port: fc.constantFrom(undefined, 'http', 'dns'), hostNetwork: fc.boolean() })
  .map(({ namespace, name, labels, phase, last, nodeName, owner, port, hostNetwork }): WantedObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${name}`, namespace, labels, ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'apps/v1', kind: owner === 'job' ? 'Job' : 'ReplicaSet', name: owner, uid: 'u', controller: true }] }) },
    spec: { ...(nodeName === undefined ? {} : { nodeName }), ...(hostNetwork ? { hostNetwork } : {}), containers: [{ name: 'c', ports: [{ containerPort: 8080 }, ...(port === undefined ? [] : [{ name: port, containerPort: 80 + last }])] }] },
    // A pod of its node's network that has not reported any address has none; in files it has its node's.
    status: { phase, ...(last === 0 && !hostNetwork ? {} : { podIP: `10.0.0.${last}`, podIPs: [{ ip: `10.0.0.${last}` }] }) },
  }));

const node = fc.record({ name, labels, last: fc.integer({ min: 1, max: 9 }) }).map(({ name, labels, last }): WantedObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: { podCIDR: `10.0.${last}.0/24` }, status: { addresses: [{ type: 'InternalIP', address: `192.168.0.${last}` }] } }));

const namespace = fc.record({ name, labels }).map(({ name, labels }): WantedObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));

const SPECS: readonly object[] = [
  { podSelector: {} },
  { podSelector: { matchLabels: { app: 'x' } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { tier: 'y' } } }], ports: [{ port: 'http' }] }] },
  { podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/30' } }] }], policyTypes: ['Egress'] },
];
const policy = fc.record({ namespace: name, name, spec: fc.constantFrom(...SPECS) }).map(({ namespace, name, spec }): WantedObject => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec }));

const clusterPolicy = fc
  .record({ name, priority: fc.integer({ min: 0, max: 3 }), action: fc.constantFrom('Accept', 'Deny', 'Pass'), value: fc.constantFrom('x', 'y') })
  .map(({ name, priority, action, value }): WantedObject => ({ apiVersion: CNP.apiVersion, kind: CNP.kind, metadata: { name }, spec: { tier: 'Admin', priority, subject: { namespaces: {} }, ingress: [{ action, from: [{ namespaces: { matchLabels: { tier: value } } }] }] } }));

const object = fc.oneof({ arbitrary: pod, weight: 6 }, node, namespace, { arbitrary: policy, weight: 2 }, clusterPolicy);

function putting(object: WantedObject): Happening {
  return { what: `put ${JSON.stringify(object)}`, act: (cluster) => void accepted(() => cluster.put(object)) };
}

function removing(object: WantedObject): Happening {
  const { kind, metadata } = object;
  return { what: `remove ${kind} ${metadata.namespace ?? ''}/${metadata.name}`, act: (cluster) => accepted(() => (kind === 'Namespace' ? emptyNamespace(cluster, metadata.name) : cluster.remove(object))) };
}

/** A namespace goes with all that stands in it, and last. */
function emptyNamespace(cluster: FakeCluster, namespace: string): void {
  for (const name of NAMES) {
    accepted(() => cluster.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${name}`, namespace } }));
    accepted(() => cluster.remove({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace } }));
  }
  cluster.remove({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
}

/** What the server says no to does not happen. */
function accepted(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
  }
}

const FAULTS: readonly Happening[] = [
  { what: 'go away', act: (cluster) => cluster.goAway() },
  { what: 'come back', act: (cluster) => cluster.comeBack() },
  { what: 'cut', act: (cluster) => cluster.cutWatches() },
  { what: 'compact', act: (cluster) => cluster.compact() },
  { what: 'forbid', act: (cluster) => cluster.forbid('pods') },
  { what: 'permit', act: (cluster) => cluster.permit('pods') },
  { what: 'serve', act: (cluster) => cluster.serve(CNP) },
  { what: 'unserve', act: (cluster) => cluster.unserve(CNP) },
];

/** Whatever a fake cluster has to tell is told in the meantime. */
export async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const SOME_TURNS: Happening = { what: 'wait', act: someTurns };

export const randomDay: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof({ arbitrary: object.map(putting), weight: 8 }, { arbitrary: object.map(removing), weight: 3 }, { arbitrary: fc.constantFrom(...FAULTS), weight: 2 }, { arbitrary: fc.constant(SOME_TURNS), weight: 3 }),
  { maxLength: 80 },
);

/** Everything that a cluster may lack is there again. */
export function calm(cluster: FakeCluster): void {
  cluster.comeBack();
  cluster.permit('pods');
  cluster.unserve(CNP);
  cluster.serve(CNP);
}

/** One object of each kind that carries the stamp: who has seen it hears of the present. */
export function stampEvery(cluster: FakeCluster, stamp: string): void {
  const labels = { stamp };
  cluster.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'stamp', labels } });
  cluster.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'stamp', labels } });
  cluster.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stamp', namespace: 'stamp', labels }, spec: { containers: [{ name: 'c' }] } });
  cluster.put({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'stamp', namespace: 'stamp' }, spec: { podSelector: { matchLabels: labels } } });
  cluster.put({ apiVersion: CNP.apiVersion, kind: CNP.kind, metadata: { name: 'stamp' }, spec: { tier: 'Baseline', priority: 1, subject: { namespaces: { matchLabels: labels } } } });
}
