// Connections from Prometheus, as annotations, ServiceMonitors and PodMonitors ask for them.
import type { Finding } from '../base/finding.ts';
import { portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import type { ServiceRoute } from '../analyze/services.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import type { WrittenObject } from '../read/written-object.ts';
import type { LooseMap } from '../read/yaml-value.ts';
import type { Connection, End, Shown } from './connection.ts';
import { labelSelector } from './label-selector.ts';
import { mapAt, mapIn, mapsIn, textEntries, textIn, textsIn } from './loose.ts';
import type { Subject, Subjects } from './subjects.ts';
import { placeIn, podSpecOf } from './workload-texts.ts';
import { noteAt, witnessAt, type Witness } from './witness.ts';

export interface ScrapeContext {
  readonly cluster: Cluster;
  readonly routes: readonly ServiceRoute[];
  readonly subjects: Subjects;
  readonly written: readonly WrittenObject[];
}

export function connectionsOfScrapes(context: ScrapeContext): Shown {
  const { cluster, subjects, written } = context;
  const scrapers = findScrapers(cluster, subjects);
  const connections = written.flatMap((object) => targetsOf(context, object)).flatMap(({ subject, ports, witness }) =>
    scrapers.ends
      .filter((source) => source.kind !== 'subject' || source.subject !== subject)
      .map((source): Connection => ({ source, target: { kind: 'subject', subject }, ports, witnesses: [witness], isByName: false, decision: scrapers.decision })),
  );
  return { connections, findings: written.filter(isUnreadable).map(noteUnreadable) };
}

function isUnreadable({ apiVersion, kind, map }: WrittenObject): boolean {
  const isMonitor = apiVersion.startsWith('monitoring.coreos.com/') && (kind === 'ServiceMonitor' || kind === 'PodMonitor');
  return isMonitor && mapAt(map, ['spec', 'selector'])['matchExpressions'] !== undefined;
}

function noteUnreadable(object: WrittenObject): Finding {
  return noteAt(placeIn(object, ['spec', 'selector', 'matchExpressions']), 'witness-not-understood', 'warning', `what the ${object.kind} \`${object.name}\` selects by expressions is not read, and stays closed`, 'select by `matchLabels`');
}

interface Scraped {
  readonly subject: Subject;
  readonly ports: PortSet;
  readonly witness: Witness;
}

function targetsOf(context: ScrapeContext, object: WrittenObject): readonly Scraped[] {
  if (object.apiVersion.startsWith('monitoring.coreos.com/')) {
    if (object.kind === 'ServiceMonitor') return targetsOfServiceMonitor(context, object);
    return object.kind === 'PodMonitor' ? targetsOfPodMonitor(context, object) : [];
  }
  return object.kind === 'Service' ? targetsOfService(context, object) : targetsOfPods(context, object);
}

/** The labels that charts and the operator give its server: prometheus-community/helm-charts, prometheus-operator. */
export function isPrometheusPod({ labels }: Pod): boolean {
  const name = labels.get('app.kubernetes.io/name') ?? labels.get('app');
  const component = labels.get('app.kubernetes.io/component') ?? labels.get('component');
  return (name === 'prometheus' || name === 'prometheus-agent') && (component === undefined || component === 'server' || component === 'prometheus');
}

function findScrapers({ pods }: Cluster, subjects: Subjects): { readonly ends: readonly End[]; readonly decision: string | undefined } {
  const found = [...new Set([...pods.keys()].filter((index) => isPrometheusPod(pods[index]!)).flatMap((index) => subjects.of(index) ?? []))];
  if (found.length > 0) return { ends: found.map((subject) => ({ kind: 'subject', subject })), decision: undefined };
  return {
    ends: [{ kind: 'pods', name: 'Prometheus', namespace: undefined, selectors: [labelSelector([['app.kubernetes.io/name', 'prometheus']])] }],
    decision: 'the pods of Prometheus are not in the input: this opens to pods with its usual label in every namespace',
  };
}

const SCRAPE = 'prometheus.io/scrape';
const PORT = 'prometheus.io/port';

function targetsOfService({ routes, subjects }: ScrapeContext, object: WrittenObject): readonly Scraped[] {
  const annotations = mapIn(mapIn(object.map, 'metadata'), 'annotations');
  const route = routes.find(({ service }) => service.namespace === object.namespace && service.name === object.name);
  if (textIn(annotations, SCRAPE) !== 'true' || route === undefined) return [];
  const number = portNumber(annotations);
  const witness = witnessIn(object, ['metadata', 'annotations', SCRAPE], `${SCRAPE} of the Service ${object.name}`);
  if (number !== undefined) return scraped(subjects, route.pods.map((pod) => ({ pod, port: number })), witness);
  return scraped(subjects, route.ports.flatMap(({ targets }) => targets.flatMap(({ end, protocol, port }) => (end.kind === 'pod' && protocol === 'TCP' ? [{ pod: end.pod, port }] : []))), witness);
}

/** Without a port of its own, each TCP port that the containers list. */
function targetsOfPods({ cluster, subjects }: ScrapeContext, object: WrittenObject): readonly Scraped[] {
  const own = podSpecOf(object).path.slice(0, -1);
  const annotations = mapAt(object.map, [...own, 'metadata', 'annotations']);
  if (textIn(annotations, SCRAPE) !== 'true') return [];
  const number = portNumber(annotations);
  const pods = [...cluster.pods.entries()].filter(([, { workload }]) => workload.kind === object.kind && workload.namespace === object.namespace && workload.name === object.name);
  const ends = pods.flatMap(([pod, { ports }]) => (number === undefined ? ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => ({ pod, port })) : [{ pod, port: number }]));
  return scraped(subjects, ends, witnessIn(object, [...own, 'metadata', 'annotations', SCRAPE], `${SCRAPE} of the pods`));
}

function portNumber(annotations: LooseMap): number | undefined {
  const text = textIn(annotations, PORT);
  const port = text === undefined || !/^\d{1,5}$/.test(text) ? 0 : Number(text);
  return port >= 1 && port <= 65535 ? port : undefined;
}

function targetsOfServiceMonitor({ routes, subjects }: ScrapeContext, object: WrittenObject): readonly Scraped[] {
  const spec = mapIn(object.map, 'spec');
  const isSelected = selectorOf(spec, object.namespace);
  const chosen = routes.filter(({ service }) => isSelected(service.namespace, service.labels));
  return mapsIn(spec, 'endpoints').flatMap(([index, endpoint]) => {
    const witness = witnessIn(object, ['spec', 'endpoints', index], `the ServiceMonitor ${object.name} scrapes ${portName(endpoint)}`);
    return chosen.flatMap(({ ports }) =>
      scraped(subjects, ports.filter(({ port }) => port.name === endpoint['port'] || port.targetPort === endpoint['targetPort']).flatMap(({ targets }) => targets.flatMap(({ end, port }) => (end.kind === 'pod' ? [{ pod: end.pod, port }] : []))), witness),
    );
  });
}

function targetsOfPodMonitor({ cluster, subjects }: ScrapeContext, object: WrittenObject): readonly Scraped[] {
  const spec = mapIn(object.map, 'spec');
  const isSelected = selectorOf(spec, object.namespace);
  const chosen = [...cluster.pods.entries()].filter(([, { namespace, labels }]) => isSelected(namespace, labels));
  return mapsIn(spec, 'podMetricsEndpoints').flatMap(([index, endpoint]) => {
    const witness = witnessIn(object, ['spec', 'podMetricsEndpoints', index], `the PodMonitor ${object.name} scrapes ${portName(endpoint)}`);
    const isWanted = ({ name, port, protocol }: Pod['ports'][number]): boolean => protocol === 'TCP' && ((name !== undefined && name === endpoint['port']) || port === endpoint['portNumber'] || port === endpoint['targetPort']);
    return scraped(subjects, chosen.flatMap(([pod, { ports }]) => ports.filter(isWanted).map(({ port }) => ({ pod, port }))), witness);
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

function scraped(subjects: Subjects, ends: readonly { readonly pod: number; readonly port: number }[], witness: Witness): readonly Scraped[] {
  const bySubject = new Map<Subject, PortSet>();
  for (const { pod, port } of ends) {
    const subject = subjects.of(pod);
    if (subject !== undefined) bySubject.set(subject, unionPorts(bySubject.get(subject) ?? [], portSetOf('TCP', port, port)));
  }
  return [...bySubject].map(([subject, ports]) => ({ subject, ports, witness }));
}

function witnessIn(object: WrittenObject, path: readonly (string | number)[], says: string): Witness {
  return witnessAt(placeIn(object, path), says);
}
