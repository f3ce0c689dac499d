// Gives generations that no live flow carries.
import { clearStaleMarks } from './conntrack.ts';
import { generationMax, nextGeneration } from '../generation-number.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';

export class GenerationSource {
  private readonly socket: NetfilterSocket;
  private readonly mask: number;
  /** Values that no flow carries, since this process took them off or never set them. */
  private clean = new Set<number>();

  constructor(socket: NetfilterSocket, mask: number) {
    this.socket = socket;
    this.mask = mask;
  }

  /** The one after `current`, undefined at the start. When it is not clean, all but the current one are made so. */
  take(current: number | undefined): number {
    const next = nextGeneration(current ?? 0, this.mask);
    if (!this.clean.has(next)) {
      clearStaleMarks(this.socket, this.mask, current ?? 0);
      this.clean = new Set(Array.from({ length: generationMax(this.mask) }, (_, index) => index + 1));
      if (current !== undefined) this.clean.delete(current);
    }
    return next;
  }

  /** From here on flows carry it. */
  use(generation: number): void {
    this.clean.delete(generation);
  }

  /** Another process may have stamped flows. */
  forget(): void {
    this.clean.clear();
  }
}
