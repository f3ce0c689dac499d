// How long one element takes to be committed to a kernel that holds 100,000: p50 and p99, raw and with the change of generation.
import type { Element } from '../src/emit/element.ts';
import { loadSteps } from '../src/emit/plan-change.ts';
import type { ChangeStep } from '../src/emit/plan-change.ts';
import { EMPTY_RULESET, type Ruleset } from '../src/emit/ruleset.ts';
import type { SetName } from '../src/emit/set-shape.ts';
import type { Firewall } from '../src/kernel/firewall.ts';
import { closeNamespace, createNamespace } from '../src/kernel/network-namespace.ts';
import { openFirewall } from '../src/kernel/nft-firewall.ts';
import { changeTo } from '../tests/kernel/whole-ruleset.ts';

const ELEMENT_COUNT = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 2_000);
const WARM_UP_ROUNDS = 200;
const FIRST_ADDRESS = 0x0a000000n;

const namespace = createNamespace();
try {
  const firewall = openFirewall({ namespace });
  const ruleset = peersOf(ELEMENT_COUNT);
  const started = process.hrtime.bigint();
  firewall.load(loadSteps(ruleset));
  console.log(`load of ${ELEMENT_COUNT} elements: ${milliseconds(started)} ms`);
  measure('pod class, added and removed in turn', firewall, 'pce4', (round) => ({ key: [FIRST_ADDRESS + BigInt(ELEMENT_COUNT + (round >> 1))], data: 1 }));
  measure('pair, added and removed in turn', firewall, 'pe4', (round) => ({ key: [FIRST_ADDRESS, 1000 + (round >> 1)], data: 1 }));
  measureReplaced(firewall);
  measureGeneration(firewall);
  const wanted: Ruleset = { ...ruleset, podClasses: ruleset.podClasses.slice(1) };
  const whole = process.hrtime.bigint();
  changeTo(firewall, wanted);
  console.log(`change(wanted) of the whole ruleset, read back and difference computed: ${milliseconds(whole)} ms`);
  const reading = process.hrtime.bigint();
  firewall.read();
  console.log(`read back: ${milliseconds(reading)} ms`);
  firewall.close();
} finally {
  closeNamespace(namespace);
}

function peersOf(count: number): Ruleset {
  const podClasses = Array.from({ length: count }, (_, index) => ({
    direction: 'egress' as const,
    address: { family: 4 as const, value: FIRST_ADDRESS + BigInt(index) },
    peerClass: 1 + (index % 100),
  }));
  const local = { family: 4 as const, value: FIRST_ADDRESS };
  const pairs = Array.from({ length: 100 }, (_, index) => ({ direction: 'egress' as const, address: local, peerClass: 1 + index, profile: 1 }));
  return { ...EMPTY_RULESET, localPods: [{ address: local, isEgressIsolated: true, isIngressIsolated: false, isSelfAllowed: true }], podClasses, pairs, profiles: [{ id: 1, ports: [80, 80] }] };
}

function measure(what: string, firewall: Firewall, set: SetName, elementOf: (round: number) => Element): void {
  report(what, (round) => {
    const elements = [elementOf(round)];
    const step: ChangeStep = round % 2 === 0 ? { set, removed: [], added: elements } : { set, removed: elements, added: [] };
    firewall.apply({ steps: [step], takesAway: false });
  });
}

function measureReplaced(firewall: Firewall): void {
  const element = (data: number): Element => ({ key: [FIRST_ADDRESS + 5n], data });
  let data = 6;
  report('pod class, other class (removed and added in one batch)', () => {
    const step: ChangeStep = { set: 'pce4', removed: [element(data)], added: [element((data = data === 6 ? 7 : 6))] };
    firewall.apply({ steps: [step], takesAway: false });
  });
}

function measureGeneration(firewall: Firewall): void {
  report('new generation alone', () => firewall.apply({ steps: [], takesAway: true }));
}

function report(what: string, run: (round: number) => void): void {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) run(round);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.hrtime.bigint();
    run(round);
    times.push(Number(process.hrtime.bigint() - started) / 1000);
  }
  times.sort((a, b) => a - b);
  const at = (part: number): string => times[Math.floor(times.length * part)]!.toFixed(0);
  console.log(`${what}: p50 ${at(0.5)} µs, p99 ${at(0.99)} µs of ${ROUNDS}`);
}

function milliseconds(started: bigint): string {
  return (Number(process.hrtime.bigint() - started) / 1e6).toFixed(1);
}
