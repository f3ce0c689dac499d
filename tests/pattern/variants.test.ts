// The other ways to ask for a pattern than the one of its page, each closed and open in the kernel as it says; some together, as one uses them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasErrors } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { checkTests } from '../../src/probe/check-expectations.ts';
import { readPolicyTests } from '../../src/probe/policy-test.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { makeFolder, runBulkhead } from '../cli/run-bulkhead.ts';
import { cloneRoot, needs } from '../needs.ts';
import { failuresOf, tryInLab } from './try-in-lab.ts';

const EXAMPLE = readFileSync(join(cloneRoot, 'examples/patterns/cluster.yaml'), 'utf8');

interface Variant {
  readonly name: string;
  /** Words of `bulkhead new`, one policy each; all of them are in force together. */
  readonly policies: readonly string[];
  /** Manifests beside the example. */
  readonly beside?: string;
  /** Items of `expect`. */
  readonly expect: string;
}

const VARIANTS: readonly Variant[] = [
  {
    name: 'default deny for ingress alone',
    policies: ['default-deny -n shop --direction ingress'],
    expect: `
  - deny: { from: blog/blog, to: shop/web, on: tcp/8080 }
  - deny: { from: shop/web, to: shop/db, on: tcp/5432 }
  - allow: { from: shop/web, to: blog/blog, on: tcp/8080 }
  - allow: { from: shop/web, to: internet, on: tcp/443 }`,
  },
  {
    name: 'default deny for egress alone, of one workload',
    policies: ['default-deny -n shop --direction egress --selector app=web'],
    expect: `
  - deny: { from: shop/web, to: blog/blog, on: tcp/8080 }
  - deny: { from: shop/web, to: internet, on: tcp/443 }
  - allow: { from: blog/blog, to: shop/web, on: tcp/8080 }
  - allow: { from: shop/api, to: blog/blog, on: tcp/8080 }`,
  },
  {
    name: 'a database with its clients in another namespace, on a default deny at both ends',
    policies: ['default-deny -n shop', 'default-deny -n blog', 'database -n shop --selector app=db --from-namespace blog --from-selector app=blog --port tcp/5432', 'allow-to-namespace -n blog --selector app=blog --to-namespace shop --to-selector app=db --port tcp/5432'],
    expect: `
  - allow: { from: blog/blog, to: shop/db, on: tcp/5432 }
  - allow: { from: blog/blog, to: kube-system/coredns, on: udp/53 }
  - deny: { from: blog/blog, to: shop/web, on: tcp/8080 }
  - deny: { from: shop/api, to: shop/db, on: tcp/5432 }
  - deny: { from: shop/web, to: kube-system/coredns, on: udp/53 }`,
  },
  {
    name: 'a whole application: closed, DNS, the door, the tiers, the internet',
    policies: [
      'default-deny -n shop', 'allow-dns -n shop', 'allow-from-ingress-controller -n shop --selector app=web --port http',
      'allow-from-namespace -n shop --selector app=api --from-namespace shop --from-selector app=web --port grpc', 'allow-to-namespace -n shop --selector app=web --to-namespace shop --to-selector app=api --port grpc --without-dns',
      'allow-internet -n shop --selector app=api --port tcp/443 --without-dns',
    ],
    expect: `
  - allow: { from: ingress-nginx/controller, to: shop/web, on: tcp/8080 }
  - allow: { from: shop/web, to: shop/api, on: tcp/9000 }
  - allow: { from: shop/api, to: internet, on: tcp/443 }
  - allow: { from: shop/db, to: kube-system/coredns, on: [udp/53, tcp/53] }
  - deny: { from: shop/web, to: shop/db, on: tcp/5432 }
  - deny: { from: shop/web, to: internet, on: tcp/443 }
  - deny: { from: shop/api, to: 169.254.169.254, on: tcp/80 }
  - deny: { from: internet, to: shop/web, on: tcp/8080 }
  - deny: { from: blog/blog, to: { namespace: shop }, on: any }`,
  },
  {
    name: 'the baseline closes a namespace that is made afterwards, and steps back where the namespace has a policy',
    policies: ['cluster-baseline', 'allow-same-namespace -n shop'],
    beside: `
apiVersion: v1
kind: Pod
metadata: { name: new, namespace: tomorrow, labels: { app: new } }
spec: { containers: [{ name: c, image: x, ports: [{ containerPort: 8080 }] }] }`,
    expect: `
  - deny: { from: blog/blog, to: tomorrow/new, on: tcp/8080 }
  - deny: { from: tomorrow/new, to: internet, on: tcp/443 }
  - allow: { from: tomorrow/new, to: kube-system/coredns, on: udp/53 }
  - allow: { from: shop/web, to: shop/db, on: tcp/5432 }
  - deny: { from: tomorrow/new, to: shop/web, on: tcp/8080 }`,
  },
  {
    name: 'the baseline for ingress alone, with a namespace left alone',
    policies: ['cluster-baseline --direction ingress --except-namespace blog'],
    expect: `
  - deny: { from: blog/blog, to: shop/web, on: tcp/8080 }
  - allow: { from: shop/web, to: blog/blog, on: tcp/8080 }
  - allow: { from: shop/web, to: internet, on: tcp/443 }`,
  },
  {
    name: 'the baseline with a DNS cache on each node',
    policies: ['cluster-baseline --node-local'],
    expect: `
  - allow: { from: blog/blog, to: 169.254.20.10, on: [udp/53, tcp/53] }
  - deny: { from: blog/blog, to: 169.254.20.10, on: tcp/80 }
  - deny: { from: blog/blog, to: 169.254.20.11, on: udp/53 }`,
  },
  {
    name: 'DNS with a cache on each node',
    policies: ['allow-dns -n shop --node-local'],
    expect: `
  - allow: { from: shop/web, to: 169.254.20.10, on: [udp/53, tcp/53] }
  - allow: { from: shop/web, to: kube-system/coredns, on: udp/53 }
  - deny: { from: shop/web, to: 169.254.20.10, on: tcp/80 }`,
  },
  {
    name: 'the metadata service stays closed for the whole cluster though a namespace allows everything',
    policies: ['cluster-block-metadata', 'allow-to-cidr -n shop --cidr 0.0.0.0/0 --cidr ::/0'],
    expect: `
  - deny: { from: shop/web, to: 169.254.169.254, on: tcp/80 }
  - allow: { from: shop/web, to: internet, on: tcp/80 }`,
  },
  {
    name: 'more metadata services than the two',
    policies: ['block-metadata -n shop --except 100.100.100.200/32'],
    expect: `
  - deny: { from: shop/web, to: 100.100.100.200, on: tcp/80 }
  - deny: { from: shop/web, to: 169.254.169.254, on: tcp/80 }
  - allow: { from: shop/web, to: 100.100.100.201, on: tcp/80 }`,
  },
  {
    name: 'a quarantine is stronger than a policy that allows',
    policies: ['quarantine -n shop --selector app=web', 'allow-from-namespace -n shop --selector app=web --from-namespace *'],
    expect: `
  - deny: { from: blog/blog, to: shop/web, on: tcp/8080 }
  - deny: { from: shop/web, to: kube-system/coredns, on: udp/53 }
  - allow: { from: blog/blog, to: shop/api, on: tcp/9000 }`,
  },
  {
    name: 'the API server behind a tunnel of pods',
    policies: ['allow-from-api-server -n shop --selector app=api --port grpc'],
    beside: `
apiVersion: v1
kind: Pod
metadata: { name: konnectivity-agent, namespace: kube-system, labels: { k8s-app: konnectivity-agent } }
spec: { containers: [{ name: c, image: x }] }`,
    expect: `
  - allow: { from: kube-system/konnectivity-agent, to: shop/api, on: tcp/9000 }
  - allow: { from: 192.0.2.6, to: shop/api, on: tcp/9000 }
  - deny: { from: kube-system/coredns, to: shop/api, on: tcp/9000 }`,
  },
  {
    name: 'the health checks of two providers',
    policies: ['allow-health-checks -n shop --selector app=web --port http --provider azure --provider google'],
    expect: `
  - allow: { from: 168.63.129.16, to: shop/web, on: tcp/8080 }
  - allow: { from: 130.211.0.0/22, to: shop/web, on: tcp/8080 }
  - deny: { from: 168.63.129.17, to: shop/web, on: tcp/8080 }`,
  },
  {
    name: 'every port of a protocol, and a range of ports',
    policies: ['allow-from-cidr -n shop --selector app=web --cidr 203.0.113.0/24 --port udp --port tcp/8000-8999'],
    expect: `
  - allow: { from: 203.0.113.0/24, to: shop/web, on: [tcp/8080, tcp/8999, udp/53] }
  - deny: { from: 203.0.113.0/24, to: shop/web, on: [tcp/9000, tcp/9100] }`,
  },
];

for (const { name, policies, beside, expect } of VARIANTS) {
  test(name, needs('kernel'), async (t) => {
    const manifests = beside === undefined ? EXAMPLE : `${EXAMPLE}---\n${beside}\n`;
    const folder = makeFolder(t, { 'cluster.yaml': manifests });
    const texts = policies.map((words) => {
      const { status, stdout, stderr } = runBulkhead(['new', ...words.split(' '), '-f', folder]);
      assert.equal(status, 0, stderr);
      return stdout;
    });
    const { cluster, findings } = readManifests([manifests, ...texts].map((text, index) => sourceFromText(`${index}.yaml`, text)));
    assert.ok(!hasErrors(findings));
    const tests = readPolicyTests(name, `apiVersion: bulkhead/v1\nkind: PolicyTest\nexpect:${expect}\n`);
    assert.deepEqual(tests.findings, []);
    assert.deepEqual(failuresOf(checkTests(compileCluster(cluster), tests.tests)), []);
    const report = await tryInLab(cluster, tests.tests);
    assert.deepEqual(failuresOf(report), []);
    for (const { expectation, tried } of report.tests.flatMap(({ results }) => results)) assert.ok(tried !== undefined && tried.tried > 0, expectation.sentence);
  });
}
