// Custom resources whose operator makes pods of them: the labels and ports that those pods get.
import type { ContainerPort } from '../../model/cluster.ts';
import { isMap, type LooseMap, type Value } from '../text/yaml-value.ts';

/** What an operator makes of one custom resource: a StatefulSet of this name for each shard. */
export interface OperatorKind {
  readonly apiGroup: string;
  readonly kind: string;
  /** The StatefulSet of a shard. */
  statefulSetName(name: string, shard: number): string;
  /** Labels that the operator sets, over those of `podMetadata`. */
  labels(name: string, shard: number): Readonly<Record<string, string>>;
  /** A label that the operator sets and whose value we cannot know, unless `podMetadata` names it. */
  readonly unknownKeys: readonly string[];
  ports(spec: LooseMap): readonly ContainerPort[];
  readonly hasShards: boolean;
}

const tcp = (name: string, port: number): ContainerPort => ({ name, protocol: 'TCP', port });
const udp = (name: string, port: number): ContainerPort => ({ name, protocol: 'UDP', port });

function webPort(spec: LooseMap, port: number): readonly ContainerPort[] {
  if (spec['listenLocal'] === true) return [];
  const portName = spec['portName'];
  return [tcp(typeof portName === 'string' && portName !== '' ? portName : 'web', port)];
}

const RELOADER: ContainerPort = tcp('reloader-web', 8080);

function thanosSidecar(spec: LooseMap): readonly ContainerPort[] {
  return isMap(spec['thanos']) ? [tcp('http', 10902), tcp('grpc', 10901)] : [];
}

// github.com/prometheus-operator/prometheus-operator v0.85: pkg/prometheus/{server,agent}/statefulset.go,
// pkg/alertmanager/statefulset.go, pkg/thanos/statefulset.go.
export const OPERATOR_KINDS: readonly OperatorKind[] = [
  {
    apiGroup: 'monitoring.coreos.com',
    kind: 'Prometheus',
    statefulSetName: (name, shard) => (shard === 0 ? `prometheus-${name}` : `prometheus-${name}-shard-${shard}`),
    labels: (name, shard) => ({
      'app.kubernetes.io/name': 'prometheus',
      'app.kubernetes.io/managed-by': 'prometheus-operator',
      'app.kubernetes.io/instance': name,
      prometheus: name,
      'operator.prometheus.io/name': name,
      'operator.prometheus.io/shard': String(shard),
    }),
    unknownKeys: ['app.kubernetes.io/version'],
    ports: (spec) => [...webPort(spec, 9090), RELOADER, ...thanosSidecar(spec)],
    hasShards: true,
  },
  {
    apiGroup: 'monitoring.coreos.com',
    kind: 'PrometheusAgent',
    statefulSetName: (name, shard) => (shard === 0 ? `prom-agent-${name}` : `prom-agent-${name}-shard-${shard}`),
    labels: (name, shard) => ({
      'app.kubernetes.io/name': 'prometheus-agent',
      'app.kubernetes.io/managed-by': 'prometheus-operator',
      'app.kubernetes.io/instance': name,
      'operator.prometheus.io/name': name,
      'operator.prometheus.io/shard': String(shard),
    }),
    unknownKeys: ['app.kubernetes.io/version'],
    ports: (spec) => [...webPort(spec, 9090), RELOADER],
    hasShards: true,
  },
  {
    apiGroup: 'monitoring.coreos.com',
    kind: 'Alertmanager',
    statefulSetName: (name) => `alertmanager-${name}`,
    labels: (name) => ({
      'app.kubernetes.io/name': 'alertmanager',
      'app.kubernetes.io/managed-by': 'prometheus-operator',
      'app.kubernetes.io/instance': name,
      alertmanager: name,
    }),
    unknownKeys: ['app.kubernetes.io/version'],
    ports: (spec) => [...webPort(spec, 9093), tcp('mesh-tcp', 9094), udp('mesh-udp', 9094), RELOADER],
    hasShards: false,
  },
  {
    apiGroup: 'monitoring.coreos.com',
    kind: 'ThanosRuler',
    statefulSetName: (name) => `thanos-ruler-${name}`,
    labels: (name) => ({
      'app.kubernetes.io/name': 'thanos-ruler',
      'app.kubernetes.io/managed-by': 'prometheus-operator',
      'app.kubernetes.io/instance': name,
      'thanos-ruler': name,
    }),
    unknownKeys: [],
    ports: (spec) => [tcp('grpc', 10901), ...webPort(spec, 10902), RELOADER],
    hasShards: false,
  },
];

export function findOperatorKind(apiVersion: string, kind: string): OperatorKind | undefined {
  const group = apiVersion.slice(0, Math.max(apiVersion.indexOf('/'), 0));
  return OPERATOR_KINDS.find((operator) => operator.kind === kind && operator.apiGroup === group);
}

export function podLabelsOf(spec: LooseMap): Value | undefined {
  const podMetadata = spec['podMetadata'];
  return isMap(podMetadata) ? podMetadata['labels'] : undefined;
}
