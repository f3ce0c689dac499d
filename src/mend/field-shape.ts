// The fields of the objects whose indentation can be repaired: which key may stand in which.

export type FieldShape =
  /** Known fields; nothing else belongs here. */
  | { readonly kind: 'fields'; readonly fields: Readonly<Record<string, FieldShape>> }
  /** Any key with a plain value, such as labels. */
  | { readonly kind: 'labels' }
  | { readonly kind: 'list'; readonly item: FieldShape }
  | { readonly kind: 'scalar' }
  /** Whatever the author indented below the key: moved as a whole, never looked into. */
  | { readonly kind: 'anything' };

const SCALAR: FieldShape = { kind: 'scalar' };
const LABELS: FieldShape = { kind: 'labels' };
const ANYTHING: FieldShape = { kind: 'anything' };
const SCALARS: FieldShape = listOf(SCALAR);

function fieldsOf(fields: Record<string, FieldShape>): FieldShape {
  return { kind: 'fields', fields };
}

function listOf(item: FieldShape): FieldShape {
  return { kind: 'list', item };
}

function allOf(names: string, shape: FieldShape): Record<string, FieldShape> {
  return Object.fromEntries(names.split(' ').map((name) => [name, shape]));
}

const METADATA = fieldsOf({
  ...allOf('name namespace generateName uid resourceVersion generation creationTimestamp', SCALAR),
  labels: LABELS,
  annotations: LABELS,
  finalizers: SCALARS,
  ...allOf('ownerReferences managedFields', ANYTHING),
});

const LABEL_SELECTOR = fieldsOf({
  matchLabels: LABELS,
  matchExpressions: listOf(fieldsOf({ key: SCALAR, operator: SCALAR, values: SCALARS })),
});

const PEERS = listOf(
  fieldsOf({
    podSelector: LABEL_SELECTOR,
    namespaceSelector: LABEL_SELECTOR,
    ipBlock: fieldsOf({ cidr: SCALAR, except: SCALARS }),
  }),
);

const POLICY_PORTS = listOf(fieldsOf(allOf('port endPort protocol', SCALAR)));

const NETWORK_POLICY_SPEC = fieldsOf({
  podSelector: LABEL_SELECTOR,
  policyTypes: SCALARS,
  ingress: listOf(fieldsOf({ from: PEERS, ports: POLICY_PORTS })),
  egress: listOf(fieldsOf({ to: PEERS, ports: POLICY_PORTS })),
});

const CONTAINER = fieldsOf({
  ...allOf('name image imagePullPolicy workingDir restartPolicy tty stdin terminationMessagePath', SCALAR),
  command: SCALARS,
  args: SCALARS,
  ports: listOf(fieldsOf(allOf('name containerPort hostPort hostIP protocol', SCALAR))),
  env: listOf(fieldsOf({ name: SCALAR, value: SCALAR, valueFrom: ANYTHING })),
  ...allOf('envFrom resources volumeMounts livenessProbe readinessProbe startupProbe securityContext lifecycle', ANYTHING),
});

const POD_SPEC = fieldsOf({
  containers: listOf(CONTAINER),
  initContainers: listOf(CONTAINER),
  nodeSelector: LABELS,
  ...allOf('hostNetwork hostPID nodeName restartPolicy serviceAccountName serviceAccount dnsPolicy hostname subdomain', SCALAR),
  ...allOf('terminationGracePeriodSeconds automountServiceAccountToken priorityClassName', SCALAR),
  ...allOf('volumes tolerations affinity securityContext imagePullSecrets', ANYTHING),
});

const POD_TEMPLATE = fieldsOf({ metadata: METADATA, spec: POD_SPEC });

const WORKLOAD_SPEC = fieldsOf({
  ...allOf('replicas serviceName minReadySeconds revisionHistoryLimit paused podManagementPolicy', SCALAR),
  ...allOf('completions parallelism backoffLimit suspend ttlSecondsAfterFinished', SCALAR),
  selector: LABEL_SELECTOR,
  template: POD_TEMPLATE,
  ...allOf('strategy updateStrategy volumeClaimTemplates', ANYTHING),
});

const SERVICE_SPEC = fieldsOf({
  ...allOf('type clusterIP sessionAffinity externalName externalTrafficPolicy', SCALAR),
  selector: LABELS,
  ports: listOf(fieldsOf(allOf('name port protocol targetPort nodePort appProtocol', SCALAR))),
  ...allOf('clusterIPs externalIPs ipFamilies ipFamilyPolicy', ANYTHING),
});

const SPECS: Readonly<Record<string, FieldShape>> = {
  NetworkPolicy: NETWORK_POLICY_SPEC,
  Pod: POD_SPEC,
  ...allOf('Deployment ReplicaSet StatefulSet DaemonSet Job', WORKLOAD_SPEC),
  Service: SERVICE_SPEC,
};

/** Kinds whose fields are known. */
export const KINDS: readonly string[] = Object.keys(SPECS);

/** The shape of a whole object of this kind; of kinds without knowledge, only its metadata. */
export function shapeOfKind(kind: string): FieldShape {
  return fieldsOf({
    apiVersion: SCALAR,
    kind: SCALAR,
    metadata: METADATA,
    spec: Object.hasOwn(SPECS, kind) ? SPECS[kind]! : ANYTHING,
    ...allOf('status data stringData binaryData rules roleRef subjects items template webhooks', ANYTHING),
  });
}

/** Every field name of the shapes above: the words behind which a missing blank is mended. */
export const KNOWN_FIELDS: ReadonlySet<string> = collectFields(() => true);

/** Those that hold a map or a list: a colon and nothing else stands behind them. */
export const HOLDING_FIELDS: ReadonlySet<string> = collectFields((shape) => shape.kind !== 'scalar');

function collectFields(isWanted: (shape: FieldShape) => boolean): Set<string> {
  const names = new Set<string>();
  const visit = (shape: FieldShape): void => {
    if (shape.kind === 'list') visit(shape.item);
    if (shape.kind !== 'fields') return;
    for (const [name, field] of Object.entries(shape.fields)) {
      if (isWanted(field)) names.add(name);
      visit(field);
    }
  };
  for (const kind of KINDS) visit(shapeOfKind(kind));
  return names;
}
