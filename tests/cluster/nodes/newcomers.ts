// What turns up on a node while it boots: every address is called from an end that may reach none of them.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatIpAddress, parseIpAddress } from '../../../src/base/ip-address.ts';
import { createPollProber } from '../../../src/kernel/poll-probe.ts';
import { LIVE_PORT, type FleetEnd } from './fleet.ts';
import { keepTalking, LiveConnection } from './live-connection.ts';
import type { RunningNode } from './node-cluster.ts';
import { PodNamespaces } from './pod-namespaces.ts';

export class Newcomers {
  /** Addresses that answered, once for each call. */
  readonly leaked: string[] = [];
  readonly #caller: FleetEnd;
  readonly #namespaces: PodNamespaces;
  readonly #prober = createPollProber();
  readonly #rounds = new Set<Promise<void>>();
  readonly #going: Promise<void>;
  #live: readonly LiveConnection[] = [];
  #calls = 0;
  #leakedBefore = 0;
  #beganMs = 0;
  #isEnding = false;

  constructor(node: RunningNode, caller: FleetEnd) {
    this.#caller = caller;
    this.#namespaces = new PodNamespaces(node);
    this.#going = this.#go();
  }

  /** What leaks by calls of before is counted apart. */
  beginAnew(): void {
    this.#leakedBefore += this.leaked.length;
    this.leaked.length = 0;
    this.#beganMs = performance.now();
  }

  /** Stays connected with the pods that can be reached; over IPv6 the way to a node that boots may take longer. */
  async connect(ends: readonly FleetEnd[]): Promise<void> {
    const known = this.#namespaces.look();
    const targets = ends.flatMap(({ addresses }) => addresses.filter((address) => known.has(formatIpAddress(address))));
    this.#live = targets.map((target) => new LiveConnection({ namespace: this.#caller.namespace, target, protocol: 'TCP', port: LIVE_PORT }));
    for (let tries = 0; tries < 20 && this.#live.some(({ heard }) => heard === 0); tries++) await keepTalking(this.#live, 100);
    const mute = this.#live.filter(({ heard }) => heard === 0);
    for (const connection of mute) connection.close();
    this.#live = this.#live.filter((connection) => !mute.includes(connection));
    assert.ok(this.#live.length > 0, 'nobody can be reached before the agent comes');
  }

  /** Reset, or not heard of any more: what conntrack began to track in its middle is new to it, and refused as such. */
  async untilCut(): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
      const before = this.#live.map(({ heard }) => heard);
      await keepTalking(this.#live, 500);
      if (this.#live.every(({ heard }, index) => heard === before[index])) break;
    }
    const before = this.#live.map(({ heard }) => heard);
    await keepTalking(this.#live, 500);
    assert.deepEqual(this.#live.map(({ heard }) => heard), before);
    assert.ok(this.#live.some(({ state }) => state === 'reset'), 'none is reset');
  }

  figures(): string {
    return `${this.#calls} calls to what turned up on the node, ${this.leaked.length} leaked once its agent was ready${this.#leakedBefore > 0 ? `, ${this.#leakedBefore} before; ${this.#live.length} connections of before were cut` : ''}`;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#going;
    await Promise.all(this.#rounds);
    for (const connection of this.#live) connection.close();
    this.#namespaces.close();
  }

  async #go(): Promise<void> {
    for (; !this.#isEnding; await sleep(60)) {
      const round = this.#callOnce();
      this.#rounds.add(round);
      void round.finally(() => this.#rounds.delete(round));
    }
  }

  async #callOnce(): Promise<void> {
    const { namespace, addresses } = this.#caller;
    const targets = [...this.#namespaces.look().keys()].map((text) => parseIpAddress(text)!);
    const tasks = targets.flatMap((target) => addresses.filter(({ family }) => family === target.family).map((source) => ({ namespace, source, target, targetNamespace: namespace, protocol: 'TCP' as const, port: 80 })));
    this.#calls += tasks.length;
    const beganMs = performance.now();
    const round = this.#prober.open(tasks);
    await round.collect(300);
    // Where nobody listens yet, the pod's own kernel says no.
    const leaked = tasks.filter((_, index) => round.answers[index] === 'connected' || round.answers[index] === 'refused').map(({ target }) => formatIpAddress(target));
    if (beganMs < this.#beganMs) this.#leakedBefore += leaked.length;
    else this.leaked.push(...leaked);
    round.close();
  }
}
