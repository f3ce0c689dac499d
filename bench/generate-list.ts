// Writes a `List` of pods as `kubectl get pods -A -o json --show-managed-fields` prints it, straight into a file.
import { closeSync, openSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Pods of one write. */
const BATCH = 200;

/** Some 13 kB a pod, printed with four blanks; namespaces and policies are left to others. */
export function writePodList(file: string, count: number): void {
  const out = openSync(file, 'w');
  try {
    writeSync(out, '{\n    "apiVersion": "v1",\n    "items": [\n');
    for (let first = 0; first < count; first += BATCH) {
      const pods = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => podText(first + index));
      writeSync(out, `${first === 0 ? '' : ',\n'}${pods.join(',\n')}`);
    }
    writeSync(out, '\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n');
  } finally {
    closeSync(out);
  }
}

/** Objects nest as deep as in the real output, so that their blanks count as well. */
function podText(index: number): string {
  return JSON.stringify(pod(index), undefined, 4).replaceAll(/^/gm, '        ');
}

function pod(index: number): object {
  const app = `app-${index % 9_973}`;
  const hash = hex(index, 9);
  const namespace = `ns-${index % 50}`;
  const name = `${app}-${hash}-${hex(index * 7 + 1, 5)}`;
  const ip = `10.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  const labels = { app, 'app.kubernetes.io/instance': app, 'app.kubernetes.io/part-of': `team-${index % 40}`, 'pod-template-hash': hash, tier: ['web', 'api', 'worker', 'cache', 'db'][index % 5] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      annotations: { 'checksum/config': hex(index * 31, 64), 'prometheus.io/port': '9090', 'prometheus.io/scrape': 'true' },
      creationTimestamp: '2026-08-21T07:13:52Z',
      generateName: `${app}-${hash}-`,
      labels,
      managedFields: [managedBy('kube-controller-manager', SPEC_FIELDS, undefined), managedBy('kubelet', STATUS_FIELDS, 'status')],
      name,
      namespace,
      ownerReferences: [{ apiVersion: 'apps/v1', blockOwnerDeletion: true, controller: true, kind: 'ReplicaSet', name: `${app}-${hash}`, uid: uid(index) }],
      resourceVersion: String(1_000_000 + index),
      uid: uid(index * 3 + 1),
    },
    spec: spec(app, index),
    status: status(app, ip, index),
  };
}

function spec(app: string, index: number): object {
  const probe = (path: string): object => ({ failureThreshold: 3, httpGet: { path, port: 'http', scheme: 'HTTP' }, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 });
  return {
    containers: [
      {
        env: [
          { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
          { name: 'JAVA_OPTS', value: '-XX:MaxRAMPercentage=75 -Dconfig="/etc/app/config.yaml"' },
        ],
        image: `registry.example/${app}:1.${index % 100}.0`,
        imagePullPolicy: 'IfNotPresent',
        livenessProbe: probe('/healthz'),
        name: 'main',
        ports: [
          { containerPort: 8080, name: 'http', protocol: 'TCP' },
          { containerPort: 9090, name: 'metrics', protocol: 'TCP' },
        ],
        resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        volumeMounts: [
          { mountPath: '/etc/app', name: 'config' },
          { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', name: `kube-api-access-${hex(index, 5)}`, readOnly: true },
        ],
      },
    ],
    dnsPolicy: 'ClusterFirst',
    enableServiceLinks: true,
    nodeName: `ip-10-0-${index % 250}-${index % 200}.eu-central-1.compute.internal`,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: { fsGroup: 1000 },
    serviceAccount: app,
    serviceAccountName: app,
    terminationGracePeriodSeconds: 30,
    tolerations: ['not-ready', 'unreachable'].map((key) => ({ effect: 'NoExecute', key: `node.kubernetes.io/${key}`, operator: 'Exists', tolerationSeconds: 300 })),
    volumes: [
      { configMap: { defaultMode: 420, name: app }, name: 'config' },
      {
        name: `kube-api-access-${hex(index, 5)}`,
        projected: {
          defaultMode: 420,
          sources: [
            { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
          ],
        },
      },
    ],
  };
}

function status(app: string, ip: string, index: number): object {
  const time = '2026-08-21T07:14:07Z';
  return {
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ lastProbeTime: null, lastTransitionTime: time, status: 'True', type })),
    containerStatuses: [
      {
        containerID: `containerd://${hex(index * 13, 64)}`,
        image: `registry.example/${app}:1.${index % 100}.0`,
        imageID: `registry.example/${app}@sha256:${hex(index * 17, 64)}`,
        lastState: {},
        name: 'main',
        ready: true,
        restartCount: 0,
        started: true,
        state: { running: { startedAt: time } },
      },
    ],
    hostIP: `10.0.${index % 250}.${index % 200}`,
    hostIPs: [{ ip: `10.0.${index % 250}.${index % 200}` }],
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    qosClass: 'Burstable',
    startTime: time,
  };
}

function managedBy(manager: string, fieldsV1: object, subresource: string | undefined): object {
  return { apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, manager, operation: 'Update', ...(subresource === undefined ? {} : { subresource }), time: '2026-08-21T07:13:52Z' };
}

const fields = (...names: readonly string[]): Record<string, object> => Object.fromEntries(names.map((name) => [`f:${name}`, {}]));

const SPEC_FIELDS = {
  'f:metadata': { 'f:annotations': { '.': {}, ...fields('checksum/config', 'prometheus.io/port', 'prometheus.io/scrape') }, 'f:labels': { '.': {}, ...fields('app', 'app.kubernetes.io/instance', 'app.kubernetes.io/part-of', 'pod-template-hash', 'tier') }, 'f:ownerReferences': { '.': {} } },
  'f:spec': {
    'f:containers': {
      'k:{"name":"main"}': {
        '.': {},
        ...fields('image', 'imagePullPolicy', 'name', 'terminationMessagePath', 'terminationMessagePolicy'),
        'f:ports': { '.': {}, 'k:{"containerPort":8080,"protocol":"TCP"}': { '.': {}, ...fields('containerPort', 'name', 'protocol') } },
      },
    },
    ...fields('dnsPolicy', 'restartPolicy', 'schedulerName'),
    'f:securityContext': { '.': {}, 'f:fsGroup': {} },
  },
};

const STATUS_FIELDS = {
  'f:status': {
    'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, ...fields('lastProbeTime', 'lastTransitionTime', 'status', 'type') } },
    ...fields('containerStatuses', 'hostIP', 'hostIPs', 'phase', 'podIP', 'startTime'),
  },
};

/** Digits that are the same for the same number, and look like a hash. */
function hex(number: number, length: number): string {
  let text = '';
  for (let state = (Math.imul(number + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0; text.length < length; state = (Math.imul(state, 0x85ebca6b) ^ (state >>> 13)) >>> 0) text += state.toString(16).padStart(8, '0');
  return text.slice(0, length);
}

function uid(number: number): string {
  return hex(number, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** `bin/node bench/generate-list.ts FILE [PODS]`. */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, count = '100000'] = process.argv.slice(2);
  if (file === undefined) throw new Error('name a file to write');
  writePodList(file, Number(count));
}
