// Random applications: workloads, Services, and in one way or another the names of those that they connect to.
import fc from 'fast-check';

export interface RandomApplication {
  readonly workloads: readonly RandomWorkload[];
  readonly edges: readonly RandomEdge[];
}

export interface RandomWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  readonly port: number;
  readonly targetPort: number;
  readonly isHeadless: boolean;
  /** Whether its owner selects by labels that others have too. */
  readonly selectsBroadly: boolean;
  readonly instance: string;
}

/** Indices of workloads. */
export interface RandomEdge {
  readonly source: number;
  readonly target: number;
  readonly form: (typeof FORMS)[number];
}

export const FORMS = ['pair', 'url', 'host-and-port', 'list', 'argument', 'option', 'script', 'config', 'nginx', 'annotation', 'jdbc', 'reference'] as const;

const workload = fc.record({
  namespace: fc.constantFrom('shop', 'data'),
  kind: fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet'),
  port: fc.integer({ min: 1024, max: 1030 }),
  targetPort: fc.integer({ min: 8000, max: 8003 }),
  isHeadless: fc.boolean(),
  selectsBroadly: fc.boolean(),
  instance: fc.constantFrom('a', 'b'),
});

export const randomApplication: fc.Arbitrary<RandomApplication> = fc.array(workload, { minLength: 1, maxLength: 6 }).chain((drafts) => {
  const workloads = drafts.map((draft, index): RandomWorkload => ({ ...draft, name: `w${index}` }) as RandomWorkload); // the constants of the kinds
  const index = fc.integer({ min: 0, max: workloads.length - 1 });
  return fc.record({ workloads: fc.constant(workloads), edges: fc.array(fc.record({ source: index, target: index, form: fc.constantFrom(...FORMS) }), { maxLength: 8 }) });
});

/** The port on which pods of the target are reached: a headless name leads to the number that is written. */
export function portOf({ isHeadless, port, targetPort }: RandomWorkload): number {
  return isHeadless ? port : targetPort;
}

/** Every object, as JSON is YAML too. */
export function manifestsOf({ workloads, edges }: RandomApplication): readonly object[] {
  return workloads.flatMap((one, index) => {
    const own = edges.filter(({ source }) => source === index).map((edge, number) => ({ form: edge.form, target: workloads[edge.target]!, number }));
    return [workloadObject(one, own), serviceObject(one), configObject(one, own)];
  });
}

interface OwnEdge {
  readonly form: RandomEdge['form'];
  readonly target: RandomWorkload;
  readonly number: number;
}

function workloadObject({ name, namespace, kind, targetPort, port, isHeadless, selectsBroadly, instance }: RandomWorkload, edges: readonly OwnEdge[]): object {
  const labels = { app: name, tier: 'x', 'app.kubernetes.io/instance': instance, 'app.kubernetes.io/version': '1' };
  const matchLabels = selectsBroadly ? { tier: 'x', 'app.kubernetes.io/instance': instance } : { app: name };
  const annotations = Object.fromEntries(edges.flatMap((edge) => annotationOf(edge)));
  const container = {
    name: 'c',
    image: 'example/x',
    ports: [{ containerPort: isHeadless ? port : targetPort }],
    env: edges.flatMap(envOf),
    command: edges.filter(({ form }) => form === 'script').length > 0 ? ['sh', '-c', edges.filter(({ form }) => form === 'script').map(({ target }) => `until nc -z ${fullName(target)} ${target.port}; do sleep 1; done`).join('\n')] : ['/run'],
    args: edges.flatMap(argumentsOf),
  };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, annotations },
    spec: { selector: { matchLabels }, ...(kind === 'StatefulSet' ? { serviceName: name } : {}), template: { metadata: { labels }, spec: { containers: [container], volumes: [{ name: 'config', configMap: { name } }] } } },
  };
}

function serviceObject({ name, namespace, port, targetPort, isHeadless }: RandomWorkload): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { selector: { app: name }, ports: [{ name: 'main', port, targetPort }], ...(isHeadless ? { clusterIP: 'None' } : {}) } };
}

function configObject({ name, namespace }: RandomWorkload, edges: readonly OwnEdge[]): object {
  const fields = edges.filter(({ form }) => form === 'config').map(({ target, number }) => `client${number}:\n  host: ${fullName(target)}\n  port: ${target.port}\n`);
  const nginx = edges.filter(({ form }) => form === 'nginx').map(({ target, number }) => `upstream up${number} {\n  server ${fullName(target)}:${target.port};\n}\n`);
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { 'app.yaml': fields.join('') || '{}', 'nginx.conf': nginx.join('') } };
}

function fullName({ name, namespace }: RandomWorkload): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

function envOf({ form, target, number }: OwnEdge): object[] {
  const address = `${target.name}.${target.namespace}:${target.port}`;
  const variable = (name: string, value: string): object => ({ name: `C${number}_${name}`, value });
  switch (form) {
    case 'pair':
      return [variable('ADDR', address)];
    case 'url':
      return [variable('URL', `amqp://user:secret@${address}/x?y=1`)];
    case 'host-and-port':
      return [variable('HOST', fullName(target)), variable('PORT', `${target.port}`)];
    case 'list':
      return [variable('BROKERS', `localhost:1,${address},127.0.0.1:2`)];
    case 'jdbc':
      return [variable('DATASOURCE', `jdbc:postgresql://${address}/db`)];
    default:
      return [];
  }
}

function argumentsOf({ form, target, number }: OwnEdge): string[] {
  const address = `${fullName(target)}:${target.port}`;
  return form === 'argument' ? [`--client${number}=http://${address}/`] : form === 'option' ? [`--server${number}-addr`, address] : [];
}

function annotationOf({ form, target, number }: OwnEdge): [string, string][] {
  if (form === 'annotation') return [['bulkhead.dev/connects-to', `${fullName(target)}:${target.port}`]];
  return form === 'reference' ? [['config.kubernetes.io/depends-on', `apps/namespaces/${target.namespace}/${target.kind}/${target.name}`], [`note-${number}`, '']] : [];
}
