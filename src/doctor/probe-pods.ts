// The objects of a live probe: a namespace that says whose it is and until when, and pods that need no right and no privilege.
import type { WantedObject } from '../kube/cluster-api.ts';

export const GROUND_LABEL = 'bulkhead.dev/probe';
export const OWNER_ANNOTATION = 'bulkhead.dev/owner';
export const EXPIRES_ANNOTATION = 'bulkhead.dev/expires';

/** Kubernetes' own test server: with it come `/agnhost` and a shell. */
export const PROBE_IMAGE = 'registry.k8s.io/e2e-test-images/agnhost:2.56';

export interface ProbePod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What every probe pod listens on, over both protocols of each pair; names are for TCP and UDP. */
export const PROBE_PORTS = [
  { name: 'web', protocol: 'TCP', port: 8080 },
  { name: 'dns', protocol: 'UDP', port: 8081 },
  { name: 'admin', protocol: 'TCP', port: 8090 },
  { name: 'log', protocol: 'UDP', port: 8091 },
] as const;

export interface GroundOwner {
  readonly owner: string;
  /** ISO 8601. */
  readonly expires: string;
}

export function groundNamespace(name: string, { owner, expires }: GroundOwner, labels: Readonly<Record<string, string>> = {}): WantedObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { [GROUND_LABEL]: 'doctor', 'pod-security.kubernetes.io/enforce': 'restricted', ...labels }, annotations: { [OWNER_ANNOTATION]: owner, [EXPIRES_ANNOTATION]: expires } },
  };
}

export interface PodOptions {
  readonly image: string;
  /** The kubelet ends it then, whoever is still there. */
  readonly livesSeconds: number;
  /** In place of serving. */
  readonly script?: string;
}

/** Bound to its node by the scheduler, whatever taints the node has. */
export function probePodObject({ namespace, name, node, labels }: ProbePod, { image, livesSeconds, script }: PodOptions): WantedObject {
  const security = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } };
  const resources = { requests: { cpu: '5m', memory: '16Mi' } };
  const serving = [0, 2].map((first) => {
    const [tcp, udp] = [PROBE_PORTS[first]!, PROBE_PORTS[first + 1]!];
    const ports = [tcp, udp].map((one) => ({ name: one.name, containerPort: one.port, protocol: one.protocol }));
    return { name: tcp.name, image, command: ['/agnhost'], args: ['netexec', `--http-port=${tcp.port}`, `--udp-port=${udp.port}`], ports, readinessProbe: { httpGet: { path: '/hostname', port: tcp.port }, periodSeconds: 1 }, securityContext: security, resources };
  });
  const scripted = [{ name: 'script', image, command: ['sh', '-c', script ?? ''], securityContext: security, resources }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      containers: script === undefined ? serving : scripted,
      restartPolicy: script === undefined ? 'Always' : 'Never',
      activeDeadlineSeconds: livesSeconds,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      tolerations: [{ operator: 'Exists' }],
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] } } },
    },
  };
}
