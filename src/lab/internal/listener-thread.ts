// The thread behind all listeners of a lab: it waits in epoll, so that probes get answers while the main thread is busy.
import { workerData } from 'node:worker_threads';
import { Answerer, type ListenerData } from './answer-watches.ts';
import { waitForWatches } from './epoll.ts';

/** A thread that is told to end, but not by its wake descriptor, does so after this. */
const WAIT_MAX_MS = 1000;

const data = workerData as ListenerData; // written by `Listeners.start`, the only one who starts this file
const answerer = new Answerer(data);

for (let isAwake = false; !isAwake; ) {
  for (const ready of waitForWatches(data.epoll, WAIT_MAX_MS)) {
    if (ready.kind === 'wake') isAwake = true;
    else answerer.answer(ready);
  }
}
answerer.closeConnections();
