// Which seen connections are scrapes of metrics, and by what that is known: labels and names of who asks, and names of the ports that are asked.
import { isDnsPod } from '../../analyze/dns-pods.ts';
import { hasPoint, pointOf, portSetOf, protocolRanges, subtractPorts, type PortSet } from '../../base/port-set.ts';
import { isPrometheusPod } from '../../lint/callers/scrapes.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import type { Subject } from '../ends/subjects.ts';

/** In few words; undefined: nothing shows it. Prometheus itself opens other connections to an Alertmanager. */
export function scrapeSign({ pods }: Cluster, { source, target }: { readonly source: Subject; readonly target: Subject }, ports: PortSet): string | undefined {
  if (protocolRanges(ports, 'TCP').length === 0) return undefined;
  const podsOf = (subject: Subject): readonly Pod[] => subject.pods.map((pod) => pods[pod]!);
  const targets = podsOf(target);
  const named = targets.flatMap((pod) => pod.ports).find(({ name, protocol, port }) => protocol === 'TCP' && name !== undefined && METRICS.test(name) && hasPoint(ports, pointOf(protocol, port)));
  if (named !== undefined) return `${isOnly(ports, named.port) ? 'a scrape' : `TCP ${named.port} is a scrape`}, by the port name ${named.name}`;
  if (!isAllTcp(ports) || targets.some(isDnsPod)) return undefined;
  if (targets.some(({ labels }) => labels.get('app.kubernetes.io/name') === 'alertmanager')) return undefined;
  const labeled = podsOf(source).find(isPrometheusPod);
  if (labeled !== undefined) return `a scrape, by the label ${labeled.labels.has(NAME) ? NAME : 'app'}`;
  const known = source.workloads.find(({ kind, name }) => NAMES.has(name) || (kind === 'StatefulSet' && name.startsWith('prometheus-')));
  return known === undefined ? undefined : `a scrape, by the name ${known.name}`;
}

/** The rest of what goes between the two is none. */
function isOnly(ports: PortSet, port: number): boolean {
  return subtractPorts(ports, portSetOf('TCP', port, port)).length === 0;
}

/** Scrapes are HTTP. */
function isAllTcp(ports: PortSet): boolean {
  return subtractPorts(ports, portSetOf('TCP', 1, 65535)).length === 0;
}

const NAME = 'app.kubernetes.io/name';
const METRICS = /^(?:[a-z0-9-]+-)?metrics$/;
/** Those of prometheus-community/helm-charts and kube-prometheus; the operator's StatefulSets are `prometheus-` and the name of the object. */
const NAMES: ReadonlySet<string> = new Set(['prometheus', 'prometheus-server', 'prometheus-k8s']);
