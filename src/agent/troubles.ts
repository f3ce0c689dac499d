// What keeps a node from being as it should, each with the moment since when.
import type { Clock } from '../base/clock.ts';
import type { Trouble, TroubleCode } from './agent-state.ts';

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

  /** `messages`, by what they are about, are all of the code that there are. */
  setAll(code: TroubleCode, messages: ReadonlyMap<string, string>): void {
    for (const key of this.held.keys()) if (key.startsWith(`${code} `) && !messages.has(key.slice(code.length + 1))) this.held.delete(key);
    for (const [about, message] of messages) this.set(code, about, message);
  }

  list(): readonly Trouble[] {
    return [...this.held.values()];
  }
}
