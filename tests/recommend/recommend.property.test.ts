// What must hold of a recommendation for every application, held against random ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasPoint, pointOf } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { selects } from '../../src/model/selector.ts';
import { parseCidr } from '../../src/read/values/cidr.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { recommend, type Recommendation } from '../../src/recommend/recommend.ts';
import { recommendationYaml } from '../../src/report/define/recommendation.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { manifestText } from '../clusters/manifests.ts';
import { manifestsOf, portOf, randomApplication, type RandomApplication } from './random-application.ts';

const RUNS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 5_000 : 150;

/** `BULKHEAD_SEED` draws the same again. */
function check<Value>(arbitrary: fc.Arbitrary<Value>, property: (value: Value) => void): void {
  const seed = process.env['BULKHEAD_SEED'];
  fc.assert(fc.property(arbitrary, property), { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }) });
}

function textOf(objects: readonly object[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n');
}

function recommendText(...texts: readonly string[]): Recommendation {
  const { cluster, written } = readManifests(texts.map((text, index) => sourceFromText(`${index}.yaml`, text)), { keepsWritten: true });
  return recommend(cluster, written);
}

/** Annotations of one name are one annotation: of several edges the last one counts. */
function edgesThatAreWritten({ edges }: RandomApplication): RandomApplication['edges'] {
  return edges.filter((edge, index) => {
    if (edge.form !== 'annotation' && edge.form !== 'reference') return true;
    return !edges.slice(index + 1).some(({ source, form }) => source === edge.source && form === edge.form);
  });
}

test('every connection that is written somewhere is allowed, and no other', () => {
  check(randomApplication, (application) => {
    const text = textOf(manifestsOf(application));
    const recommendation = recommendText(text);
    const printed = [...recommendationYaml(recommendation)].join('');
    const { cluster, findings } = readManifests([sourceFromText('app.yaml', text), sourceFromText('policies.yaml', printed)]);
    assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
    const program = compileCluster(cluster);
    const podOf = (name: string): number => cluster.pods.findIndex(({ workload }) => workload.name === name);
    const edges = edgesThatAreWritten(application);
    for (const [from, source] of application.workloads.entries()) {
      for (const [to, target] of application.workloads.entries()) {
        if (from === to) continue;
        const ports = allowedPorts(program, { kind: 'pod', pod: podOf(source.name) }, { kind: 'pod', pod: podOf(target.name) });
        const wanted = new Set(edges.filter((edge) => edge.source === from && edge.target === to).map(({ form }) => (form === 'reference' ? target.targetPort : portOf(target))));
        for (let port = 8000; port <= 8003; port++) assert.equal(hasPoint(ports, pointOf('TCP', port)), wanted.has(port), `${source.name} to ${target.name} on ${port}`);
        for (let port = 1024; port <= 1030; port++) assert.equal(hasPoint(ports, pointOf('TCP', port)), wanted.has(port), `${source.name} to ${target.name} on ${port}`);
      }
    }
  });
});

test('the order of the objects, and the policies of an earlier run among them, change no byte', () => {
  const shuffled = randomApplication.chain((application) => fc.tuple(fc.constant(application), fc.shuffledSubarray([...manifestsOf(application)], { minLength: manifestsOf(application).length })));
  check(shuffled, ([application, objects]) => {
    const printed = (recommendation: Recommendation): string => [...recommendationYaml(recommendation)].join('').replace(/ \(\d+\.yaml:\d+\)/g, '');
    const first = printed(recommendText(textOf(manifestsOf(application))));
    // Comments of one rule stand in the order of their places, which the order of the objects changes.
    const sorted = (text: string): string => text.split('\n').sort().join('\n');
    const second = printed(recommendText(textOf(objects), first));
    assert.equal(sorted(second), sorted(first));
    assert.equal(withoutComments(second), withoutComments(first));
  });
});

function withoutComments(text: string): string {
  return text.replace(/^\s*#.*\n/gm, '');
}

const WORDS = ['db', 'db:5432', 'http://db', '$(A)', '${B:-c}', ',', ' ', '\n', '=', ';', ':', '//', '@', '[::1]', '10.0.0.7:80', 'host', 'port=5', 'jdbc:', '169.254.169.254', '- ', '#', '"', "'", '{', '}', '.svc', '-h', '--x'];
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join('')));

test('whatever a text holds, there is a recommendation, and nothing is opened but what the cluster has or a decision is asked for', () => {
  check(fc.record({ key: anyText, value: anyText, argument: anyText, config: anyText, file: fc.constantFrom('a.yaml', 'a.json', 'a.conf'), annotation: anyText }), ({ key, value, argument, config, file, annotation }) => {
    const labels = { app: 'web' };
    const container = { name: 'c', image: 'x', env: [{ name: 'A', value: 'db:5432' }, { name: key, value }], args: [argument], command: ['sh', '-c', argument] };
    const objects = [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop', annotations: { 'bulkhead.dev/connects-to': annotation, 'app.openshift.io/connects-to': annotation, 'config.kubernetes.io/depends-on': annotation } }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container], volumes: [{ name: 'v', configMap: { name: 'c' } }] } } } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop' }, data: { [file]: config } },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'db', namespace: 'shop', labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: 'shop' }, spec: { selector: { app: 'db' }, ports: [{ port: 5432 }] } },
    ];
    const recommendation = recommendText(textOf(objects));
    const { connections } = recommendation;
    const printed = readManifests([sourceFromText('policies.yaml', [...recommendationYaml(recommendation)].join(''))]);
    assert.deepEqual(printed.findings, []);
    assert.equal(printed.cluster.policies.length, recommendation.drafts.length);
    for (const { target, decision } of connections) {
      if (target.kind === 'addresses' && decision === undefined) assert.ok(target.blocks.every(({ cidr }) => cidr.first === cidr.last), target.name);
    }
  });
});

test('of any cluster: the policies are proven, and none selects a pod of another one', () => {
  checkClusters((raw) => {
    const { cluster, written } = readManifests([sourceFromText('cluster.yaml', manifestText(raw))], { keepsWritten: true, podRanges: raw.podRanges.map((text) => parseCidr(text)!.range) });
    const { drafts } = recommend(cluster, written);
    const selected = new Set<number>();
    for (const { policy } of drafts) {
      if (policy.kind !== 'NetworkPolicy' || policy.name === 'default-deny') continue;
      const own = [...cluster.pods.keys()].filter((index) => !cluster.pods[index]!.hostNetwork && cluster.pods[index]!.namespace === policy.namespace && selects(policy.podSelector, cluster.pods[index]!));
      assert.ok(own.length > 0, policy.name);
      for (const pod of own) {
        assert.ok(!selected.has(pod), `two policies select ${cluster.pods[pod]!.name}`);
        selected.add(pod);
      }
    }
  }, { share: 0.4 });
});
