// Listens for new refusals, so that they are told at once: the kernel rings for them, and the ledger says what was refused.
import type { Clock } from '../base/clock.ts';
import { FirewallError } from '../kernel/firewall-error.ts';
import type { OpenPacketLog, PacketLog } from '../kernel/packet-log.ts';

export interface DenialBellOptions {
  readonly open: OpenPacketLog;
  readonly clock: Pick<Clock, 'after'>;
  readonly onRing: () => void;
  /** Why it does not ring; undefined: it does. */
  readonly onProblem: (message: string | undefined) => void;
}

/** A log group that could not be had is tried again. */
const RETRY_MS = 10_000;

/** A class, for it lives in time. */
export class DenialBell {
  readonly #options: DenialBellOptions;
  #log: PacketLog | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: DenialBellOptions) {
    this.#options = options;
    this.#open();
  }

  end(): void {
    this.#cancelRetry?.();
    this.#log?.close();
  }

  #open(): void {
    const { open, onRing, onProblem } = this.#options;
    try {
      // One that was lost has rung as well.
      this.#log = open({ packet: onRing, lost: onRing, failed: (error) => this.#fail(error) });
      onProblem(undefined);
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      this.#fail(error);
    }
  }

  #fail(error: FirewallError): void {
    const { clock, onProblem } = this.#options;
    this.#log = undefined;
    onProblem(`refusals are told by the step and not at once: ${error.message}`);
    this.#cancelRetry = clock.after(RETRY_MS, () => this.#open());
  }
}
