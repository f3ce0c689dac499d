// What a pod sends to the node it runs on: judged where cluster-wide policies say something of it, else never asked about.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { elementsOf, NO_ELEMENTS } from '../../src/emit/elements.ts';
import type { Element, Elements } from '../../src/emit/element.ts';
import { diffElements } from '../../src/emit/plan-change.ts';
import { EVERY_PORT_BIT } from '../../src/emit/profile-number.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import type { Firewall } from '../../src/kernel/firewall.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { createPollProber } from '../../src/kernel/poll-probe.ts';
import { addAddress, LOOPBACK_INDEX, Rtnetlink } from '../../src/kernel/rtnetlink.ts';
import { needs } from '../needs.ts';
import { addressOf, HOSTS, type HostName } from './firewall-world.ts';
import { rulesetOf } from './rules.ts';
import { WiredHosts } from './wired-hosts.ts';

const NODE = { 4: parseIpAddress('192.0.2.254')!, 6: parseIpAddress('2001:db8::fe')! } as const;
const FAMILIES = [4, 6] as const;

/** `a` may go to the node's TCP port 80 alone, `b` is not judged. */
const ELEMENTS: Elements = new Map([...elementsOf(rulesetOf({ isolated: { egress: ['a', 'b', 'c'] } }))].map(([set, elements]) => {
  const family: IpFamily = set.endsWith('6') ? 6 : 4;
  const pod = addressOf('a', family).value;
  if (set === 'ln4' || set === 'ln6') return [set, [{ key: [pod], data: 1 }]];
  if (set === 'on4' || set === 'on6') return [set, [{ key: [pod, NODE[family].value], last: [pod, NODE[family].value], data: 77 }]];
  if (set === 'px') return [set, [...elements, { key: [77, 6, 80], data: 77 } satisfies Element]];
  return [set, elements];
}));

const CASES: readonly { readonly wanted: boolean; readonly pod: 'a' | 'b'; readonly protocol: 'TCP' | 'UDP'; readonly port: number }[] = [
  { wanted: true, pod: 'a', protocol: 'TCP', port: 80 },
  { wanted: false, pod: 'a', protocol: 'TCP', port: 81 },
  { wanted: false, pod: 'a', protocol: 'UDP', port: 53 },
  { wanted: true, pod: 'b', protocol: 'TCP', port: 81 },
  { wanted: true, pod: 'b', protocol: 'UDP', port: 53 },
];

test('fake: a pod and its own node', () => {
  const firewall = createFakeFirewall();
  firewall.load(diffElements(NO_ELEMENTS, ELEMENTS));
  for (const { wanted, pod, protocol, port } of CASES) {
    for (const family of FAMILIES) {
      const verdict = firewall.decide({ source: addressOf(pod, family), target: NODE[family], protocol: protocol === 'TCP' ? 6 : 17, port, isToNode: true });
      assert.equal(verdict, wanted ? 'accept' : 'drop', `${pod} ${protocol} ${port}`);
    }
  }
});

onNode('kernel: a pod and its own node', async (hosts, firewall) => {
  // Nobody listens: what gets through is refused by the node itself.
  assert.deepEqual(await probe(hosts), CASES.flatMap(({ wanted }) => FAMILIES.map(() => (wanted ? 'refused' : 'silent'))));
  const denied = firewall.readLedger().filter(({ verdict, source }) => verdict === 'denied' && FAMILIES.some((family) => source.value === addressOf('a', family).value));
  assert.deepEqual(new Set(denied.map(({ refusal, port }) => `${refusal} ${port}`)), new Set(['egress 81', 'egress 53']));
  const open = new Map(ELEMENTS).set('on4', [{ key: [addressOf('a', 4).value, 0n], last: [addressOf('a', 4).value, 0xffffffffn], data: 77 + EVERY_PORT_BIT }]);
  firewall.apply({ steps: diffElements(firewall.read(), open), takesAway: false });
  assert.deepEqual((await probe(hosts)).slice(0, 6), ['refused', 'refused', 'refused', 'silent', 'refused', 'silent']);
});

onNode('kernel: what the node opens to a judged pod is answered', async (hosts) => {
  const answers = await answersOf(FAMILIES.map((family) => ({ namespace: hosts.router, source: NODE[family], target: addressOf('a', family), targetNamespace: hostOf(hosts, 'a'), protocol: 'TCP' as const, port: 9 })));
  assert.deepEqual(answers, ['refused', 'refused']);
});

/** The node has its addresses, and its kernel the elements. */
function onNode(name: string, run: (hosts: WiredHosts, firewall: Firewall) => Promise<void>): void {
  test(name, needs('kernel'), async () => {
    const hosts = new WiredHosts(Object.values(HOSTS).map((texts) => texts.map((text) => parseIpAddress(text)!)));
    const firewall = openFirewall({ namespace: hosts.router });
    try {
      const links = new Rtnetlink(hosts.router);
      links.apply(FAMILIES.map((family) => addAddress(LOOPBACK_INDEX, NODE[family])));
      links.close();
      firewall.load(diffElements(NO_ELEMENTS, ELEMENTS));
      await run(hosts, firewall);
    } finally {
      firewall.close();
      hosts.close();
    }
  });
}

function probe(hosts: WiredHosts): Promise<readonly string[]> {
  return answersOf(CASES.flatMap(({ pod, protocol, port }) =>
    FAMILIES.map((family) => ({ namespace: hostOf(hosts, pod), source: addressOf(pod, family), target: NODE[family], targetNamespace: hosts.router, protocol, port }))));
}

const PROBE_MS = 700;

async function answersOf(tasks: Parameters<ReturnType<typeof createPollProber>['open']>[0]): Promise<readonly string[]> {
  const round = createPollProber().open(tasks);
  try {
    await round.collect(PROBE_MS);
    return [...round.answers];
  } finally {
    round.close();
  }
}

function hostOf(hosts: WiredHosts, name: HostName): number {
  return hosts.hosts[Object.keys(HOSTS).indexOf(name)]!.namespace;
}
