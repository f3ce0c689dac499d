// A server that is away for an hour of a busy node: what the agent kept on its disk arrives once, in its order, all of it; and what its bound cost is counted to the last judgment.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Clock } from '../../src/base/clock.ts';
import { NO_LOSSES } from '../../src/flow/flow-losses.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { askHistory } from '../../src/history/send/ask-history.ts';
import { FlowSender } from '../../src/history/send/flow-sender.ts';
import { FlowSpool } from '../../src/history/send/flow-spool.ts';
import type { FlowStore } from '../../src/history/store/flow-store.ts';
import { openHistory } from '../../src/history/history.ts';
import { senderMetrics } from '../../src/history/send/sender-metrics.ts';
import { serveHistory } from '../../src/history/serve/serve-history.ts';
import { flow, NOON, podEnd } from './sample-flows.ts';

const HOUR_MS = 3_600_000;
/** As `src/observe/observe.ts` tells what the kernel counted, and `src/cli/run/open-sender.ts` gathers it. */
const [DRAIN_MS, GATHER_MS] = [15_000, 10_000];
const DRAINS = HOUR_MS / DRAIN_MS;
/** Different flows: nightly those of a node with 20,000 new ones a second, each told again by every drain. */
const FLOWS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 5_000 : 1_000;
const OPENED_A_SECOND = 20_000;
/** What `--spool-size` is unless it is named, for 5,000 flows. */
const SPOOL_BYTES = (256 * 2 ** 20 * FLOWS) / 5_000;
/** Of what such an hour takes. */
const HALF_BYTES = FLOWS * 1_100;

test('an hour at the rate of a busy node waits on its disk, within the bound, and arrives once and in order', async (context) => {
  const world = await openWorld(context, SPOOL_BYTES);
  const sent = await liveAnHour(world);
  const { spooledBatches, spooledBytes, lost } = world.sender.state;
  assert.deepEqual([spooledBatches, lost], [DRAINS, 0]);
  console.log(`${sent.records} records of an hour in ${spooledBatches} batches: ${Math.round(spooledBytes / 1e6)} MB of ${Math.round(SPOOL_BYTES / 1e6)}`);
  const { store, order } = await comeBack(world);
  const { batches, duplicates, records } = store.counts;
  assert.deepEqual([batches, duplicates, records, store.counts.lost], [DRAINS, 0, sent.records, 0]);
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
  assert.deepEqual(await readBack(world), { judgments: sent.judgments, lost: 0 });
});

test('beyond the bound the oldest go, and what went and what arrived are what there was', async (context) => {
  const world = await openWorld(context, HALF_BYTES);
  const sent = await liveAnHour(world);
  const { spooledBytes, spooledBatches, lost } = world.sender.state;
  assert.ok(spooledBytes <= HALF_BYTES && spooledBatches < DRAINS && lost > 0, `${spooledBatches} batches, ${spooledBytes} bytes`);
  assert.match(senderMetrics(world.sender.state), new RegExp(`^bulkhead_sender_lost_total ${lost}$`, 'm'));
  assert.deepEqual(world.sender.state.losses, { ...NO_LOSSES, spoolFull: lost });
  assert.ok(world.said.some((text) => /^the spool is full: [0-9]+ judgments are lost/.test(text)));
  await comeBack(world);
  assert.deepEqual(await readBack(world), { judgments: sent.judgments - lost, lost });
});

interface World {
  readonly folder: string;
  readonly port: number;
  readonly sender: FlowSender;
  readonly clock: SteppedClock;
  readonly said: string[];
}

/** Nobody listens at the port. */
async function openWorld(context: TestContext, spoolBytesMax: number): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-hour-'));
  const port = await freePort();
  const [clock, said, stop] = [new SteppedClock(), [] as string[], new AbortController()];
  const sender = new FlowSender({ node: 'a', run: 'r1', server: { url: `http://127.0.0.1:${port}` }, spool: new FlowSpool(join(folder, 'spool')), spoolBytesMax, gatherMs: GATHER_MS, clock, onFailure: ({ message }) => said.push(message), signal: stop.signal });
  const ended = sender.run();
  context.after(async () => {
    stop.abort();
    await ended;
    rmSync(folder, { recursive: true });
  });
  return { folder, port, sender, clock, said };
}

/** Every time all flows, with what was opened since the last time, spread unevenly: what repeats would take no room on the disk. */
async function liveAnHour({ sender, clock }: World): Promise<{ readonly records: number; readonly judgments: number }> {
  const random = randomOf(20_261_122);
  const mean = (OPENED_A_SECOND * DRAIN_MS) / 1_000 / FLOWS;
  const pods = Array.from({ length: 50 }, (_, index) => podEnd('shop', `pod-${index}`));
  let judgments = 0;
  for (let drain = 0; drain < DRAINS; drain++) {
    const start = NOON - HOUR_MS + drain * DRAIN_MS;
    const records = Array.from({ length: FLOWS }, (_, index): FlowRecord => {
      const count = 1 + Math.floor(random() * 2 * mean);
      judgments += count;
      const [first, last] = [random(), random()].sort((a, b) => a - b) as [number, number]; // two go in
      return flow({ source: pods[index % 50]!, target: pods[Math.floor(index / 50) % 10]!, port: 7_000 + Math.floor(index / 500), count, openings: count, firstSeen: start + Math.floor(first * DRAIN_MS), lastSeen: start + Math.floor(last * DRAIN_MS) });
    });
    sender.take(records, 0);
    await clock.pass(DRAIN_MS, sender);
  }
  return { records: DRAINS * FLOWS, judgments };
}

/** Until the spool is empty. */
async function comeBack(world: World): Promise<{ readonly store: FlowStore; readonly order: readonly number[] }> {
  const store = await openHistory({ file: join(world.folder, 'flows.duckdb'), nowMs: () => NOON + 60_000 });
  const order: number[] = [];
  store.onWritten((_, batches) => order.push(...batches.map(({ days }) => Math.min(...[...days.values()].flatMap(({ last }) => last)))));
  const server = await serveHistory({ host: '127.0.0.1', port: world.port, store, door: undefined, nowMs: () => NOON, onFailure: (error) => assert.fail(error) });
  try {
    while (world.sender.state.spooledBatches > 0) await world.clock.pass(1_000, world.sender);
  } finally {
    await server.close();
    await store.close();
  }
  return { store, order };
}

async function readBack({ folder, port }: World): Promise<{ readonly judgments: number; readonly lost: number }> {
  const store = await openHistory({ file: join(folder, 'flows.duckdb'), nowMs: () => NOON + 60_000 });
  const server = await serveHistory({ host: '127.0.0.1', port, store, door: undefined, nowMs: () => NOON, onFailure: (error) => assert.fail(error) });
  const told = { judgments: 0, lost: 0 };
  try {
    for await (const line of askHistory({ url: `http://127.0.0.1:${port}` }, {})) {
      const read = readFlow(line);
      if (read.kind === 'flow') told.judgments += read.record.count;
      else if (read.kind === 'lost') told.lost += read.flows;
      else assert.fail(line);
    }
  } finally {
    await server.close();
    await store.close();
  }
  return told;
}

/** A linear congruence modulo 2^32, of Numerical Recipes. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 4_294_967_296;
}

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { readonly port: number };
  taken.close();
  await once(taken, 'close');
  return port;
}

/** Time passes when it is told to. */
class SteppedClock implements Omit<Clock, 'now'> {
  #nowMs = 0;
  readonly #due = new Set<{ readonly atMs: number; readonly act: () => void }>();

  elapsedMs(): number {
    return this.#nowMs;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, act };
    this.#due.add(timer);
    return () => this.#due.delete(timer);
  }

  random(): number {
    return 0.5;
  }

  /** Whoever waits for the network is waited for: the sender sleeps then, or has nothing to send. */
  async pass(ms: number, sender: FlowSender): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#due].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      this.#due.delete(next);
      next.act();
      while (this.#due.size < (sender.state.spooledBatches > 0 ? 2 : 1)) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = endMs;
  }
}
