// A look at the world, again every so often until the process is told to end: what fails later than the first time is said and looked at again.
import { sleep } from '../../base/sleep.ts';
import { isFailure, UnreadableInput } from '../../terminal/failures.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { writeNote } from '../../terminal/output.ts';
import { systemClock } from '../system-clock.ts';

export async function lookAgain(everyMs: number, look: () => Promise<void>): Promise<void> {
  const interruption = listenForInterruption();
  try {
    await look();
    for (;;) {
      await sleep(systemClock, everyMs, interruption.signal);
      if (interruption.hasCome()) return;
      await look().catch(sayFailure);
    }
  } finally {
    interruption.stopListening();
  }
}

async function sayFailure(error: unknown): Promise<void> {
  if (!isFailure(error) && !(error instanceof UnreadableInput)) throw error;
  await writeNote(`bulkhead: ${error.message}\n`);
}
