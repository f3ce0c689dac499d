// Watches traffic while something breaks: connections by the second between all pods, and some that stay open; prints what leaked and what was wrongly refused.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { allowedPorts } from '../../../src/analyze/decide.ts';
import { hasPoint, pointOf } from '../../../src/base/port-set.ts';
import type { Program } from '../../../src/compile/program.ts';
import { LIVE_PORT, type FleetEnd } from './fleet.ts';
import { holdTruth } from './hold-truth.ts';
import { LiveConnection } from './live-connection.ts';
import { readProgram } from './live-program.ts';
import { TrafficWatch, type TrafficReport, type WatchedPair } from './traffic-watch.ts';
import type { World } from './world.ts';

export interface Fault {
  /** Something is changed in the cluster: what differs by it may go either way until it is in force everywhere. */
  change(act: () => Promise<void>): Promise<void>;
  /** The change is made now and reaches the agents later: until `arrive` nothing may differ, and from then on either may be. */
  changeUnseen(act: () => Promise<void>): Promise<{ arrive(act: () => Promise<void>): Promise<void> }>;
  /** The kernel's table is in foreign hands until the agents have mended it: what is denied may come through meanwhile. The time that took, in ms. */
  foreignHands(act: () => void | Promise<void>): Promise<number>;
  /** Nodes take no new connections meanwhile: what is allowed may be refused, and still nothing leaks. The act may change the cluster, if only to close more. */
  starved(act: () => Promise<void>): Promise<void>;
}

/** Before and after the fault, so that what follows from it late is seen too. */
const CALM_MS = 600;

export interface FaultOptions {
  readonly settleWithinMs?: number;
  /** Whether an end is there all the while; every one is when missing. */
  readonly isWatched?: (end: FleetEnd) => boolean;
}

/** Fails where anything leaked, was wrongly refused or was cut, or where the end is not as it should be. */
export async function throughFault(world: World, name: string, act: (fault: Fault) => Promise<void>, { settleWithinMs = 15_000, isWatched = () => true }: FaultOptions = {}): Promise<void> {
  await holdTruth(world.cluster, world.fleet);
  const watching = await Watching.start(world, settleWithinMs, isWatched);
  let report: TrafficReport | undefined;
  try {
    await sleep(CALM_MS);
    await act({ change: (change) => watching.change(change), changeUnseen: (change) => watching.changeUnseen(change), foreignHands: (hands) => watching.foreignHands(hands), starved: (starving) => watching.starved(starving) });
    await sleep(CALM_MS);
  } finally {
    report = await watching.end();
  }
  await holdTruth(world.cluster, world.fleet, { withinMs: settleWithinMs });
  console.log(`${name}: ${describe(report)}${watching.notes.map((note) => `; ${note}`).join('')}`);
  assert.deepEqual({ leaked: report.leaked, wronglyRefused: report.wronglyRefused, cut: watching.cutConnections() }, { leaked: [], wronglyRefused: [], cut: [] });
}

function describe({ rounds, probes, longestGapMs, seconds, leaked, wronglyRefused }: TrafficReport): string {
  return `${probes} connections in ${seconds.toFixed(1)} s (${(rounds / seconds).toFixed(1)} rounds a second, at most ${longestGapMs} ms apart), ${leaked.length} leaked, ${wronglyRefused.length} wrongly refused`;
}

class Watching {
  readonly notes: string[] = [];
  readonly #world: World;
  readonly #settleWithinMs: number;
  readonly #watch: TrafficWatch;
  readonly #open: readonly { readonly name: string; readonly connection: LiveConnection }[];
  #program: Program;
  #isTalking = true;
  #talking: Promise<void>;

  static async start(world: World, settleWithinMs: number, isWatched: (end: FleetEnd) => boolean): Promise<Watching> {
    return new Watching(world, (await world.fleet.ends()).filter(isWatched), await readProgram(world.cluster), settleWithinMs);
  }

  private constructor(world: World, ends: readonly FleetEnd[], program: Program, settleWithinMs: number) {
    this.#world = world;
    this.#settleWithinMs = settleWithinMs;
    this.#program = program;
    const pairs = pairsOf(ends, program);
    this.#watch = new TrafficWatch(pairs);
    this.#open = pairs.filter(({ verdict, name }) => verdict === 'allowed' && LIVE_PAIRS.has(name.split(' over')[0]!)).map(({ name, task: { namespace, target, protocol } }) => ({
      name,
      connection: new LiveConnection({ namespace, target, protocol: protocol === 'TCP' ? 'TCP' : 'UDP', port: LIVE_PORT }),
    }));
    this.#talking = this.#talk();
  }

  async change(act: () => Promise<void>): Promise<void> {
    const before = verdictsBy(this.#program);
    // What will differ is known only when it is there, and it may be in force by then.
    this.#watch.expect(() => 'either');
    await act();
    this.#program = await readProgram(this.#world.cluster);
    await this.#settle(before);
  }

  async changeUnseen(act: () => Promise<void>): ReturnType<Fault['changeUnseen']> {
    const before = verdictsBy(this.#program);
    await act();
    this.#program = await readProgram(this.#world.cluster);
    return {
      arrive: async (letArrive) => {
        this.#allowEither(before);
        await letArrive();
        await this.#settle(before);
      },
    };
  }

  #allowEither(before: ReturnType<typeof verdictsBy>): void {
    const after = verdictsBy(this.#program);
    this.#watch.expect((pair) => (before(pair) === after(pair) ? after(pair) : 'either'));
  }

  async #settle(before: ReturnType<typeof verdictsBy>): Promise<void> {
    this.#allowEither(before);
    await holdTruth(this.#world.cluster, this.#world.fleet, { withinMs: this.#settleWithinMs });
    this.#watch.expect(verdictsBy(this.#program));
  }

  async foreignHands(act: () => void | Promise<void>): Promise<number> {
    const verdict = verdictsBy(this.#program);
    this.#watch.expect((pair) => (verdict(pair) === 'denied' ? 'either' : 'allowed'));
    const began = performance.now();
    await act();
    const { settledMs } = await holdTruth(this.#world.cluster, this.#world.fleet, { withinMs: this.#settleWithinMs });
    this.#watch.expect(verdict);
    this.notes.push(`all as it should be after ${Math.round(performance.now() - began)} ms`);
    return settledMs;
  }

  async starved(act: () => Promise<void>): Promise<void> {
    const before = verdictsBy(this.#program);
    this.#watch.expect((pair) => (before(pair) === 'denied' ? 'denied' : 'either'));
    await act();
    this.#program = await readProgram(this.#world.cluster);
    await this.#settle(before);
  }

  async end(): Promise<TrafficReport> {
    this.#isTalking = false;
    await this.#talking;
    for (const { connection } of this.#open) connection.close();
    return this.#watch.end();
  }

  /** Those that should have stayed open; the last words may be under way still. */
  cutConnections(): readonly string[] {
    return this.#open.filter(({ connection: { state, said, heard } }) => state === 'reset' || heard < said * 0.95 - 5).map(({ name, connection: { state, said, heard } }) => `${name}: ${state}, said ${said}, heard ${heard}`);
  }

  async #talk(): Promise<void> {
    while (this.#isTalking) {
      for (const { connection } of this.#open) connection.tick();
      await sleep(50);
    }
  }
}

/** Allowed throughout by the policies of the faults. */
const LIVE_PAIRS: ReadonlySet<string> = new Set(['b/x -> a/y TCP', 'b/x -> a/y UDP', 'b/y -> a/x TCP', 'outside -> c/x TCP', 'c/x -> b/y UDP']);

/** Every pod with every other and with the host outside by TCP, and every third pair by UDP over the other family. */
function pairsOf(ends: readonly FleetEnd[], program: Program): WatchedPair[] {
  const verdict = verdictsBy(program);
  const watched = ends.filter(({ kind, name }) => kind !== 'node' && !name.startsWith('kube-system/'));
  return watched.flatMap((source, from) => watched.flatMap((target, to) => {
    if (source === target) return [];
    return (['TCP', 'UDP'] as const).slice(0, (from + to) % 3 === 0 ? 2 : 1).flatMap((protocol): WatchedPair[] => {
      const family = protocol === 'UDP' && source.addresses.length > 1 ? 6 : 4;
      const [own, other] = [source, target].map(({ addresses }) => addresses.find((address) => address.family === family));
      if (own === undefined || other === undefined) return [];
      const task = { namespace: source.namespace, source: own, target: other, targetNamespace: target.namespace, protocol, port: protocol === 'TCP' ? 80 : 81 };
      const name = `${source.name} -> ${target.name} ${protocol} over IPv${family}`;
      return [{ name, task, verdict: verdict({ name, task }) }];
    });
  }));
}

/** Names are those of `pairsOf`. */
function verdictsBy(program: Program): (pair: Pick<WatchedPair, 'name' | 'task'>) => 'allowed' | 'denied' {
  const pods = new Map(program.cluster.pods.map(({ namespace, name }, pod) => [`${namespace}/${name}`, pod]));
  return ({ name, task: { source, target, protocol, port } }) => {
    const [from, to] = name.split(' ', 3).filter((word) => word !== '->').map((word, index) => {
      const pod = pods.get(word);
      return pod === undefined ? ({ kind: 'address', address: index === 0 ? source : target } as const) : ({ kind: 'pod', pod } as const);
    });
    return hasPoint(allowedPorts(program, from!, to!, source.family), pointOf(protocol, port)) ? 'allowed' : 'denied';
  };
}
