// A clock that stands still until it is turned: timers run in order, and what waits on them gets its turn in between.
import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly at: number;
  readonly act: () => void;
}

export class FakeClock implements Clock {
  private elapsed = 0;
  private dayOffset = Date.UTC(2026, 0, 1);
  private timers: Timer[] = [];
  private readonly chance: () => number;

  constructor(chance: () => number = () => 0.5) {
    this.chance = chance;
  }

  now(): Date {
    return new Date(this.dayOffset + this.elapsed);
  }

  elapsedMs(): number {
    return this.elapsed;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.elapsed + Math.max(0, ms), act };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }

  random(): number {
    return this.chance();
  }

  /** Somebody sets the time of day. */
  jump(ms: number): void {
    this.dayOffset += ms;
  }

  /** What is done now takes so long. */
  spend(ms: number): void {
    this.elapsed += ms;
  }

  /** All that falls due within so many milliseconds. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsed + ms;
    for (;;) {
      await settle();
      const next = this.timers.reduce<Timer | undefined>((first, timer) => (first === undefined || timer.at < first.at ? timer : first), undefined);
      if (next === undefined || next.at > end) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.elapsed = Math.max(this.elapsed, next.at);
      next.act();
    }
    this.elapsed = Math.max(this.elapsed, end);
  }
}

/** Everything that needs no timer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
