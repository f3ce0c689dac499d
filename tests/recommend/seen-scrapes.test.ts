// By what a seen connection is known to be a scrape.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portSetOf, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { scrapeSign } from '../../src/recommend/flows/seen-scrapes.ts';
import { findSubjects } from '../../src/recommend/ends/subjects.ts';

interface Ends {
  readonly name?: string;
  readonly labels?: string;
  /** Of the target. */
  readonly port?: string;
  readonly target?: string;
}

function checkSign(expected: string | undefined, { name = 'asker', labels = 'app: asker', port = '', target = 'app: web' }: Ends, ports: PortSet = portSetOf('TCP', 9100, 9100)): void {
  const pod = (own: string, words: string, listed: string): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${own}, namespace: shop, labels: { ${words} } }\nspec: { containers: [{ name: c, image: x, ports: [${listed}] }] }\n`;
  const { cluster } = readManifests([sourceFromText('m.yaml', `${pod(name, labels, '')}---\n${pod('web', target, port)}`)]);
  const { all } = findSubjects(cluster, () => undefined);
  const of = (workload: string): (typeof all)[number] => all.find(({ workloads }) => workloads[0]!.name === workload)!;
  assert.equal(scrapeSign(cluster, { source: of(name), target: of('web') }, ports), expected);
}

test('a scrape is called one by what shows it, and nothing else is', () => {
  checkSign('a scrape, by the port name http-metrics', { port: '{ name: http-metrics, containerPort: 9100 }' });
  checkSign(undefined, { port: '{ name: http-metrics, containerPort: 9101 }' });
  checkSign(undefined, { port: '{ name: metricsdb, containerPort: 9100 }' });
  checkSign('a scrape, by the label app.kubernetes.io/name', { labels: 'app.kubernetes.io/name: prometheus' });
  checkSign('a scrape, by the label app', { labels: 'app: prometheus' });
  checkSign(undefined, { labels: 'app.kubernetes.io/name: prometheus, app.kubernetes.io/component: exporter' });
  checkSign('a scrape, by the name prometheus-server', { name: 'prometheus-server' });
  checkSign(undefined, { name: 'prometheus-adapter' });
});

test('what else goes between the two is called no scrape', () => {
  const more = (port: number, protocol: 'TCP' | 'UDP' = 'TCP'): PortSet => unionPorts(portSetOf('TCP', 9100, 9100), portSetOf(protocol, port, port));
  checkSign('TCP 9100 is a scrape, by the port name http-metrics', { port: '{ name: http-metrics, containerPort: 9100 }' }, more(5432));
  checkSign(undefined, { labels: 'app: prometheus' }, more(9100, 'UDP'));
  checkSign(undefined, { labels: 'app: prometheus', target: 'k8s-app: kube-dns' }, portSetOf('TCP', 53, 53));
});

test('Prometheus sends alerts to an Alertmanager, and scrapes over TCP alone', () => {
  checkSign(undefined, { labels: 'app: prometheus', target: 'app.kubernetes.io/name: alertmanager' });
  checkSign(undefined, { labels: 'app: prometheus' }, portSetOf('UDP', 9100, 9100));
});
