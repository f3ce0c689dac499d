// Random clusters: what an explanation says to change in the nearest rule, done as it is written, lets the connection through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/analyze/explain.ts';
import type { Mismatch, RuleMiss } from '../../src/analyze/near-miss.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { hasPoint, OTHER_POINT, pointOf, PROTOCOL_BASE, type Protocol } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import { DIRECTIONS, type Direction, type Peer, type PolicyRule } from '../../src/model/network-policy.ts';
import type { Requirement, Selector } from '../../src/model/selector.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { trafficPoints } from '../clusters/points.ts';
import { settleCluster } from '../clusters/settle.ts';

test('the edits of a near miss, taken together, let the connection through in that direction', () => {
  let editCount = 0;
  checkClusters((raw) => {
    const cluster = settleCluster({ ...raw, clusterPolicies: [] });
    const program = compileCluster(cluster);
    const points = trafficPoints(cluster);
    let turn = 0;
    for (const source of cluster.pods.keys()) {
      for (const target of cluster.pods.keys()) {
        // Between pods of one entry a label is that of both ends, and may take the subject out of the policy.
        if (source === target) continue;
        const { protocol, port } = points[turn++ % points.length]!;
        const point = protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
        const family = turn % 2 === 0 ? 4 : 6;
        const question = { source: { kind: 'pod', pod: source }, target: { kind: 'pod', pod: target }, ports: [point, point], family } as const;
        const explanation = explain(program, question);
        if (!explanation.hasCommonFamily) continue;
        for (const direction of DIRECTIONS) {
          const { nearMiss, isJudged } = explanation[direction];
          if (nearMiss === undefined || !isJudged) continue;
          const other = cluster.pods[direction === 'egress' ? target : source]!;
          const edited = applyEdits(cluster, nearMiss, { direction, other });
          if (edited === undefined) continue;
          editCount++;
          const { ports } = explain(compileCluster(edited), question)[direction];
          assert.ok(hasPoint(ports, point), `${source} → ${target} ${protocol} ${port} over IPv${family}, ${direction}: ${nearMiss.mismatches.map(({ message, edit }) => `${message}; ${edit}`).join('\n')}`);
        }
      }
    }
  }, { share: 0.3 });
  assert.ok(editCount > 200, `${editCount} near misses were mended`);
});

interface EditContext {
  readonly direction: Direction;
  /** Whom the rule does not match. */
  readonly other: Pod;
}

/** undefined: the edit leaves it to the reader what to write. */
function applyEdits(cluster: Cluster, { policy, rule, mismatches }: RuleMiss, context: EditContext): Cluster | undefined {
  if (rule === undefined) return undefined;
  let edited: PolicyRule = rule;
  let pods = cluster.pods;
  let namespaces = cluster.namespaces;
  for (const mismatch of mismatches) {
    const label = /^label (namespace|the pods|pod).*? (?:`([^`=]+)=([^`]*)`|with `([^`]+)`)$/.exec(mismatch.edit);
    if (label !== null) {
      const [what, key, value] = [label[1]!, label[2] ?? label[4]!, label[3] ?? 'chosen'];
      const labels = (old: ReadonlyMap<string, string>): ReadonlyMap<string, string> => new Map([...old, [key, value]]);
      if (what === 'namespace') namespaces = namespaces.map((one) => (one.name === context.other.namespace ? { ...one, labels: labels(one.labels) } : one));
      else pods = pods.map((one) => (one === context.other || one.name === context.other.name ? { ...one, labels: labels(one.labels) } : one));
      continue;
    }
    const next = applyToRule(edited, mismatch, context);
    if (next === undefined) return undefined;
    edited = next;
  }
  const policies = cluster.policies.map((one) => (one === policy ? { ...one, [context.direction]: one[context.direction]!.map((own) => (own === rule ? edited : own)) } : one));
  return { ...cluster, pods, namespaces, policies };
}

function applyToRule(rule: PolicyRule, { edit, part, origin }: Mismatch, { other }: EditContext): PolicyRule | undefined {
  const written = /^write `([^:]+): ([^`]*)` in the selector/.exec(edit);
  if (written !== null) return withSelector(rule, origin, part, (one) => (one.kind === 'In' && one.key === written[1] ? { ...one, values: [written[2]!] } : one));
  const dropped = /^take `([^`]+)` off .*, or drop the requirement$/.exec(edit);
  if (dropped !== null) return withSelector(rule, origin, part, (one) => (one.key === dropped[1] && (one.kind === 'NotIn' || one.kind === 'DoesNotExist') ? undefined : one));
  const unmet = /^drop the requirement of `([^`]+)` from the selector$/.exec(edit);
  if (unmet !== null) return withSelector(rule, origin, part, (one) => (one.key === unmet[1] && (one.kind === 'In' || one.kind === 'Exists') ? undefined : one));
  const named = /^add `namespaceSelector: \{ matchLabels: \{ kubernetes.io\/metadata.name: ([^ ]+) \} \}` to the peer$/.exec(edit);
  if (named !== null) {
    const requirements: Requirement[] = [{ kind: 'In', key: 'kubernetes.io/metadata.name', values: [named[1]!] }];
    return withPeer(rule, origin, (peer) => (peer.kind === 'pods' ? { ...peer, namespaces: { kind: 'selected', selector: { requirements } } } : peer));
  }
  if (edit === 'add a peer that selects the pod by its labels') {
    const byLabels: Peer = { kind: 'pods', podSelector: selectorOf(other.labels), namespaces: { kind: 'selected', selector: selectorOf(new Map([['kubernetes.io/metadata.name', other.namespace]])) }, origin };
    return rule.peers.kind === 'listed' ? { ...rule, peers: { ...rule.peers, peers: [...rule.peers.peers, byLabels] } } : rule;
  }
  const holding = /^add a peer `ipBlock` that holds ([0-9a-f.:]+)$/.exec(edit);
  if (holding !== null) {
    const { family, value } = parseIpAddress(holding[1]!)!;
    const block: Peer = { kind: 'ip-block', cidr: { family, first: value, last: value }, except: [], text: holding[1]!, origin };
    return rule.peers.kind === 'listed' ? { ...rule, peers: { ...rule.peers, peers: [...rule.peers.peers, block] } } : rule;
  }
  if (edit === 'narrow the `except`, or add another peer') return withPeer(rule, origin, (peer) => (peer.kind === 'ip-block' ? { ...peer, except: [] } : peer));
  if (edit.startsWith('remove `ports`')) return { ...rule, ports: { kind: 'every' } };
  const port = /^add (TCP|UDP|SCTP) (\d+) to the ports of the rule$/.exec(edit);
  if (port === null || rule.ports.kind === 'every') return undefined;
  const number = Number(port[2]);
  assert.ok(number > 0 && number < 65536 && PROTOCOL_BASE[port[1] as Protocol] !== undefined);
  return { ...rule, ports: { ...rule.ports, ports: [...rule.ports.ports, { kind: 'range', protocol: port[1] as Protocol, first: number, last: number, origin }] } };
}

function selectorOf(labels: ReadonlyMap<string, string>): Selector {
  return { requirements: Array.from(labels, ([key, value]) => ({ kind: 'In', key, values: [value] })) };
}

function withPeer(rule: PolicyRule, origin: Mismatch['origin'], change: (peer: Peer) => Peer): PolicyRule {
  if (rule.peers.kind !== 'listed') return rule;
  return { ...rule, peers: { ...rule.peers, peers: rule.peers.peers.map((peer) => (peer.origin === origin ? change(peer) : peer)) } };
}

function withSelector(rule: PolicyRule, origin: Mismatch['origin'], part: Mismatch['part'], change: (requirement: Requirement) => Requirement | undefined): PolicyRule {
  const changed = (selector: Selector): Selector => ({ ...selector, requirements: selector.requirements.flatMap((one) => change(one) ?? []) });
  return withPeer(rule, origin, (peer) => {
    if (peer.kind !== 'pods') return peer;
    if (part === 'label') return { ...peer, podSelector: changed(peer.podSelector) };
    return peer.namespaces.kind === 'selected' ? { ...peer, namespaces: { ...peer.namespaces, selector: changed(peer.namespaces.selector) } } : peer;
  });
}
