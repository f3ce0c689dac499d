// One observation: connections that should come through and connections that should not, tried together until all are as expected.
import type { Clock } from '../base/clock.ts';
import type { IpFamily } from '../base/ip-address.ts';
import { ATTEMPT_MS, type Attempt } from './connect-script.ts';
import type { ProbeGround, ReadyPod } from './probe-ground.ts';

export interface Expected {
  readonly source: ReadyPod;
  readonly target: ReadyPod;
  readonly port: number;
  readonly protocol: Attempt['protocol'];
  readonly family: IpFamily;
  readonly isAllowed: boolean;
}

export interface Observation {
  readonly isRight: boolean;
  /** After so long at most everything was as expected; undefined: it never was, within the time. */
  readonly effectMs: number | undefined;
  /** At the end. */
  readonly wrong: readonly Expected[];
  readonly tried: number;
}

export interface ObserveOptions {
  readonly clock: Clock;
  /** 0: one look. */
  readonly withinMs: number;
}

/** A single look in an open moment would lie both ways: only all of them at once count. */
export async function observe(ground: ProbeGround, expected: readonly Expected[], { clock, withinMs }: ObserveOptions): Promise<Observation> {
  const start = clock.elapsedMs();
  for (;;) {
    const came = await ground.tryAll(expected.map((one) => ({ source: one.source, attempt: attemptOf(one) })));
    const wrong = expected.filter(({ isAllowed }, index) => came[index] !== isAllowed);
    const elapsed = clock.elapsedMs() - start;
    // What was refused was sent that much earlier.
    if (wrong.length === 0) return { isRight: true, effectMs: Math.max(0, elapsed - (expected.some(({ isAllowed }) => !isAllowed) ? ATTEMPT_MS : 0)), wrong, tried: expected.length };
    if (elapsed >= withinMs) return { isRight: false, effectMs: undefined, wrong, tried: expected.length };
  }
}

function attemptOf({ target, family, port, protocol }: Expected): Attempt {
  return { address: target.addresses.find((address) => address.family === family)!, port, protocol }; // expectations are made for families that the target has
}

/** `shop/a -> shop/b TCP/80 over IPv4 came through`. */
export function wrongText({ source, target, port, protocol, family, isAllowed }: Expected): string {
  return `${source.name} on ${source.node} -> ${target.name} on ${target.node} ${protocol}/${port} over IPv${family} ${isAllowed ? 'was refused' : 'came through'}`;
}
