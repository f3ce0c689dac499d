// What Prometheus is asked to scrape, by annotations, ServiceMonitors and PodMonitors: which pods, on which TCP ports.
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import { mapAt, mapIn, mapsIn, textEntries, textIn, textsIn } from '../../read/values/loose-map.ts';
import { podSpecOf, type WrittenObject } from '../../read/values/written-object.ts';
import type { LooseMap } from '../../read/text/yaml-value.ts';
import { isHeeded } from './monitor-selection.ts';

/** A TCP port of one pod of `cluster.pods`. */
export interface PodPort {
  readonly pod: number;
  readonly port: number;
}

export interface Scrape {
  readonly object: WrittenObject;
  /** Of what asks for it, below the object. */
  readonly path: Path;
  /** In few words: `the ServiceMonitor web scrapes metrics`. */
  readonly says: string;
  readonly targets: readonly PodPort[];
}

export interface Scraped {
  readonly cluster: Cluster;
  readonly routes: readonly ServiceRoute[];
  readonly written: readonly WrittenObject[];
}

/** In the order of `written`; of monitors those that a Prometheus of the input heeds, where there is one. */
export function findScrapes(scraped: Scraped): readonly Scrape[] {
  const byWorkload = Map.groupBy(scraped.cluster.pods.keys(), (index) => workloadKey(scraped.cluster.pods[index]!.workload));
  const podsOf = (object: WrittenObject): readonly number[] => byWorkload.get(workloadKey(object)) ?? [];
  return scraped.written.flatMap((object) => scrapesOf(scraped, object, podsOf));
}

function workloadKey({ kind, namespace, name }: Pod['workload']): string {
  return `${kind}/${namespace}/${name}`;
}

function scrapesOf(scraped: Scraped, object: WrittenObject, podsOf: (object: WrittenObject) => readonly number[]): readonly Scrape[] {
  if (isMonitor(object) && !isHeeded(object, scraped.cluster, scraped.written)) return [];
  if (isMonitor(object)) return object.kind === 'ServiceMonitor' ? scrapesOfServiceMonitor(scraped, object) : scrapesOfPodMonitor(scraped, object);
  if (object.apiVersion.startsWith(MONITORING)) return [];
  return object.kind === 'Service' ? scrapesOfService(scraped, object) : scrapesOfPods(scraped, object, podsOf);
}

const MONITORING = 'monitoring.coreos.com/';

export function isMonitor({ apiVersion, kind }: WrittenObject): boolean {
  return apiVersion.startsWith(MONITORING) && (kind === 'ServiceMonitor' || kind === 'PodMonitor');
}

/** The labels that charts and the operator give its server: prometheus-community/helm-charts, prometheus-operator. */
export function isPrometheusPod({ labels }: Pod): boolean {
  const name = labels.get('app.kubernetes.io/name') ?? labels.get('app');
  const component = labels.get('app.kubernetes.io/component') ?? labels.get('component');
  return (name === 'prometheus' || name === 'prometheus-agent') && (component === undefined || component === 'server' || component === 'prometheus');
}

const SCRAPE = 'prometheus.io/scrape';
const PORT = 'prometheus.io/port';

function scrapesOfService({ routes }: Scraped, object: WrittenObject): readonly Scrape[] {
  const annotations = mapIn(mapIn(object.map, 'metadata'), 'annotations');
  const route = routes.find(({ service }) => service.namespace === object.namespace && service.name === object.name);
  if (textIn(annotations, SCRAPE) !== 'true' || route === undefined) return [];
  const number = portNumber(annotations);
  const targets = number === undefined ? route.ports.flatMap(({ targets: behind }) => behind.flatMap(({ end, protocol, port }) => (end.kind === 'pod' && protocol === 'TCP' ? [{ pod: end.pod, port }] : []))) : route.pods.map((pod) => ({ pod, port: number }));
  return [{ object, path: ['metadata', 'annotations', SCRAPE], says: `${SCRAPE} of the Service ${object.name}`, targets }];
}

/** Without a port of its own, each TCP port that the containers list. */
function scrapesOfPods({ cluster }: Scraped, object: WrittenObject, podsOf: (object: WrittenObject) => readonly number[]): readonly Scrape[] {
  const { annotations, path } = podAnnotations(object);
  if (textIn(annotations, SCRAPE) !== 'true') return [];
  const number = portNumber(annotations);
  const targets = podsOf(object).flatMap((pod) => (number === undefined ? cluster.pods[pod]!.ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => ({ pod, port })) : [{ pod, port: number }]));
  return [{ object, path: [...path, SCRAPE], says: `${SCRAPE} of the pods`, targets }];
}

function podAnnotations(object: WrittenObject): { readonly annotations: LooseMap; readonly path: Path } {
  const path = [...podSpecOf(object).path.slice(0, -1), 'metadata', 'annotations'];
  return { annotations: mapAt(object.map, path), path };
}

/** Whether annotations of a workload's pods ask for it and name the port; those of a Service mean any that it leads to. */
export function namesScrapedPort(object: WrittenObject): boolean {
  const { annotations } = podAnnotations(object);
  return object.kind !== 'Service' && textIn(annotations, SCRAPE) === 'true' && portNumber(annotations) !== undefined;
}

function portNumber(annotations: LooseMap): number | undefined {
  const text = textIn(annotations, PORT);
  const port = text === undefined || !/^\d{1,5}$/.test(text) ? 0 : Number(text);
  return port >= 1 && port <= 65535 ? port : undefined;
}

function scrapesOfServiceMonitor({ routes }: Scraped, object: WrittenObject): readonly Scrape[] {
  const spec = mapIn(object.map, 'spec');
  const isSelected = selectorOf(spec, object.namespace);
  const ports = routes.filter(({ service }) => isSelected(service.namespace, service.labels)).flatMap((route) => route.ports);
  return mapsIn(spec, 'endpoints').map(([index, endpoint]) => ({
    object,
    path: ['spec', 'endpoints', index],
    says: `the ServiceMonitor ${object.name} scrapes ${portName(endpoint)}`,
    targets: ports.filter(({ port }) => (port.name !== undefined && port.name === endpoint['port']) || port.targetPort === endpoint['targetPort']).flatMap(({ targets }) => targets.flatMap(({ end, port }) => (end.kind === 'pod' ? [{ pod: end.pod, port }] : []))),
  }));
}

function scrapesOfPodMonitor({ cluster }: Scraped, object: WrittenObject): readonly Scrape[] {
  const spec = mapIn(object.map, 'spec');
  const isSelected = selectorOf(spec, object.namespace);
  const chosen = [...cluster.pods.entries()].filter(([, { namespace, labels }]) => isSelected(namespace, labels));
  return mapsIn(spec, 'podMetricsEndpoints').map(([index, endpoint]) => {
    const isWanted = ({ name, port, protocol }: Pod['ports'][number]): boolean => protocol === 'TCP' && ((name !== undefined && name === endpoint['port']) || port === endpoint['portNumber'] || port === endpoint['targetPort']);
    return { object, path: ['spec', 'podMetricsEndpoints', index], says: `the PodMonitor ${object.name} scrapes ${portName(endpoint)}`, targets: chosen.flatMap(([pod, { ports }]) => ports.filter(isWanted).map(({ port }) => ({ pod, port }))) };
  });
}

function portName(endpoint: LooseMap): string {
  return String(endpoint['port'] ?? endpoint['targetPort'] ?? endpoint['portNumber'] ?? 'no port');
}

/** Own namespace, unless `namespaceSelector` says otherwise; an expression is not looked at and selects nothing. */
function selectorOf(spec: LooseMap, home: string): (namespace: string, labels: ReadonlyMap<string, string>) => boolean {
  const scope = mapIn(spec, 'namespaceSelector');
  const names = textsIn(scope, 'matchNames').map(([, name]) => name);
  const selector = mapIn(spec, 'selector');
  const wanted = textEntries(mapIn(selector, 'matchLabels'));
  const isReadable = selector['matchExpressions'] === undefined;
  return (namespace, labels) => isReadable && (scope['any'] === true || (names.length === 0 ? namespace === home : names.includes(namespace))) && wanted.every(([key, value]) => labels.get(key) === value);
}
