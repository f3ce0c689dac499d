// The kernel's ledger when it is half full: what does not grow is taken out, and what begins anew under its name is counted whole.
import assert from 'node:assert/strict';
import { loadSteps } from '../../src/emit/plan-change.ts';
import type { LedgerEntry } from '../../src/kernel/firewall.ts';
import { loadNft, runNft } from '../../src/kernel/internal/run-nft.ts';
import { LEDGER_SIZE } from '../../src/kernel/internal/skeleton.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import type { NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { inEmptyNamespace } from './in-empty-namespace.ts';
import { rulesetOf } from './rules.ts';

const ISOLATED = rulesetOf({ isolated: { ingress: ['b'] } });
/** More than from where on the set is kept small. */
const MANY = Math.ceil(LEDGER_SIZE / 2) + 100;
/** Few enough for the socket of a plain user, who may not widen it. */
const PUT_AT_ONCE = 400;

/** As the kernel would have, had so many packets come by then. */
function put(namespace: NamespaceFd, ports: readonly number[], packets: number): void {
  for (let start = 0; start < ports.length; start += PUT_AT_ONCE) {
    const elements = ports.slice(start, start + PUT_AT_ONCE).map((port) => `10.0.0.1 . 10.0.0.2 . tcp . ${port} . 0x0 counter packets ${packets} bytes 60`);
    loadNft(`add element inet bulkhead flow4 { ${elements.join(', ')} }\n`, { namespace, doing: 'count packets' });
  }
}

function kept(namespace: NamespaceFd): number {
  return runNft(['list', 'set', 'inet', 'bulkhead', 'flow4'], { namespace, doing: 'read the ledger' }).split('packets').length - 1;
}

function told(entries: readonly LedgerEntry[]): readonly string[] {
  return entries.map(({ port, packets }) => `${port}: ${packets}`);
}

inEmptyNamespace('a ledger that is half full loses what does not grow, and no packet', (namespace) => {
  const firewall = openFirewall({ namespace });
  try {
    firewall.load(loadSteps(ISOLATED));
    const ports = Array.from({ length: MANY }, (_, port) => port + 1);
    put(namespace, ports, 2);
    assert.equal(firewall.readLedger({ drain: true }).length, MANY);
    assert.deepEqual(firewall.readLedger({ drain: true }), []);
    assert.equal(kept(namespace), 0);
    put(namespace, [80, 81], 2);
    assert.deepEqual([...told(firewall.readLedger({ drain: true }))].sort(), ['80: 2', '81: 2']);
    assert.equal(kept(namespace), 2);
  } finally {
    firewall.close();
  }
});

inEmptyNamespace('who only looks takes nothing away, and counts nothing as told', (namespace) => {
  const firewall = openFirewall({ namespace });
  try {
    firewall.load(loadSteps(ISOLATED));
    put(namespace, [80], 2);
    for (let time = 0; time < 2; time++) assert.deepEqual(told(firewall.readLedger()), ['80: 2']);
    assert.deepEqual(told(firewall.readLedger({ drain: true })), ['80: 2']);
    put(namespace, [443], 1);
    for (let time = 0; time < 2; time++) assert.deepEqual(told(firewall.readLedger()), ['443: 1']);
    assert.deepEqual(told(firewall.readLedger({ drain: true })), ['443: 1']);
    assert.deepEqual(told(firewall.readLedger()), []);
  } finally {
    firewall.close();
  }
});
