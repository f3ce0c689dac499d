// What the agent and its NodeEnforcement claim to be in force, the kernel does, in random orders of changes, refusals of the kernel, deaths and losses of the API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyState } from '../../src/agent/agent-state.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { PROTOCOL_NUMBER } from '../../src/emit/profile-elements.ts';
import { NODE_ENFORCEMENT, type EnforcementStatus } from '../../src/status/node-enforcement.ts';
import { NO_LOSSES } from '../../src/flow/flow-losses.ts';
import { publishEnforcement } from '../../src/status/publish-enforcement.ts';
import { World, type SimulatedNode } from '../agent/world.ts';
import { FACTS } from './agent-states.ts';

const RUNS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 1_000 : 20;
const STEPS = 60;
const PODS = 5;
const NODE = 'n1';
/** Between two writes of a small object; nothing in this world takes longer. */
const LAG_MS = 1_200;
const CLIENT = parseIpAddress('203.0.113.9')!;

/** Numbers in [0, 1) that a seed fixes (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const addressOf = (pod: number): string => `10.244.1.${pod + 2}`;

/** Each policy selects a pod of its own and opens one port of it, another one with each generation: so a probe tells which is in force. */
class Claims {
  readonly world: World;
  readonly node: SimulatedNode;
  readonly chance: () => number;
  /** By uid and generation. */
  readonly #portOf = new Map<string, number>();
  #nextPort = 1_000;
  /** What the agent claims, by uid and generation; and until when it claimed what it does no more. */
  #claimed: ReadonlyMap<string, PolicyState> = new Map();
  readonly #claimedUntilMs = new Map<string, number>();
  #startedAtMs = 0;
  #failures = 0;
  #failedAtMs = 0;
  #version: string | undefined;
  checked = 0;
  /** Claims of the object held against the agent's. */
  compared = 0;
  /** Since then moments of before and after cannot be compared. */
  isClockTurned = false;

  constructor(seed: number) {
    this.chance = chanceOf(seed);
    this.world = new World([NODE], this.chance);
    this.node = this.world.nodes.get(NODE)!;
    this.world.api.serve(NODE_ENFORCEMENT);
    this.world.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    this.world.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE }, spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] } });
    for (let pod = 0; pod < PODS; pod++) {
      this.world.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${pod}`, namespace: 'shop', labels: { app: `app-${pod}` } }, spec: { nodeName: NODE, containers: [] }, status: { phase: 'Running', podIP: addressOf(pod), podIPs: [{ ip: addressOf(pod) }] } });
    }
  }

  putPolicy(pod: number): void {
    const port = this.#nextPort++;
    const spec = { podSelector: { matchLabels: { app: `app-${pod}` } }, policyTypes: ['Ingress'], ingress: [{ ports: [{ port }] }] };
    const { metadata } = this.world.api.put({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: `policy-${pod}`, namespace: 'shop' }, spec });
    this.#portOf.set(`${metadata.uid} ${metadata.generation}`, port);
  }

  removePolicy(pod: number): void {
    try {
      this.world.api.remove({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: `policy-${pod}`, namespace: 'shop' } });
    } catch {
      // it is not there
    }
  }

  /** Everything that was ever a port of the policy is closed but that of the generation; with a problem, all of it. */
  hold({ name, uid, generation, problem }: { readonly name: string; readonly uid: string; readonly generation: number; readonly problem?: string | undefined }, who: string): void {
    const wanted = this.#portOf.get(`${uid} ${generation}`);
    assert.ok(wanted !== undefined, `${who} claims a generation ${generation} of ${name} that never was`);
    const target = parseIpAddress(addressOf(Number(name.slice('policy-'.length))))!;
    for (const [key, port] of this.#portOf) {
      if (!key.startsWith(`${uid} `)) continue;
      const verdict = this.node.kernel.decide({ source: CLIENT, target, protocol: PROTOCOL_NUMBER.TCP, port });
      assert.equal(verdict === 'accept', port === wanted && problem === undefined, `${who} claims that generation ${generation} of ${name} is in force, and the kernel says ${verdict} on the port of ${key}`);
      this.checked++;
    }
  }

  holdAgent(): void {
    this.look();
    for (const policy of this.#claimed.values()) this.hold(policy, 'the agent');
  }

  /** What the agent claims now; what it claimed until now is so remembered. */
  look(): void {
    const nowMs = this.world.clock.elapsedMs();
    for (const key of this.#claimed.keys()) this.#claimedUntilMs.set(key, nowMs);
    const policies = this.node.agent?.state.policies ?? [];
    this.#claimed = new Map(policies.filter(({ inForceSince }) => inForceSince !== undefined).map((policy) => [claimOf(policy), policy]));
  }

  started(): void {
    this.#startedAtMs = this.world.clock.elapsedMs();
    this.look();
  }

  failed(): void {
    this.#failures++;
    this.#failedAtMs = this.world.clock.elapsedMs();
  }

  /** While an agent runs and the server takes its writes the object claims nothing that the agent has not claimed within the time that a write of it waits. */
  async holdObject(): Promise<void> {
    const object = await this.world.api.get({ served: NODE_ENFORCEMENT, name: NODE }).catch(() => undefined);
    if (object === undefined) return;
    if (object.metadata.resourceVersion !== this.#version) this.#failures = 0;
    this.#version = object.metadata.resourceVersion;
    const status = object['status'] as EnforcementStatus | undefined;
    const nowMs = this.world.clock.elapsedMs();
    const isBehind = this.node.agent === undefined || nowMs === this.#startedAtMs || (this.#failures > 0 && nowMs - this.#failedAtMs <= Math.min(1_000 * 2 ** (this.#failures - 1), 60_000));
    for (const policy of status?.policies ?? []) {
      if (policy.since === undefined) continue;
      const key = claimOf(policy);
      if (this.#claimed.has(key)) this.hold(policy, 'the NodeEnforcement');
      else if (!isBehind) assert.ok(nowMs - (this.#claimedUntilMs.get(key) ?? -Infinity) <= LAG_MS, `the NodeEnforcement claims ${policy.name} ${key}, which the agent took back ${nowMs - this.#claimedUntilMs.get(key)!} ms ago`);
      this.compared++;
      if (!this.isClockTurned) assert.ok(Date.parse(policy.since) <= Date.parse(status!.reportedAt), 'since a moment that has been');
    }
  }
}

function claimOf({ uid, generation, problem }: { readonly uid: string; readonly generation: number; readonly problem?: string | undefined }): string {
  return `${uid} ${generation}${problem === undefined ? '' : ', closed'}`;
}

async function run(seed: number): Promise<Claims> {
  const claims = new Claims(seed);
  const { world, node, chance } = claims;
  let publishing = new AbortController();
  const start = (): void => {
    publishing.abort();
    publishing = new AbortController();
    node.start();
    void publishEnforcement({ api: world.api, source: node.agent!, facts: FACTS, staged: () => [], losses: () => NO_LOSSES, clock: world.clock, onFailure: () => claims.failed(), signal: publishing.signal });
    node.agent!.onChange(() => claims.holdAgent());
    claims.started();
  };
  const stop = async (): Promise<void> => {
    publishing.abort();
    await node.kill();
  };
  const acts: readonly (readonly [weight: number, act: () => void | Promise<void>])[] = [
    [8, () => claims.putPolicy(Math.floor(chance() * PODS))],
    [2, () => claims.removePolicy(Math.floor(chance() * PODS))],
    [3, () => node.breakNextChange({ kind: 'refuse', steps: Math.floor(chance() * 4) })],
    [1, () => node.breakNextChange({ kind: 'kill', steps: Math.floor(chance() * 4) })],
    [1, stop],
    [1, () => world.api.goAway()],
    [2, () => world.api.comeBack()],
    [1, () => world.api.cutWatches()],
    [1, () => world.api.compact()],
    [0.2, () => ((claims.isClockTurned = true), world.clock.jump((chance() - 0.5) * 7_200_000))],
  ];
  const total = acts.reduce((sum, [weight]) => sum + weight, 0);
  start();
  try {
    for (let step = 0; step < STEPS; step++) {
      let left = chance() * total;
      await acts.find(([weight]) => (left -= weight) < 0)![1]();
      await world.advance(chance() < 0.5 ? 0 : chance() * 4_000);
      if (node.agent === undefined) start();
      claims.holdAgent();
      await claims.holdObject();
    }
    world.api.comeBack();
    await world.advance(60_000);
    if (node.agent === undefined) start(); // the last change killed it
    await world.advance(400_000); // a policy closed after three refusals in a row is tried again after five minutes
    claims.holdAgent();
    await claims.holdObject();
    assert.ok(node.agent!.state.isReady, JSON.stringify(node.agent!.state.troubles));
  } finally {
    await stop();
    await world.stop();
  }
  return claims;
}

test('nothing is claimed that is not so', async () => {
  const first = Number(process.env['BULKHEAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  let checked = 0;
  let compared = 0;
  for (let index = 0; index < RUNS; index++) {
    const seed = first + index;
    try {
      const claims = await run(seed);
      checked += claims.checked;
      compared += claims.compared;
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  assert.ok(compared > 50 * RUNS, `${compared} claims of objects were held against their agent's`);
  assert.ok(checked > 100 * RUNS / 2, `${checked} claims were held against the kernel`);
});
