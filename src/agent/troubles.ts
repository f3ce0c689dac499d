// What keeps a node from being as it should, each with the moment since when.
import type { Trouble, TroubleCode } from './agent-state.ts';
import type { Clock } from './clock.ts';

export class Troubles {
  private readonly clock: Pick<Clock, 'now'>;
  private readonly held = new Map<string, Trouble>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock;
  }

  /** `about` tells apart several of one code. The moment stays that of the first message. */
  set(code: TroubleCode, about: string, message: string): void {
    const key = `${code} ${about}`;
    this.held.set(key, { code, message, since: this.held.get(key)?.since ?? this.clock.now() });
  }

  clear(code: TroubleCode, about: string): void {
    this.held.delete(`${code} ${about}`);
  }

  list(): readonly Trouble[] {
    return [...this.held.values()];
  }
}
