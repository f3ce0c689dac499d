// Each output format of `reach` on one small answer, byte for byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Finding } from '../../src/base/finding.ts';
import { portSetOf } from '../../src/base/port-set.ts';
import type { NamedRoutes } from '../../src/analyze/named-routes.ts';
import type { ReachRow } from '../../src/analyze/reach.ts';
import { formatReach, type ReachFormat, type ReachLayout } from '../../src/report/reach/reach-formats.ts';
import { PLAIN_STYLE, TERMINAL_STYLE } from '../../src/report/text/style.ts';
import { exampleReachability, reachabilityOf } from './reachability-example.ts';

const LAYOUT: ReachLayout = { style: PLAIN_STYLE, widthColumns: 80, findings: [] };

async function pieces(format: ReachFormat, reachability = exampleReachability(), layout: Partial<ReachLayout> = {}): Promise<string[]> {
  const decoder = new TextDecoder();
  const texts: string[] = [];
  for (const piece of await formatReach(format, reachability, { ...LAYOUT, ...layout })) texts.push(typeof piece === 'string' ? piece : decoder.decode(piece));
  return texts;
}

async function print(format: ReachFormat, widthColumns = 80): Promise<string> {
  return (await pieces(format, exampleReachability(), { widthColumns })).join('');
}

async function check(format: ReachFormat, expected: string): Promise<void> {
  assert.equal(await print(format), expected);
}

test('json is the contract, one endpoint or row a line', async () => {
  await check(
    'json',
    `{
"apiVersion": "bulkhead/v1",
"kind": "Reachability",
"endpoints": [
{ "id": "data/db", "kind": "StatefulSet", "namespace": "data", "name": "db", "pods": 1, "hostNetwork": false },
{ "id": "shop/web", "kind": "Deployment", "namespace": "shop", "name": "web", "pods": 2, "hostNetwork": false },
{ "id": "10.0.0.0-10.255.255.255", "kind": "Range", "first": "10.0.0.0", "last": "10.255.255.255" },
{ "id": "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "kind": "Range", "first": "::", "last": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" }
],
"allowed": [
{ "source": "shop/web", "target": "data/db", "traffic": { "TCP": [[5432,5432]], "UDP": [], "SCTP": [] }, "other": false },
{ "source": "shop/web", "target": "shop/web", "traffic": { "TCP": [[1,65535]], "UDP": [[1,65535]], "SCTP": [[1,65535]] }, "other": true },
{ "source": "shop/web", "target": "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "traffic": { "TCP": [], "UDP": [], "SCTP": [[1,65535]] }, "other": false },
{ "source": "10.0.0.0-10.255.255.255", "target": "shop/web", "traffic": { "TCP": [[80,80],[8000,8999]], "UDP": [[53,53]], "SCTP": [] }, "other": false }
],
"findings": []
}
`,
  );
});

test('json with findings and without rows is still JSON', async () => {
  const finding = { message: 'm', code: 'selects-no-pods', severity: 'warning' } as const;
  const text = (await pieces('json', reachabilityOf([], []), { findings: [finding] })).join('');
  assert.deepEqual(JSON.parse(text), {
    apiVersion: 'bulkhead/v1',
    kind: 'Reachability',
    endpoints: [],
    allowed: [],
    findings: [{ code: 'selects-no-pods', severity: 'warning', message: 'm' }],
  });
});

test('json goes out in pieces while rows are made', async () => {
  const size = 400;
  const ends = Array.from({ length: size }, (_, at) => ({ id: `ns/pod-${at}`, kind: 'Pod', namespace: 'ns', name: `pod-${at}`, pods: 1, hostNetwork: false }));
  const ports = portSetOf('TCP', 80, 80);
  const rows: ReachRow[] = ends.flatMap((_, source) => ends.map((__, target) => ({ source, target, ports })));
  const texts = await pieces('json', reachabilityOf(ends, rows));
  assert.ok(texts.length > 50, `${texts.length} pieces`);
  const longest = Math.max(...texts.map((piece) => piece.length));
  assert.ok(longest < 200_000, `a piece of ${longest}`);
  assert.equal((JSON.parse(texts.join('')) as { allowed: unknown[] }).allowed.length, size * size);
});

test('table', async () => {
  await check(
    'table',
    `SOURCE            TARGET            TRAFFIC
shop/web          data/db           TCP 5432
shop/web          shop/web          all
shop/web          any IPv6 address  SCTP all
10.0.0.0/8        shop/web          TCP 80,8000-8999; UDP 53
`,
  );
});

test('wide adds kinds and numbers of pods', async () => {
  assert.equal((await print('wide')).split('\n')[1], 'shop/web          Deployment   2     data/db           StatefulSet  1     TCP 5432');
});

test('csv', async () => {
  await check(
    'csv',
    `source,target,tcp,udp,sctp,other
shop/web,data/db,5432,,,false
shop/web,shop/web,1-65535,1-65535,1-65535,true
shop/web,::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,,,1-65535,false
10.0.0.0-10.255.255.255,shop/web,80 8000-8999,53,,false
`,
  );
});

test('md', async () => {
  await check(
    'md',
    `| source | target | traffic |
|---|---|---|
| shop/web | data/db | TCP 5432 |
| shop/web | shop/web | all |
| shop/web | any IPv6 address | SCTP all |
| 10.0.0.0/8 | shop/web | TCP 80,8000-8999; UDP 53 |
`,
  );
});

test('dot', async () => {
  await check(
    'dot',
    `digraph reachability {
  rankdir=LR;
  node [shape=box];
  subgraph cluster_0 {
    label="data";
    n0 [label="db"];
  }
  subgraph cluster_1 {
    label="shop";
    n1 [label="web"];
  }
  n2 [shape=ellipse, label="10.0.0.0/8"];
  n3 [shape=ellipse, label="any IPv6 address"];
  n1 -> n0 [label="TCP 5432"];
  n1 -> n1 [label="all"];
  n1 -> n3 [label="SCTP all"];
  n2 -> n1 [label="TCP 80,8000-8999; UDP 53"];
}
`,
  );
});

test('mermaid', async () => {
  await check(
    'mermaid',
    `flowchart LR
  subgraph ns0["data"]
    n0["db"]
  end
  subgraph ns1["shop"]
    n1["web"]
  end
  n2(["10.0.0.0/8"])
  n3(["any IPv6 address"])
  n1 -->|"TCP 5432"| n0
  n1 -->|"all"| n1
  n1 -->|"SCTP all"| n3
  n2 -->|"TCP 80,8000-8999; UDP 53"| n1
`,
  );
});

test('matrix', async () => {
  await check(
    'matrix',
    `                     1  2  3  4
1 data/db               ·  ·  ·
2 shop/web           a  ●  ·  b
3 10.0.0.0/8         ·  c
4 any IPv6 address   ·  ·

 ●  everything
 a  TCP 5432
 b  SCTP all
 c  TCP 80,8000-8999; UDP 53
 ·  nothing
`,
  );
});

test('a matrix too wide for the terminal goes on below, and no line is wider than the terminal', async () => {
  const lines = (await print('matrix', 22)).split('\n');
  assert.equal(lines.filter((line) => line.startsWith('2 ')).length, 2);
  for (const line of lines.filter((text) => !/^ [●a-c·] /.test(text))) assert.ok(line.length <= 22, line);
});

test('colors change nothing but colors', async () => {
  const colored = (await pieces('matrix', exampleReachability(), { style: TERMINAL_STYLE })).join('');
  assert.notEqual(colored, await print('matrix'));
  assert.equal(colored.replace(/\u001b\[[0-9]+m/g, '').replace(/ +$/gm, ''), (await print('matrix')).replace(/ +$/gm, ''));
});

test('jsonl is one object a line, each saying what it is', async () => {
  await check(
    'jsonl',
    `{ "endpoint": { "id": "data/db", "kind": "StatefulSet", "namespace": "data", "name": "db", "pods": 1, "hostNetwork": false } }
{ "endpoint": { "id": "shop/web", "kind": "Deployment", "namespace": "shop", "name": "web", "pods": 2, "hostNetwork": false } }
{ "endpoint": { "id": "10.0.0.0-10.255.255.255", "kind": "Range", "first": "10.0.0.0", "last": "10.255.255.255" } }
{ "endpoint": { "id": "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "kind": "Range", "first": "::", "last": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" } }
{ "allowed": { "source": "shop/web", "target": "data/db", "traffic": { "TCP": [[5432,5432]], "UDP": [], "SCTP": [] }, "other": false } }
{ "allowed": { "source": "shop/web", "target": "shop/web", "traffic": { "TCP": [[1,65535]], "UDP": [[1,65535]], "SCTP": [[1,65535]] }, "other": true } }
{ "allowed": { "source": "shop/web", "target": "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "traffic": { "TCP": [], "UDP": [], "SCTP": [[1,65535]] }, "other": false } }
{ "allowed": { "source": "10.0.0.0-10.255.255.255", "target": "shop/web", "traffic": { "TCP": [[80,80],[8000,8999]], "UDP": [[53,53]], "SCTP": [] }, "other": false } }
`,
  );
});

const AWKWARD: Finding = { code: 'selects-no-pods', severity: 'warning', message: 'yes: "no"\n\u0085- # \u2028{ é \u009b', help: "it's 010" };

test('jsonl says what json says', async () => {
  const routes: NamedRoutes = { services: [], entrances: [] };
  const whole = JSON.parse((await pieces('json', exampleReachability(), { findings: [AWKWARD], routes })).join('')) as Record<'endpoints' | 'allowed' | 'findings', unknown[]>;
  const lines = (await pieces('jsonl', exampleReachability(), { findings: [AWKWARD], routes })).join('').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
  const wanted = [...whole.endpoints.map((endpoint) => ({ endpoint })), ...whole.allowed.map((allowed) => ({ allowed })), ...whole.findings.map((finding) => ({ finding }))];
  assert.deepEqual(lines, wanted);
});

test('yaml is the object of json, to readers of YAML 1.1 and 1.2', async () => {
  for (const reachability of [exampleReachability(), reachabilityOf([], [])]) {
    const expected: unknown = JSON.parse((await pieces('json', reachability, { findings: [AWKWARD] })).join(''));
    const text = (await pieces('yaml', reachability, { findings: [AWKWARD] })).join('');
    for (const version of ['1.1', '1.2'] as const) assert.deepEqual(parse(text, { version }), expected);
  }
});
