// What questions about a week cost a server that has just started: run by `history.ts`, with its file and the start of its last day.
import type { FlowRecord } from '../src/flow/flow-record.ts';
import { askStore, type Question } from '../src/history/ask/ask-store.ts';
import { openHistory } from '../src/history/history.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const [file, start] = process.argv.slice(2);
const lastDay = Number(start);
const before = performance.now();
const store = await openHistory({ file: file!, nowMs: () => lastDay + DAY_MS - HOUR_MS });
console.log(`opened anew, nothing of the file in memory: ${((performance.now() - before) / 1_000).toFixed(2)} s`);
const week = lastDay - 6 * DAY_MS;
await ask('who talked to shop/db last week', { target: 'shop/db', sinceMs: week });
await ask('the same from the middle of the first day', { target: 'shop/db', sinceMs: week + 12.5 * HOUR_MS });
await ask('what of it was refused, the last day', { target: 'shop/db', verdict: 'denied', sinceMs: lastDay });
await ask('everything that reached the namespace shop in the week', { target: 'shop/*', sinceMs: week });
await ask('all that was refused in the week', { verdict: 'denied', sinceMs: week });
await ask('the latest hundred of the week', { limit: 100, sinceMs: week });
await store.close();

async function ask(name: string, question: Omit<Question, 'readable'>): Promise<void> {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let found: FlowRecord[] = [];
  for (let repeat = 0; repeat < 5; repeat++) {
    found = [];
    const [wallBefore, cpuBefore] = [performance.now(), process.cpuUsage()];
    await askStore(store, { readable: 'all', ...question }, async (records) => void found.push(...records));
    times.push(performance.now() - wallBefore);
    const used = process.cpuUsage(cpuBefore);
    cpuTimes.push((used.user + used.system) / 1_000);
  }
  const judgments = found.reduce((sum, { count }) => sum + count, 0);
  const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
  console.log(`${name}: ${seconds(times[0]!)} s the first time, least of 5 ${seconds(Math.min(...times))} s (goal 1 s); of CPU over ${store.options.threads} threads ${seconds(cpuTimes[0]!)} s and ${seconds(Math.min(...cpuTimes))} s; ${found.length} flows of ${judgments} judgments`);
}
