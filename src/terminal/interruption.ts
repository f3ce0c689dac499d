// Ctrl-C and its kin: remembered, so that whoever runs can stop in order; the second one ends the process at once.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Exit status of a run that was stopped before it had an answer: 128 and the number of SIGINT, as shells have it. */
export const INTERRUPTED_STATUS = 130;

export interface Interruption {
  readonly hasCome: () => boolean;
  /** Resolves when the first one comes. */
  readonly come: Promise<void>;
  /** Aborted by the first one. A wait in a loop goes by this: what races a promise that outlives it stays with the promise. */
  readonly signal: AbortSignal;
  readonly stopListening: () => void;
}

export function listenForInterruption(): Interruption {
  const stop = new AbortController();
  const { signal } = stop;
  let announce: () => void = () => undefined;
  const come = new Promise<void>((resolve) => (announce = resolve));
  const onSignal = (): void => {
    // Namespaces go with the process, so ending at once leaves nothing either.
    if (signal.aborted) process.exit(INTERRUPTED_STATUS);
    stop.abort();
    announce();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { hasCome: () => signal.aborted, come, signal, stopListening: () => SIGNALS.forEach((signal) => process.off(signal, onSignal)) };
}
