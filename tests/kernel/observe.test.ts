// An agent that observes beside rules of somebody else: it tells what they let through and refuse, and what our policies would have said, and changes nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endName } from '../../src/flow/flow-record.ts';
import { FirewallError } from '../../src/kernel/firewall-error.ts';
import { loadNft, runNft } from '../../src/kernel/internal/run-nft.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { openObserver } from '../../src/kernel/observing-firewall.ts';
import { needs } from '../needs.ts';
import { CountedTraffic, TCP_PORTS, UDP_PORT } from './counted-traffic.ts';
import { inEmptyNamespace } from './in-empty-namespace.ts';

const PODS = 8;

/** Refuses one port where engines judge, and another behind the routing; marks what it lets through. */
const FOREIGN = `table inet somebody {
  chain judge { type filter hook forward priority 0; policy accept; tcp dport 443 drop; ct mark set 0x5; }
  chain late { type filter hook postrouting priority 90; policy accept; ip daddr 10.9.0.4 udp dport 53 drop; }
}
`;

/** In the first namespace nobody lets in the others. */
const POLICY = {
  apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'own', namespace: 'ns0' },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
};

function openAll(traffic: CountedTraffic): ReadonlyMap<string, number> {
  traffic.opened.clear();
  for (let source = 0; source < PODS; source++) {
    for (let target = 0; target < PODS; target++) {
      if (source !== target) for (const port of [...TCP_PORTS, UDP_PORT]) traffic.open({ source, target, port });
    }
  }
  return new Map(traffic.opened);
}

test('what somebody else decides stays as it is, and is told with what our policies would have said', needs('kernel'), async (context) => {
  const traffic = new CountedTraffic(PODS, { observes: true });
  context.after(() => traffic.close());
  const namespace = traffic.hosts.router;
  loadNft(FOREIGN, { namespace, doing: 'load the rules of somebody else' });
  traffic.api.put(POLICY);
  const list = (): string => runNft(['list', 'table', 'inet', 'somebody'], { namespace, doing: 'list' });
  const before = list();
  const without = openAll(traffic);
  await traffic.start();
  const beside = openAll(traffic);
  assert.deepEqual(beside, without, 'the same connections open');
  assert.ok([...beside.keys()].some((key) => key.startsWith('denied') && key.endsWith('17 53')), 'one is refused late');
  traffic.agent.flows.drain();
  await sleep(1);
  traffic.agent.flows.drain();
  assert.deepEqual([...traffic.told()].sort(), [...beside].sort());
  assert.equal(list(), before);
  const own = runNft(['list', 'table', 'inet', 'bulkhead_observer'], { namespace, doing: 'list' });
  assert.doesNotMatch(own.replaceAll('ct status dnat update', ''), /drop|reject|queue|redirect|dnat|snat|masquerade|notrack|set 0x|policy (?!accept)/);
  const strange = traffic.records.filter(({ source, target, verdict }) => verdict === 'allowed' && source.kind === 'pod' && source.namespace !== 'ns0' && target.kind === 'pod' && target.namespace === 'ns0');
  assert.ok(strange.length > 0);
  for (const { source, reason } of strange) assert.equal(reason?.ingress.verdict, 'refuses', endName(source));
  assert.equal(traffic.agent.state.isEnforcing, false);
  assert.ok(traffic.agent.state.policies.every(({ inForceSince }) => inForceSince === undefined));
});

inEmptyNamespace('beside rules of our own there is nothing to observe', (namespace) => {
  const firewall = openFirewall({ namespace });
  const observer = openObserver({ namespace });
  firewall.load([]);
  assert.throws(() => observer.load([]), (error) => error instanceof FirewallError && error.code === 'table-in-use');
  firewall.remove();
  observer.load([]);
  observer.remove();
  for (const one of [firewall, observer]) one.close();
});
