// Connections from Prometheus, as annotations, ServiceMonitors and PodMonitors ask for them.
import type { Finding } from '../../base/finding.ts';
import { portSetOf, unionPorts, type PortSet } from '../../base/port-set.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import { heedsMonitor, isHeeded, isPrometheus } from '../../lint/callers/monitor-selection.ts';
import { findScrapes, isMonitor, isPrometheusPod, type Scrape } from '../../lint/callers/scrapes.ts';
import type { Cluster } from '../../model/cluster.ts';
import { mapAt } from '../../read/values/loose-map.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import type { Connection, End, Shown } from '../ends/connection.ts';
import { labelSelector } from '../ends/label-selector.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';
import { placeIn } from '../words/workload-texts.ts';
import { noteAt, witnessAt, type Witness } from '../words/witness.ts';

export interface ScrapeContext {
  readonly cluster: Cluster;
  readonly routes: readonly ServiceRoute[];
  readonly subjects: Subjects;
  readonly written: readonly WrittenObject[];
}

export function connectionsOfScrapes(context: ScrapeContext): Shown {
  const { cluster, subjects, written } = context;
  const scrapers = findScrapers(cluster, subjects);
  const connections = findScrapes(context).flatMap((scrape) => targetsOf(subjects, scrape)).flatMap(({ subject, ports, witness, monitor }) =>
    scrapers.ends
      .filter((source) => source.kind !== 'subject' || (source.subject !== subject && mayScrape(context, source.subject, monitor)))
      .map((source): Connection => ({ source, target: { kind: 'subject', subject }, ports, witnesses: [witness], isByName: false, decision: scrapers.decision })),
  );
  const unheeded = written.filter((object) => isMonitor(object) && !isHeeded(object, cluster, written));
  return { connections, findings: [...written.filter(isUnreadable).map(noteUnreadable), ...unheeded.map(noteUnheeded)] };
}

function isUnreadable(object: WrittenObject): boolean {
  return isMonitor(object) && mapAt(object.map, ['spec', 'selector'])['matchExpressions'] !== undefined;
}

function noteUnreadable(object: WrittenObject): Finding {
  return noteAt(placeIn(object, ['spec', 'selector', 'matchExpressions']), 'witness-not-understood', 'warning', `what the ${object.kind} \`${object.name}\` selects by expressions is not read, and stays closed`, 'select by `matchLabels`');
}

/** Of several that their operator makes, those that select the monitor. */
function mayScrape({ cluster, written }: ScrapeContext, { workloads }: Subject, monitor: WrittenObject): boolean {
  const servers = written.filter((object) => isPrometheus(object) && workloads.some(({ kind, namespace, name }) => kind === object.kind && namespace === object.namespace && name === object.name));
  return servers.length === 0 || servers.some((server) => heedsMonitor(server, monitor, cluster));
}

function noteUnheeded(object: WrittenObject): Finding {
  return noteAt(placeIn(object, ['metadata', 'name']), 'witness-not-opened', 'info', `no Prometheus of the input selects the ${object.kind} \`${object.namespace}/${object.name}\`, so what it asks for stays closed`, 'give it a label that the Prometheus selects');
}

function findScrapers({ pods }: Cluster, subjects: Subjects): { readonly ends: readonly End[]; readonly decision: string | undefined } {
  const found = [...new Set([...pods.keys()].filter((index) => isPrometheusPod(pods[index]!)).flatMap((index) => subjects.of(index) ?? []))];
  if (found.length > 0) return { ends: found.map((subject) => ({ kind: 'subject', subject })), decision: undefined };
  return {
    ends: [{ kind: 'pods', name: 'Prometheus', namespace: undefined, selectors: [labelSelector([['app.kubernetes.io/name', 'prometheus']])] }],
    decision: 'the pods of Prometheus are not in the input: this opens to pods with its usual label in every namespace',
  };
}

interface ScrapedSubject {
  /** What asks for it. */
  readonly monitor: WrittenObject;
  readonly subject: Subject;
  readonly ports: PortSet;
  readonly witness: Witness;
}

function targetsOf(subjects: Subjects, { object, path, says, targets }: Scrape): readonly ScrapedSubject[] {
  const bySubject = new Map<Subject, PortSet>();
  for (const { pod, port } of targets) {
    const subject = subjects.of(pod);
    if (subject !== undefined) bySubject.set(subject, unionPorts(bySubject.get(subject) ?? [], portSetOf('TCP', port, port)));
  }
  const witness = witnessAt(placeIn(object, path), says);
  return [...bySubject].map(([subject, ports]) => ({ monitor: object, subject, ports, witness }));
}
