// Ctrl-C and its kin: remembered, so that whoever runs can stop in order; the second one ends the process at once.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Exit status of a run that was stopped before it had an answer: 128 and the number of SIGINT, as shells have it. */
export const INTERRUPTED_STATUS = 130;

export interface Interruption {
  readonly hasCome: () => boolean;
  /** Resolves when the first one comes. */
  readonly come: Promise<void>;
  readonly stopListening: () => void;
}

export function listenForInterruption(): Interruption {
  let isSet = false;
  let announce: () => void = () => undefined;
  const come = new Promise<void>((resolve) => (announce = resolve));
  const onSignal = (): void => {
    // Namespaces go with the process, so ending at once leaves nothing either.
    if (isSet) process.exit(INTERRUPTED_STATUS);
    isSet = true;
    announce();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { hasCome: () => isSet, come, stopListening: () => SIGNALS.forEach((signal) => process.off(signal, onSignal)) };
}
