// By what a seen connection is known to be a scrape.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portSetOf, type PortSet } from '../../src/base/port-set.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { scrapeSign } from '../../src/recommend/seen-scrapes.ts';
import { findSubjects } from '../../src/recommend/subjects.ts';

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

test('Prometheus sends alerts to an Alertmanager, and scrapes over TCP alone', () => {
  checkSign(undefined, { labels: 'app: prometheus', target: 'app.kubernetes.io/name: alertmanager' });
  checkSign(undefined, { labels: 'app: prometheus' }, portSetOf('UDP', 9100, 9100));
});
