// What somebody reads who follows flows: connections between pods of two nodes, each shown once and as what came of it, a refusal at once.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpFamily } from '../../../src/base/ip-address.ts';
import type { FleetEnd } from './fleet.ts';
import type { beginOnNode } from './node-cluster.ts';
import { callAll, endNamed } from './service-cases.ts';
import type { World } from './world.ts';

export interface Following {
  /** Begins to follow with `flows --follow -o jsonl` and the words that say whom to ask. */
  readonly begin: () => ReturnType<typeof beginOnNode>;
  /** The process of the agent on a node, by the node's name. */
  readonly agentOn: (node: string) => number;
}

interface Pair {
  readonly source: FleetEnd;
  readonly target: FleetEnd;
}

const REFUSALS = 12;
const ALLOWED = 4;

/** After how many milliseconds flows were shown, sorted. */
export interface Delays {
  readonly refused: readonly number[];
  readonly allowed: readonly number[];
}

/** Under the policies of `daemon-set.test.ts`. */
export async function holdFollowed({ cluster: { nodes }, fleet }: World, { begin, agentOn }: Following): Promise<Delays> {
  const ends = await fleet.ends();
  const pair = (name: string): Pair => {
    const [source, target] = name.split(' -> ').map((end) => endNamed(ends, end)) as [FleetEnd, FleetEnd];
    return { source, target };
  };
  const [allowed, refusedByFirst, refusedBySecond] = ['b/y -> a/y', 'c/x -> c/y', 'c/bare -> a/y'].map(pair) as [Pair, Pair, Pair];
  for (const { source, target } of [allowed, refusedByFirst, refusedBySecond]) assert.deepEqual([source.node, target.node], nodes.map(({ name }) => name));

  const child = begin();
  const ended = once(child, 'close');
  const shown = new ShownFlows(child.stdout);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    // Until both nodes are followed.
    await Promise.all([pair('c/x -> a/bare'), pair('c/y -> a/y')].map(async (own) => {
      const port = shown.open(own);
      for (const begun = shown.when(port, 'DROPPED'); (await Promise.race([begun, sleep(1_000)])) === undefined; shown.open(own, { port })) assert.equal(child.exitCode, null, said);
    }));
    const [let4, let6, first4, first6, second4, second6] = [allowed, refusedByFirst, refusedBySecond].flatMap((one) => [shown.open(one), shown.open(one, { family: 6 })]) as [number, number, number, number, number, number];

    // What left the first node is told while the second keeps silent, and is taken back when that one speaks.
    const silent = agentOn(nodes[1]!.name);
    process.kill(silent, 'SIGSTOP');
    const corrected = shown.open(refusedBySecond);
    try {
      await Promise.all([shown.when(shown.open(refusedByFirst), 'DROPPED'), shown.when(corrected, 'FORWARDED')]);
    } finally {
      process.kill(silent, 'SIGCONT');
    }
    await shown.when(corrected, 'DROPPED');

    const delays: number[] = [];
    for (let turn = 0; turn < REFUSALS; turn++) {
      // Each of another address: of a pair that was refused before, the kernel does not ring for each.
      const target: FleetEnd = { ...endNamed(ends, 'outside'), addresses: [{ family: 4, value: ++unused }] };
      const openedAt = performance.now();
      delays.push((await shown.when(shown.open({ source: refusedByFirst.source, target }), 'DROPPED')) - openedAt);
      await sleep(QUIET_MS);
    }
    const allowedDelays: number[] = [];
    for (let turn = 0; turn < ALLOWED; turn++) {
      const openedAt = performance.now();
      allowedDelays.push((await shown.when(shown.open(allowed), 'FORWARDED')) - openedAt);
    }
    // Each node tells in the order in which it saw: by now both have told what was opened at the beginning.
    for (const port of [let4, let6]) assert.deepEqual(shown.of(port), ['FORWARDED']);
    for (const port of [first4, first6]) assert.deepEqual(shown.of(port), ['DROPPED']);
    for (const port of [second4, second6]) assert.deepEqual(shown.of(port), shown.of(port).length === 1 ? ['DROPPED'] : CORRECTED);
    assert.deepEqual(shown.of(corrected), CORRECTED);
    assert.equal(said, '');
    return { refused: delays.sort((a, b) => a - b), allowed: allowedDelays.sort((a, b) => a - b) };
  } finally {
    child.kill('SIGINT');
    await Promise.all([ended, shown.close()]);
  }
}

const CORRECTED: readonly string[] = ['FORWARDED', 'DROPPED, told as allowed before'];
const QUIET_MS = 500;
/** In 198.18.0.0/15, which is of nobody (RFC 2544); the last one that was called. */
let unused = 0xc612_0000n;

/** The lines, by the port of the connection: each that is opened here has one of its own, on which nobody listens. */
class ShownFlows {
  readonly #lines = new Map<number, string[]>();
  readonly #waiting: { readonly port: number; readonly verdict: string; readonly resolve: (atMs: number) => void }[] = [];
  readonly #calls: Promise<unknown>[] = [];
  #port = 20_000;

  constructor(stdout: Readable) {
    createInterface({ input: stdout }).on('line', (line) => this.#take(JSON.parse(line) as ShownLine));
  }

  of(port: number): readonly string[] {
    return this.#lines.get(port) ?? [];
  }

  open({ source, target }: Pair, { family = 4, port = ++this.#port }: { readonly family?: IpFamily; readonly port?: number } = {}): number {
    this.#calls.push(callAll([{ end: source, target: target.addresses.find((address) => address.family === family)!, protocol: 'TCP', port }]));
    return port;
  }

  /** It must not have been shown yet. */
  when(port: number, verdict: string): Promise<number> {
    return new Promise((resolve) => this.#waiting.push({ port, verdict, resolve }));
  }

  /** Until what was opened has been given up. */
  async close(): Promise<void> {
    await Promise.all(this.#calls);
  }

  #take({ verdict, count, corrects, l4: { TCP } }: ShownLine): void {
    if (TCP === undefined) return;
    const says = Array.from({ length: count }, () => `${verdict}${corrects === true ? ', told as allowed before' : ''}`);
    this.#lines.set(TCP.destination_port, [...this.of(TCP.destination_port), ...says]);
    for (const waiting of this.#waiting) if (waiting.port === TCP.destination_port && waiting.verdict === verdict) waiting.resolve(performance.now());
  }
}

/** Fields of the contract. */
interface ShownLine {
  readonly verdict: string;
  readonly count: number;
  readonly corrects?: boolean;
  readonly l4: { readonly TCP?: { readonly destination_port: number } };
}
