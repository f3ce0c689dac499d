// Large clusters as an API server tells them: objects of the size that kubelets and controllers leave behind.

export interface AgentShape {
  readonly name: string;
  readonly pods: number;
  readonly workloads: number;
  readonly namespaces: number;
  readonly policies: number;
  /** Pods on the node of the agent, the first of all nodes. */
  readonly localPods: number;
  /** Whether the labels of each pod are like no other's. */
  readonly isEachDifferent: boolean;
  /** The part of all pods that policies name as peers: 1, or the tenth of one team. */
  readonly named: 'all' | 'a tenth';
}

export const NODE = 'node-0';
const TEAMS = 10;

export function* namespacesOf({ namespaces }: AgentShape): Generator<object> {
  for (let index = 0; index < namespaces; index++) yield { metadata: metadata(`ns-${index}`, undefined, { team: `team-${index % TEAMS}`, 'kubernetes.io/metadata.name': `ns-${index}` }) };
}

export function* nodesOf({ pods, localPods }: AgentShape): Generator<object> {
  const count = Math.ceil(pods / localPods);
  for (let index = 0; index < count; index++) {
    yield { metadata: metadata(`node-${index}`, undefined, { 'kubernetes.io/hostname': `node-${index}` }), spec: { podCIDR: `10.${index >> 7}.${(index & 127) * 2}.0/23` }, status: { addresses: [{ type: 'InternalIP', address: `192.168.${index >> 8}.${index & 255}` }] } };
  }
}

export function* podsOf(shape: AgentShape): Generator<object> {
  const count = Math.ceil(shape.pods / shape.localPods);
  for (let index = 0; index < shape.pods; index++) yield podOf(shape, index, index % count);
}

function podOf({ workloads, namespaces, isEachDifferent }: AgentShape, index: number, node: number): object {
  const workload = index % workloads;
  const namespace = `ns-${workload % namespaces}`;
  const hash = (workload * 7919).toString(36).padStart(8, 'x');
  const name = `app-${workload}-${hash}-${index.toString(36).padStart(5, '0')}`;
  const last = Math.floor(index / 1000) + 1;
  const ip = `10.${node >> 7}.${(node & 127) * 2 + (last >> 8)}.${last & 255}`;
  const labels = { app: `app-${workload}`, tier: ['web', 'api', 'db', 'job'][workload % 4]!, version: `v${workload % 3}`, 'pod-template-hash': hash, ...(isEachDifferent ? { 'statefulset.kubernetes.io/pod-name': name, 'example.com/instance': `${index}` } : {}) };
  const owner = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `app-${workload}-${hash}`, uid: `u${workload}`, controller: true, blockOwnerDeletion: true }];
  return {
    metadata: { ...metadata(name, namespace, labels), ownerReferences: owner },
    spec: { nodeName: `node-${node}`, serviceAccountName: 'default', containers: [container('main', ['http', 8080]), container('sidecar', ['metrics', 9090])], tolerations: TOLERATIONS, volumes: VOLUMES },
    status: { phase: 'Running', conditions: CONDITIONS, hostIP: '192.168.0.1', podIP: ip, podIPs: [{ ip }], containerStatuses: STATUSES, startTime: TIME, qosClass: 'Burstable' },
  };
}

export function* policiesOf(shape: AgentShape): Generator<object> {
  const { policies, namespaces, workloads, named } = shape;
  for (let index = 0; index < policies; index++) {
    const home = index % namespaces;
    const turn = Math.floor(index / namespaces);
    const app = `app-${home + (turn % Math.max(1, Math.floor(workloads / namespaces))) * namespaces}`;
    const elsewhere = named === 'all' ? {} : { matchLabels: { team: `team-${home % TEAMS}` } };
    const ingress = [{ from: [{ podSelector: { matchLabels: { tier: 'web' } } }, { namespaceSelector: elsewhere, podSelector: { matchLabels: { tier: ['web', 'api', 'db', 'job'][turn % 4]! } } }], ports: [{ port: turn % 2 === 0 ? 'http' : 8080, protocol: 'TCP' }] }];
    const egress = [{ to: [{ ipBlock: { cidr: `172.${16 + (turn % 16)}.0.0/16`, except: [`172.${16 + (turn % 16)}.${home % 256}.0/24`] } }], ports: [{ port: 443, protocol: 'TCP' }] }, { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ns-0' } } }], ports: [{ port: 53, protocol: 'UDP' }] }];
    yield { metadata: metadata(`policy-${turn}`, `ns-${home}`, { owner: 'platform' }), spec: { podSelector: { matchLabels: { app } }, policyTypes: turn % 3 === 0 ? ['Ingress', 'Egress'] : ['Ingress'], ingress, ...(turn % 3 === 0 ? { egress } : {}) } };
  }
}

const TIME = '2026-01-31T12:00:00Z';
const MANAGED = [{ manager: 'kube-controller-manager', operation: 'Update', apiVersion: 'v1', time: TIME, fieldsType: 'FieldsV1', fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, 'f:tier': {} } }, 'f:spec': { 'f:containers': { 'k:{"name":"main"}': { 'f:image': {}, 'f:ports': {}, 'f:resources': {} } } }, 'f:status': { 'f:conditions': {}, 'f:podIP': {} } } }];
const TOLERATIONS = ['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
const VOLUMES = [{ name: 'kube-api-access', projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }, { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }], defaultMode: 420 } }];
const CONDITIONS = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: TIME }));
const STATUSES = ['main', 'sidecar'].map((name) => ({ name, state: { running: { startedAt: TIME } }, lastState: {}, ready: true, restartCount: 0, image: `registry.example/${name}:1`, imageID: `registry.example/${name}@sha256:${'0123456789abcdef'.repeat(4)}`, containerID: `containerd://${'0123456789abcdef'.repeat(4)}`, started: true }));

let version = 1000;

function metadata(name: string, namespace: string | undefined, labels: object): object {
  version++;
  return { name, ...(namespace === undefined ? {} : { namespace }), uid: `00000000-0000-4000-8000-${String(version).padStart(12, '0')}`, resourceVersion: `${version}`, generation: 1, creationTimestamp: TIME, labels, annotations: { 'example.com/checksum': 'a'.repeat(64) }, managedFields: MANAGED };
}

function container(name: string, [port, number]: readonly [string, number]): object {
  const env = Array.from({ length: 8 }, (_, index) => ({ name: `SETTING_${index}`, value: `value-${index}` }));
  return { name, image: `registry.example/${name}:1`, ports: [{ name: port, containerPort: number, protocol: 'TCP' }], env, resources: { requests: { cpu: '100m', memory: '128Mi' } }, terminationMessagePath: '/dev/termination-log', imagePullPolicy: 'IfNotPresent' };
}
