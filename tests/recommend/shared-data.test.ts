// Holds what is recommended for real applications against the policies that their makers published.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { intersectPorts, subtractPorts } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import { reach } from '../../src/analyze/reach.ts';
import type { NetworkPolicy } from '../../src/model/network-policy.ts';
import { formatPorts } from '../../src/report/text/port-text.ts';
import { policiesYaml } from '../../src/report/define/policy-yaml.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { recommend, type Recommendation } from '../../src/recommend/recommend.ts';
import { needs, sharedPath } from '../needs.ts';
import { opened } from './recommending.ts';

interface Compared {
  readonly recommendation: Recommendation;
  /** Between workloads, in both answers: `a → b TCP 80`. */
  readonly common: readonly string[];
  readonly onlyRecommended: readonly string[];
  readonly onlyPublished: readonly string[];
}

function compareWithPublished(folder: string, manifests: string): Compared {
  const read = (pattern: string): ReturnType<typeof sourceFromText>[] => globSync(join(sharedPath('data', folder), pattern)).sort().map((file) => sourceFromText(file, readFileSync(file, 'utf8')));
  const { cluster, written } = readManifests(read(manifests), { keepsWritten: true });
  const recommendation = recommend(cluster, written);
  const policies = recommendation.drafts.map(({ policy }) => policy as NetworkPolicy);
  const published = readManifests([...read(manifests), ...read('policies/*.yaml')]).cluster.policies;
  const mine = rowsOf(compileCluster({ ...cluster, policies }));
  const theirs = rowsOf(compileCluster({ ...cluster, policies: published }));
  const keys = [...new Set([...mine.keys(), ...theirs.keys()])].sort();
  const rows = (portsOf: (key: string) => readonly number[]): string[] => keys.flatMap((key) => (portsOf(key).length === 0 ? [] : [`${key} ${formatPorts(portsOf(key))}`]));
  const of = (map: typeof mine, key: string): readonly number[] => map.get(key) ?? [];
  return {
    recommendation,
    common: rows((key) => intersectPorts(of(mine, key), of(theirs, key))),
    onlyRecommended: rows((key) => subtractPorts(of(mine, key), of(theirs, key))),
    onlyPublished: rows((key) => subtractPorts(of(theirs, key), of(mine, key))),
  };
}

function rowsOf(program: Program): ReadonlyMap<string, readonly number[]> {
  const reachability = reach(program, { by: 'workload' });
  const nameOf = (index: number): string | undefined => {
    const end = reachability.endpoints[index]!;
    return 'namespace' in end ? end.name : undefined;
  };
  return new Map([...reachability.rows()].flatMap(({ source, target, ports }) => {
    const [from, to] = [nameOf(source), nameOf(target)];
    return from === undefined || to === undefined ? [] : [[`${from} → ${to}`, ports] as const];
  }));
}

/** What the environment of Online Boutique says, read by eye. */
const BOUTIQUE = [
  'cartservice → redis-cart TCP 6379',
  'checkoutservice → cartservice TCP 7070',
  'checkoutservice → currencyservice TCP 7000',
  'checkoutservice → emailservice TCP 8080',
  'checkoutservice → paymentservice TCP 50051',
  'checkoutservice → productcatalogservice TCP 3550',
  'checkoutservice → shippingservice TCP 50051',
  'frontend → adservice TCP 9555',
  'frontend → cartservice TCP 7070',
  'frontend → checkoutservice TCP 5050',
  'frontend → currencyservice TCP 7000',
  'frontend → productcatalogservice TCP 3550',
  'frontend → recommendationservice TCP 8080',
  'frontend → shippingservice TCP 50051',
  'loadgenerator → frontend TCP 8080',
  'recommendationservice → productcatalogservice TCP 3550',
];

test('Online Boutique: every published connection that the manifests show, and nothing that neither shows', needs('shared'), () => {
  const { recommendation, common, onlyRecommended, onlyPublished } = compareWithPublished('online-boutique', '*.yaml');
  assert.deepEqual(common, BOUTIQUE);
  assert.deepEqual(onlyRecommended, []);
  // The published policy of the frontend lets everybody in on every port, and so differs from what is seen at the frontend alone.
  assert.deepEqual([...new Set(onlyPublished.map((row) => row.replace(/^\S+ → /, '')))], ['frontend all', 'frontend TCP 1-8079,8081-65535; UDP all; SCTP all; other']);
  assert.deepEqual(recommendation.findings.map(({ code, message }) => `${code}: ${message}`), [
    'witness-without-target: SHOPPING_ASSISTANT_SERVICE_ADDR names shoppingassistantservice:80, which stays closed: no Service of the input has that name',
    'ip-block-may-match-pods: rules for everybody outside cover the addresses of pods as well, which are not known',
  ]);
});

test('Sock Shop: the one connection that its manifests show, its entrance, and what is scraped', needs('shared'), () => {
  const { recommendation, common, onlyRecommended, onlyPublished } = compareWithPublished('sock-shop', '*.yaml');
  assert.deepEqual(common, ['user → user-db TCP 27017']);
  assert.deepEqual(onlyRecommended, []);
  // The published policy lets everybody in at the front end; ours those outside, who enter by its node port.
  const atEntrance = onlyPublished.filter((row) => row.endsWith('→ front-end TCP 8079'));
  assert.equal(atEntrance.length, 13);
  // These are written into the images and stand in no manifest; the two of the published set that name `cart` select nobody.
  assert.deepEqual(onlyPublished.filter((row) => !atEntrance.includes(row)), [
    'catalogue → catalogue-db TCP 3306',
    'front-end → catalogue TCP 80',
    'front-end → orders TCP 80',
    'front-end → user TCP 80',
    'orders → orders-db TCP 27017',
    'orders → payment TCP 80',
    'orders → shipping TCP 80',
    'orders → user TCP 80',
    'queue-master → rabbitmq TCP 5672',
    'shipping → rabbitmq TCP 5672',
  ]);
  assert.deepEqual(opened(recommendation.connections).filter((row) => !row.startsWith('Prometheus')), ['sock-shop/user → sock-shop/user-db TCP 27017', 'clients outside → sock-shop/front-end TCP 8079']);
  assert.deepEqual(recommendation.findings.map(({ code }) => code).filter((code) => code !== 'needs-decision'), ['nothing-seen', 'nothing-seen', 'ip-block-may-match-pods', 'nothing-seen', 'nothing-seen', 'witness-without-target']);
});

test('kube-prometheus: what its custom resources and arguments show', needs('shared'), () => {
  const { recommendation, onlyRecommended } = compareWithPublished('kube-prometheus', '*.yaml');
  assert.deepEqual(opened(recommendation.connections), [
    'monitoring/k8s → monitoring/main TCP 9093',
    'monitoring/main → monitoring/main TCP 9094; UDP 9094',
    'monitoring/prometheus-adapter → monitoring/k8s TCP 9090',
  ]);
  assert.deepEqual(onlyRecommended, []);
});

for (const folder of ['online-boutique', 'sock-shop', 'kube-prometheus']) {
  test(`${folder}: a second run, with the first one's policies beside the manifests, gives the same bytes`, needs('shared'), () => {
    const files = globSync(join(sharedPath('data', folder), '*.yaml')).sort().map((file) => sourceFromText(file, readFileSync(file, 'utf8')));
    const write = (extra: readonly ReturnType<typeof sourceFromText>[]): string => {
      const { cluster, written } = readManifests([...files.toReversed(), ...extra], { keepsWritten: true });
      return [...policiesYaml(recommend(cluster, written).drafts)].join('');
    };
    const first = write([]);
    assert.equal(write([sourceFromText('policies.yaml', first)]), first);
  });
}
