// A live Program stays as small as its cluster, however many changes it has followed, and stays right.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mixed } from '../../bench/scale-shapes.ts';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { LiveProgram } from '../../src/compile/live-program.ts';
import type { Program } from '../../src/compile/program.ts';
import type { Pod } from '../../src/model/cluster.ts';
import type { NetworkPolicy, PolicyRule } from '../../src/model/network-policy.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { outsideAddresses } from '../clusters/points.ts';
import { verdictsOf } from '../clusters/verdicts.ts';

const CHANGES = process.env['BULKHEAD_NIGHTLY'] === '1' ? 100_000 : 6000;
/** What the tables may hold beside four times what is in use. */
const SLACK = 1100;
const POLICIES = 60;

test('the tables of a live Program are bounded, and its verdicts those of a fresh compile', () => {
  const cluster = mixed({ mode: 'bare', pods: 120, namespaces: 4, policies: POLICIES });
  const live = new LiveProgram(cluster);
  const names: string[] = [];
  let renumberings = 0;
  let most = sizesOf(live.program);
  for (let index = 0; index < CHANGES; index++) {
    const pod = cluster.pods[(index * 7) % cluster.pods.length]!;
    const { isRenumbered } = index % 3 === 0 ? live.apply({ kind: 'put-pod', pod: withLabel(pod, `v${index}`) }) : addOrRemove(live, names, { index, pod });
    if (isRenumbered) renumberings++;
    if (index % 500 === 0) most = largest(most, sizesOf(live.program));
    if (index % 3000 === 2999) holdAgainst(live.program);
  }
  holdAgainst(live.program);
  const fresh = sizesOf(compileCluster(live.program.cluster));
  for (const [place, size] of most.entries()) assert.ok(size <= 4 * Math.max(fresh[place]!, 200) + SLACK, `table ${place} grew to ${size}, and ${fresh[place]} are in use`);
  assert.ok(renumberings > 0, 'so many new names make it compile anew at some time');
});

test('a compaction keeps the verdicts and is told with the next change', () => {
  const cluster = mixed({ mode: 'bare', pods: 60, namespaces: 3, policies: 30 });
  const live = new LiveProgram(cluster);
  live.apply({ kind: 'put-pod', pod: withLabel(cluster.pods[0]!, 'other') });
  live.compact();
  assert.equal(live.apply({ kind: 'put-pod', pod: cluster.pods[0]! }).isRenumbered, true);
  assert.equal(live.apply({ kind: 'put-pod', pod: cluster.pods[0]! }).isRenumbered, false);
  holdAgainst(live.program);
});

test('a policy that brings hundreds of blocks in one turn, nested and with holes, over pods and beside them, is compiled as it would be anew', () => {
  const range = (third: number, fourth: number, bits: number): string => `10.20.${third}.${fourth}/${bits}`;
  const blocks = Array.from({ length: 300 }, (_, index) => ({ ipBlock: { cidr: range(index >> 4, (index & 15) * 16, 28), ...(index % 3 === 0 ? { except: [range(index >> 4, (index & 15) * 16 + 4, 30)] } : {}) } }));
  const wide = [{ ipBlock: { cidr: '10.20.0.0/20', except: ['10.20.3.0/24'] } }, { ipBlock: { cidr: '2001:db8::/32', except: ['2001:db8:1::/48'] } }, { ipBlock: { cidr: '0.0.0.0/0' } }];
  const addresses = [['10.20.0.5'], ['10.20.3.20'], ['10.20.18.2', '2001:db8:1::7'], ['192.0.2.1', '2001:db8:2::7'], []];
  const pods = addresses.map((own, index) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${index}`, namespace: 'shop', labels: { app: `p${index}` } }, spec: { containers: [{ name: 'a', image: 'none' }] }, status: { phase: 'Running', podIP: own[0], podIPs: own.map((ip) => ({ ip })) } }));
  const policy = (name: string, direction: 'ingress' | 'egress', peers: readonly object[]): object => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'shop' }, spec: { podSelector: {}, policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'], [direction]: peers.map((peer, index) => ({ [direction === 'ingress' ? 'from' : 'to']: [peer], ports: [{ port: 1 + index }] })) } });
  const { cluster } = readManifests([sourceFromText('shop', [...pods, policy('in', 'ingress', [...blocks, ...wide]), policy('out', 'egress', [...wide, ...blocks.slice(100)])].map((object) => JSON.stringify(object)).join('\n---\n'))]);
  assert.deepEqual([cluster.pods.length, cluster.policies.length], [5, 2]);
  const live = new LiveProgram({ ...cluster, policies: [] });
  for (const one of cluster.policies) {
    live.apply({ kind: 'put-policy', policy: one });
    holdAgainst(live.program);
    const outside = outsideAddresses(live.program.cluster);
    assert.deepEqual([...verdictsOf(live.program, outside)].sort(), [...verdictsOf(compileCluster(live.program.cluster), outside)].sort());
  }
});

function withLabel(pod: Pod, value: string): Pod {
  return { ...pod, labels: new Map([...pod.labels, ['round', value]]) };
}

/** Each policy names what none has named before; as many are removed as are added. */
function addOrRemove(live: LiveProgram, names: string[], { index, pod }: { readonly index: number; readonly pod: Pod }): { readonly isRenumbered: boolean } {
  const { namespace } = pod;
  if (names.length >= POLICIES) {
    const [from, name] = names.shift()!.split('/');
    return live.apply({ kind: 'remove-policy', namespace: from!, name: name! });
  }
  names.push(`${namespace}/grown-${index}`);
  return live.apply({ kind: 'put-policy', policy: policyFor(namespace, index, live.program.cluster.policies[0]!) });
}

function policyFor(namespace: string, index: number, { origin }: NetworkPolicy): NetworkPolicy {
  const first = BigInt(index % 60_000) * 256n;
  const peers: PolicyRule['peers'] = {
    kind: 'listed',
    peers: [
      { kind: 'ip-block', cidr: { family: 4, first, last: first + 255n }, except: [], text: 'block', origin },
      { kind: 'pods', namespaces: { kind: 'own' }, podSelector: { requirements: [{ kind: 'In', key: 'round', values: [`v${index - 2}`] }] }, origin },
    ],
  };
  const ports: PolicyRule['ports'] = { kind: 'listed', ports: [{ kind: 'range', protocol: 'TCP', first: 1 + (index % 60_000), last: 2 + (index % 60_000), origin }] };
  const podSelector = { requirements: [{ kind: 'Exists' as const, key: 'round' }, { kind: 'NotIn' as const, key: 'round', values: [`v${index}`] }] };
  return { kind: 'NetworkPolicy', namespace, name: `grown-${index}`, podSelector, ingress: [{ index: 0, peers, ports, origin }], egress: undefined, origin };
}

function sizesOf({ groups, atoms, ingress, egress }: Program): number[] {
  return [groups.length, atoms.length, ingress.classCount, egress.classCount, ingress.subjectCount, egress.subjectCount];
}

function largest(a: readonly number[], b: readonly number[]): number[] {
  return a.map((size, place) => Math.max(size, b[place]!));
}

function holdAgainst(program: Program): void {
  const fresh = compileCluster(program.cluster);
  for (const source of program.cluster.pods.keys()) {
    for (const target of program.cluster.pods.keys()) {
      const ends = [{ kind: 'pod', pod: source }, { kind: 'pod', pod: target }] as const;
      assert.deepEqual(allowedPorts(program, ...ends), allowedPorts(fresh, ...ends));
    }
  }
}
