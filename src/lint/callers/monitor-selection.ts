// Whether a Prometheus of the input heeds a monitor: its selectors for monitors and for their namespaces (monitoring.coreos.com/v1).
import type { Cluster } from '../../model/cluster.ts';
import { meetsRequirement, type Requirement } from '../../model/selector.ts';
import { isMap, type LooseMap } from '../../read/text/yaml-value.ts';
import { mapIn, mapsIn, textEntries, textIn, textsIn } from '../../read/values/loose-map.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';

export function isPrometheus({ apiVersion, kind }: WrittenObject): boolean {
  return apiVersion.startsWith('monitoring.coreos.com/') && (kind === 'Prometheus' || kind === 'PrometheusAgent');
}

/** Whether this Prometheus would heed it; true as well of a monitor that is none, or where that cannot be told. */
export function heedsMonitor(server: WrittenObject, monitor: WrittenObject, cluster: Cluster): boolean {
  return !isMonitorKind(monitor) || heeds(server, monitor, cluster);
}

function isMonitorKind({ kind }: WrittenObject): boolean {
  return kind === 'ServiceMonitor' || kind === 'PodMonitor';
}

/** True as well where no Prometheus is in the input, or what one selects cannot be told. */
export function isHeeded(monitor: WrittenObject, cluster: Cluster, written: readonly WrittenObject[]): boolean {
  const servers = written.filter(isPrometheus);
  return servers.length === 0 || servers.some((server) => heeds(server, monitor, cluster));
}

/** All that a Prometheus may select by; where it has none of them, its configuration is written by somebody else. */
const SELECTORS = ['serviceMonitorSelector', 'podMonitorSelector', 'probeSelector', 'scrapeConfigSelector'];

function heeds(server: WrittenObject, monitor: WrittenObject, cluster: Cluster): boolean {
  const spec = mapIn(server.map, 'spec');
  if (!SELECTORS.some((field) => isMap(spec[field]))) return true;
  const field = monitor.kind === 'ServiceMonitor' ? 'serviceMonitor' : 'podMonitor';
  const labels = new Map(textEntries(mapIn(mapIn(monitor.map, 'metadata'), 'labels')));
  return isMap(spec[`${field}Selector`]) && selectsLabels(mapIn(spec, `${field}Selector`), labels) && selectsNamespace(spec[`${field}NamespaceSelector`], { server, monitor, cluster });
}

/** None is the server's own. */
function selectsNamespace(selector: unknown, { server, monitor, cluster }: { readonly server: WrittenObject; readonly monitor: WrittenObject; readonly cluster: Cluster }): boolean {
  if (!isLooseMap(selector)) return server.namespace === monitor.namespace;
  const namespace = cluster.namespaces.find(({ name }) => name === monitor.namespace);
  // Labels of a namespace that no object describes are not known.
  return namespace?.origin === undefined || selectsLabels(selector, namespace.labels);
}

function isLooseMap(value: unknown): value is LooseMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function selectsLabels(selector: LooseMap, labels: ReadonlyMap<string, string>): boolean {
  const equal = textEntries(mapIn(selector, 'matchLabels')).map(([key, value]): Requirement => ({ kind: 'In', key, values: [value] }));
  const expressions = mapsIn(selector, 'matchExpressions').flatMap(([, expression]) => requirementOf(expression) ?? []);
  return [...equal, ...expressions].every((requirement) => meetsRequirement(requirement, { labels, unknownKeys: new Set() }));
}

/** undefined: of no operator that there is. */
function requirementOf(expression: LooseMap): Requirement | undefined {
  const key = textIn(expression, 'key');
  const values = textsIn(expression, 'values').map(([, value]) => value);
  const operator = textIn(expression, 'operator');
  if (key === undefined) return undefined;
  if (operator === 'In' || operator === 'NotIn') return { kind: operator, key, values };
  return operator === 'Exists' || operator === 'DoesNotExist' ? { kind: operator, key } : undefined;
}
