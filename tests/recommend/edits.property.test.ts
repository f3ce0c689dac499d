// What must hold of policies to which recorded flows add what they need, held against random clusters, random flows, the literal reading of the API and the text as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { hasPoint, OTHER_POINT, pointOf } from '../../src/base/port-set.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { selects } from '../../src/model/selector.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { withAdditions, withoutEachPiece } from '../../src/recommend/edit/additions.ts';
import { editPolicies, newlyGoverned, type PolicyEdits } from '../../src/recommend/edit/edit-policies.ts';
import type { Connection, End } from '../../src/recommend/ends/connection.ts';
import { planInFiles, type WrittenEdits } from '../../src/report/define/edited-files.ts';
import { checkWith } from '../clusters/check-property.ts';
import { manifests } from '../clusters/manifests.ts';
import { trafficPoints } from '../clusters/points.ts';
import type { RawCluster, RawPolicy } from '../clusters/raw-cluster.ts';
import { seenFlows, withAddresses, type SeenFlow } from '../flow/random-flows.ts';
import { referenceAllows } from '../reference/reference.ts';

const numbers: fc.Arbitrary<readonly number[]> = fc.array(fc.noBias(fc.nat()), { minLength: 1, maxLength: 30, size: 'max' });
const FILE = 'policies.yaml';
const STYLES: readonly ((object: object) => string)[] = [
  (object) => dump(object),
  (object) => `# kept\n${dump(object, { seqNoIndent: true })}`,
  (object) => dump(object, { flowLevel: 3 }),
  (object) => dump(object, { flowLevel: 1 }),
  (object) => `${JSON.stringify(object, undefined, 2)}\n`,
];

const TYPES = [['Ingress', 'Egress'], ['Ingress'], ['Egress'], null] as const;

interface Edited {
  readonly cluster: Cluster;
  readonly seen: readonly SeenFlow[];
  readonly text: string;
  readonly after: string;
  readonly edits: PolicyEdits;
  /** As it is read again, with the policies that are new. */
  readonly closed: Cluster;
}

function tableOf(seen: readonly SeenFlow[]): FlowTable {
  const table = new FlowTable();
  for (const { record } of seen) table.add(record);
  return table;
}

/** With policies for some workloads alone, as most clusters have them: without rules, with one of another workload, with ports only. */
function withOwnPolicies(raw: RawCluster, chosen: readonly number[]): RawCluster {
  const labelOf = (index: number): string => `w${index % Math.min(5, raw.workloads.length)}`;
  const workloads = raw.workloads.slice(0, 5).map((workload, index) => ({ ...workload, labels: { ...workload.labels, own: labelOf(index) } }));
  const policies = workloads.flatMap(({ namespace }, index): readonly RawPolicy[] => {
    const number = chosen[index % chosen.length]! >> index;
    const peers = [{ podSelector: { matchLabels: { own: labelOf(number) } } }, { ipBlock: { cidr: '192.0.2.0/30' } }].slice(0, 1 + (number % 2));
    const ports = [{ protocol: 'TCP' as const, port: 80 + (number % 2) }];
    const rules = [undefined, [], [{ peers, ports }], [{ peers, ports: [] }, { peers, ports: [...ports, ports[0]!] }]][number % 4];
    const sections = rules === undefined ? {} : { ingress: rules.map((rule) => ({ ...(rule.ports.length === 0 ? {} : { ports: rule.ports }), from: rule.peers })), egress: rules.map((rule) => ({ to: rule.peers, ports: rule.ports })) };
    return number % 3 === 0 ? [] : [{ namespace, name: `own-${index}`, spec: { podSelector: { matchLabels: { own: labelOf(index) } }, ...sections, policyTypes: TYPES[(number >> 4) % TYPES.length]! } }];
  });
  return { ...raw, workloads, policies: [...raw.policies, ...policies] };
}

/** With a peer that is nobody and a port that nobody asks for in the lists of rules, now before the others and now behind them. */
function withSpare(raw: RawCluster, chosen: readonly number[]): RawCluster {
  let at = 0;
  const beside = (field: string, items: unknown): unknown => {
    if (!Array.isArray(items) || items.length === 0) return items;
    const spare = field === 'ports' ? { protocol: 'TCP', port: 8099 } : { podSelector: { matchLabels: { own: 'nobody' } } };
    return (chosen[at++ % chosen.length]! >> 8) % 2 === 0 ? [spare, ...items] : [...items, spare];
  };
  const widened = <Rule extends object>(rule: Rule | null): Rule | null => rule && (Object.fromEntries(Object.entries(rule).map(([field, items]) => [field, beside(field, items)])) as Rule); // of the same fields
  const policies = raw.policies.map((policy): RawPolicy => {
    const { ingress, egress, ...spec } = policy.spec ?? {};
    return policy.spec ? { ...policy, spec: { ...spec, ...(ingress ? { ingress: ingress.map(widened) } : {}), ...(egress ? { egress: egress.map(widened) } : {}) } } : policy;
  });
  return { ...raw, policies };
}

function editSeen(given: RawCluster, chosen: readonly number[]): Edited {
  const raw = withOwnPolicies(given, chosen);
  const text = manifests(raw).map(STYLES[chosen[0]! % STYLES.length]!).join('---\n');
  const read = (given: string): Cluster => withAddresses(readManifests([sourceFromText(FILE, given)]).cluster);
  const cluster = read(text);
  const seen = seenFlows(cluster, chosen);
  const table = tableOf(seen);
  const { edits, changes } = planInFiles(new Map([[FILE, text]]), {}, (isEditable) => editPolicies(cluster, [], { table, isEditable, withDenied: chosen.length % 2 === 0 }));
  const after = changes[0]?.after ?? text;
  const written = read(after);
  return { cluster, seen, text, after, edits, closed: { ...written, policies: [...written.policies, ...edits.added.map(({ draft }) => draft.policy)] } };
}

/** Flows that are to go through afterwards. */
function wantedOf({ seen, edits }: Edited): readonly SeenFlow[] {
  const left = new Set([...edits.proof.left.values()].flat());
  return seen.filter(({ record }) => !left.has(rowOf(edits.table, record)));
}

function rowOf(table: FlowTable, record: SeenFlow['record']): number {
  const { size } = table;
  const probe = new FlowTable();
  for (let row = 0; row < size; row++) probe.add(table.recordAt(row));
  probe.add(record);
  assert.equal(probe.size, size);
  const one = tableOf([{ record } as SeenFlow]).recordAt(0);
  const key = (of: SeenFlow['record']): string => JSON.stringify([of.source, of.target, of.verdict, of.family, of.protocol, of.port], (name, value: unknown) => (name === 'address' ? undefined : value instanceof Map ? [...value] : typeof value === 'bigint' ? `${value}` : value));
  const keyWithOutside = (of: SeenFlow['record']): string => `${key(of)}${[of.source, of.target].map((end) => (end.kind === 'outside' ? `${end.address.value}` : '')).join()}`;
  return Array.from({ length: size }, (_, row) => row).find((row) => keyWithOutside(table.recordAt(row)) === keyWithOutside(one))!;
}

test('every recorded flow that is not told as refused goes through the edited text, as the reference reads it, and a second run adds nothing', () => {
  let [edited, added, governed] = [0, 0, 0];
  checkWith(numbers, (raw, chosen) => {
    const done = editSeen(raw, chosen);
    for (const { traffic, record } of wantedOf(done)) assert.ok(referenceAllows(done.closed, betweenPods(done.cluster, traffic)), JSON.stringify(record, (_, value: unknown) => (value instanceof Map ? [...value] : typeof value === 'bigint' ? `${value}` : value)));
    const again = editPolicies(done.closed, [], { table: done.edits.table, isEditable: () => true, withDenied: chosen.length % 2 === 0 });
    assert.deepEqual([again.edited, again.added], [[], []]);
    edited += done.edits.edited.length;
    added += done.edits.added.length;
    governed += done.edits.edited.filter((one) => newlyGoverned(one).length > 0).length;
  }, { share: 0.2 });
  assert.ok(edited > 20 && added > 3 && governed > 0, `${edited} edited, ${added} added, ${governed} in a new direction`);
});

test('the text says what it said, line by line, but for what was added', () => {
  checkWith(numbers, (raw, chosen) => {
    const { text, after } = editSeen(raw, chosen);
    assert.ok(isWithin(text.replaceAll(/: \[\]$/gm, ':').replaceAll('[]', ''), after), 'a sign of the text is gone');
    // The last field of a map of JSON gets a comma, where another one is added behind it.
    const lines = new Set(after.split('\n').flatMap((line) => [line, `${line} []`, ...(STYLES[chosen[0]! % STYLES.length] === STYLES.at(-1) && line.endsWith(',') ? [line.slice(0, -1)] : [])]));
    for (const line of text.split('\n')) if (!/[[{]/.test(line)) assert.ok(lines.has(line), line);
  }, { share: 0.2 });
});

/** Whether all signs of the one are in the other, in their order. */
function isWithin(part: string, whole: string): boolean {
  const signs = [...whole];
  let at = 0;
  return [...part].every((sign) => {
    while (at < signs.length && signs[at] !== sign) at++;
    return at++ < signs.length;
  });
}

test('without any one piece a flow that is to go through is refused as the reference says', () => {
  let pieces = 0;
  checkWith(numbers, (raw, chosen) => {
    const done = editSeen(raw, chosen);
    const wanted = wantedOf(done);
    const changed = [...done.edits.edited.map(({ policy, additions }) => ({ policy, name: policy.name, additions })), ...done.edits.added.map(({ draft: { policy }, additions }) => ({ policy: { ...policy, ingress: policy.ingress && [], egress: policy.egress && [] }, name: policy.name, additions }))];
    for (const { policy, name, additions } of changed) {
      additions.forEach((addition, index) => withoutEachPiece(addition).forEach((less) => {
        const smaller = withAdditions(policy, additions.toSpliced(index, 1, ...(less === undefined ? [] : [less])));
        const policies = done.closed.policies.map((one) => (one.name === name && one.namespace === policy.namespace ? smaller : one));
        assert.ok(wanted.some(({ traffic }) => ofWorkloads(done.cluster, betweenPods(done.cluster, traffic)).some((one) => !referenceAllows({ ...done.closed, policies }, one))), `${name} ${addition.kind}`);
        pieces++;
      }));
    }
  }, { share: 0.1 });
  assert.ok(pieces > 20, `${pieces} in all`);
});

test('what the reference allows between pods and did not allow before is between the ends and on the ports of what was added, and nothing is lost', () => {
  let gained = 0;
  checkWith(numbers, (raw, chosen) => {
    const { cluster, closed, edits } = editSeen(raw, chosen);
    const connections = [...edits.edited, ...edits.added].flatMap(({ additions }) => additions.flatMap((addition) => addition.connections));
    for (const source of cluster.pods.keys()) {
      for (const target of cluster.pods.keys()) {
        if (source === target) continue;
        for (const { protocol, port } of trafficPoints(cluster)) {
          const traffic = { source: { kind: 'pod', pod: source }, target: { kind: 'pod', pod: target }, protocol, port, family: 4 } as const;
          const [before, after] = [referenceAllows(cluster, traffic), referenceAllows(closed, traffic)];
          if (before === after) continue;
          const name = `${cluster.pods[source]!.name} to ${cluster.pods[target]!.name} on ${protocol} ${port}`;
          assert.ok(after, `lost: ${name}`);
          const point = protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
          assert.ok(connections.some((connection) => isBetween(cluster, connection, [source, target]) && hasPoint(connection.ports, point)), `gained: ${name}`);
          gained++;
        }
      }
    }
  }, { share: 0.1 });
  assert.ok(gained > 0, `${gained} in all`);
});

/** A node's address stands for whatever has its network. */
function isBetween({ pods }: Cluster, { source, target }: Connection, ends: readonly [source: number, target: number]): boolean {
  return [source, target].every((end: End, index) => {
    const pod = pods[ends[index]!]!;
    if (end.kind === 'subject') return end.subject.namespace === pod.namespace && selects(end.subject.selector, pod);
    return end.kind === 'addresses' && pod.addresses.some(({ family, value }) => end.blocks.some(({ cidr }) => cidr.family === family && cidr.first <= value && value <= cidr.last));
  });
}

/** A record is of a workload: of what has its node's network, the addresses of all of its pods are meant. */
function ofWorkloads({ pods }: Cluster, traffic: SeenFlow['traffic']): readonly SeenFlow['traffic'][] {
  const alike = (end: SeenFlow['traffic']['source']): readonly SeenFlow['traffic']['source'][] => {
    if (end.kind !== 'pod' || !pods[end.pod]!.hostNetwork) return [end];
    const { kind, namespace, name } = pods[end.pod]!.workload;
    return [...pods.keys()].filter((pod) => { const own = pods[pod]!.workload; return own.kind === kind && own.namespace === namespace && own.name === name; }).map((pod) => ({ kind: 'pod', pod }));
  };
  return alike(traffic.source).flatMap((source) => alike(traffic.target).map((target) => ({ ...traffic, source, target })));
}

/** A workload that speaks to itself is one of its pods to another. */
function betweenPods({ pods }: Cluster, traffic: SeenFlow['traffic']): SeenFlow['traffic'] {
  const { source, target } = traffic;
  if (source.kind !== 'pod' || target.kind !== 'pod' || source.pod !== target.pod) return traffic;
  const { workload } = pods[source.pod]!;
  const other = pods.findIndex((pod, index) => index !== source.pod && pod.workload.kind === workload.kind && pod.workload.name === workload.name && pod.workload.namespace === workload.namespace);
  return other < 0 ? traffic : { ...traffic, target: { kind: 'pod', pod: other } };
}

test('without the rules, peers and ports that nothing needed the text says the rest, sign by sign, every flow that went through does and a second run takes nothing away', () => {
  const removed = { rule: 0, peer: 0, port: 0 };
  checkWith(numbers, (given, chosen) => {
    const raw = withSpare(withOwnPolicies(given, chosen), chosen);
    const text = manifests(raw).map(STYLES[chosen[0]! % STYLES.length]!).join('---\n');
    const cluster = withAddresses(readManifests([sourceFromText(FILE, text)]).cluster);
    const seen = seenFlows(cluster, chosen);
    const table = tableOf(seen);
    const without = (text: string, cluster: Cluster): WrittenEdits => planInFiles(new Map([[FILE, text]]), {}, (isEditable, isRemovable) => editPolicies(cluster, [], { table, isEditable, removal: { stableMs: 0, isRemovable } }));
    const { edits, changes } = without(text, cluster);
    const after = changes[0]?.after ?? text;
    const written = withAddresses(readManifests([sourceFromText(FILE, after)]).cluster);
    const closed = { ...written, policies: [...written.policies, ...edits.added.map(({ draft }) => draft.policy)] };
    for (const { traffic } of seen) {
      const between = betweenPods(cluster, traffic);
      if (referenceAllows(cluster, between)) assert.ok(referenceAllows(closed, between));
    }
    // What an anchor held fast may be free once its aliases are gone.
    if (edits.removal!.kept.every(({ why }) => why !== 'unwritable')) assert.deepEqual(without(after, closed).edits.removal!.removed.filter(({ policy }) => written.policies.includes(policy)).length, 0);
    if (edits.edited.length === 0) assert.ok(isWithin(after.replaceAll('[]', ''), text), 'a sign is there that was not');
    for (const { piece } of edits.removal!.removed) removed[piece?.kind ?? 'rule']++;
  }, { share: 0.15 });
  assert.ok(removed.rule > 10 && removed.peer > 3 && removed.port > 3, JSON.stringify(removed));
});
