// Real manifests and the example: what `analyze` says of every pair of pods and the outside is what the reference says.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allowedPorts } from '../../src/analyze/decide.ts';
import type { EndpointRef } from '../../src/analyze/endpoint.ts';
import { outsideRanges } from '../../src/analyze/outside-ranges.ts';
import { hasErrors } from '../../src/base/finding.ts';
import { hasPoint, OTHER_POINT, pointOf } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { repairText } from '../../src/mend/repair-text.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { trafficPoints } from '../clusters/points.ts';
import { cloneRoot, needs, sharedPath } from '../needs.ts';
import { referenceAllows } from '../reference/reference.ts';

interface RealInput {
  readonly folder: string;
  readonly pods: number;
  readonly policies: number;
}

check('online-boutique', { folder: sharedPath('data', 'online-boutique'), pods: 12, policies: 13 }, 'shared');
check('sock-shop', { folder: sharedPath('data', 'sock-shop'), pods: 14, policies: 13 }, 'shared');
check('kube-prometheus', { folder: sharedPath('data', 'kube-prometheus'), pods: 8, policies: 8 }, 'shared');
check('the example', { folder: join(cloneRoot, 'examples', 'shop'), pods: 4, policies: 5 });

/** `pods` and `policies` are the least that must be read, so that a reader that drops things is noticed. */
function check(name: string, { folder, pods, policies }: RealInput, ...wanted: readonly 'shared'[]): void {
  test(`${name}: analyze and the reference agree`, needs(...wanted), () => {
    const files = globSync('**/*.{yaml,yml}', { cwd: folder }).sort();
    // One policy of the example is broken on purpose; the demo works on the repaired copy, and so does this.
    const { cluster, findings } = readManifests(files.map((file) => sourceFromText(file, repairText(file, readFileSync(join(folder, file), 'utf8')).text)));
    assert.ok(!hasErrors(findings), JSON.stringify(findings.filter(({ severity }) => severity === 'error'), undefined, 1));
    assert.ok(cluster.pods.length >= pods && cluster.policies.length >= policies, `${cluster.pods.length} pods, ${cluster.policies.length} policies`);
    const program = compileCluster(cluster);
    const points = trafficPoints(cluster);
    const ends: EndpointRef[] = [
      ...cluster.pods.map((_, pod) => ({ kind: 'pod', pod }) as const),
      ...outsideRanges(program).map(({ family, last }) => ({ kind: 'address', address: { family, value: last } }) as const),
    ];
    for (const source of ends) {
      for (const target of ends) {
        if (source.kind === 'address' && target.kind === 'address') continue;
        for (const family of [4, 6] as const) {
          const ports = allowedPorts(program, source, target, family);
          for (const { protocol, port } of points) {
            const point = protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
            const expected = referenceAllows(cluster, { source, target, protocol, port, family });
            if (hasPoint(ports, point) !== expected) assert.fail(`${JSON.stringify({ source, target, protocol, port, family }, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}: the reference says ${expected}`);
          }
        }
      }
    }
  });
}
