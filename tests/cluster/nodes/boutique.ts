// The Online Boutique of `../shared/data`, its programs replaced by a server that answers on the same ports.
import { readFileSync } from 'node:fs';
import { dump, loadAll } from 'js-yaml';
import { sharedPath } from '../../needs.ts';

const SERVER_IMAGE = 'lab.example/agnhost:2.56';

interface Container {
  readonly name: string;
  readonly ports?: readonly { readonly containerPort: number }[];
}

interface PodTemplate {
  readonly spec: { readonly containers: readonly Container[] };
}

interface Workload {
  readonly kind: string;
  readonly spec?: { readonly template?: PodTemplate };
}

/** The file as it is published. */
export function boutiqueFile(): string {
  return sharedPath('data/online-boutique/kubernetes-manifests.yaml');
}

/** Names, labels, ports, environment and Services stay. Probes and limits go, for they are those of the programs; so does what waits for an answer of theirs. */
export function runnableBoutique(): string {
  const documents = loadAll(readFileSync(boutiqueFile(), 'utf8')) as Workload[];
  return documents.map((document) => dump(document.spec?.template === undefined ? document : { ...document, spec: { ...document.spec, template: runnable(document.spec.template) } })).join('---\n');
}

function runnable(template: PodTemplate): unknown {
  const { initContainers: _, ...spec } = template.spec as PodTemplate['spec'] & { readonly initContainers?: unknown };
  return { ...template, spec: { ...spec, terminationGracePeriodSeconds: 0, containers: spec.containers.map(server) } };
}

/** Of the programs, and not of whatever answers in their place. */
const PROGRAM_FIELDS: ReadonlySet<string> = new Set(['readinessProbe', 'livenessProbe', 'resources']);

function server(container: Container): unknown {
  const [port] = container.ports ?? [];
  const words = port === undefined ? ['pause'] : ['netexec', `--http-port=${port.containerPort}`, '--udp-port=-1'];
  const kept = Object.fromEntries(Object.entries(container).filter(([field]) => !PROGRAM_FIELDS.has(field)));
  return { ...kept, image: SERVER_IMAGE, imagePullPolicy: 'IfNotPresent', command: ['/agnhost', ...words] };
}
