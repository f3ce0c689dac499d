// A process that fills a store and says which batches were acknowledged, until somebody kills it: FILE FIRST-SEQUENCE.
import { openHistory } from '../../src/history/history.ts';
import { batchOf, flow, NOON, outsideEnd } from './sample-flows.ts';

const [file, first] = process.argv.slice(2) as [string, string];
const store = await openHistory({ file, nowMs: () => NOON + 60_000 });

/** One flow that only this batch has, among some that all have. */
function batchAt(sequence: number): ReturnType<typeof batchOf> {
  const own = flow({ source: outsideEnd(BigInt(sequence)) });
  const shared = Array.from({ length: 200 }, (_, index) => flow({ port: index + 1 }));
  return batchOf([own, ...shared], { sequence });
}

for (let sequence = Number(first); ; sequence += 3) {
  const taken = [0, 1, 2].map(async (more) => {
    await store.take(batchAt(sequence + more));
    process.stdout.write(`${sequence + more}\n`);
  });
  await Promise.all(taken);
  // The log becomes part of the file now and then, so that a kill falls into it as well.
  if (sequence % 7 === 0) await store.alone(async ({ writing }) => void (await writing.run('CHECKPOINT')), { reloads: false });
}
