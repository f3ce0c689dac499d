// Opens the same connections again and again, ten times a second and more, and counts those that should not have come through and those that should have.
import { setTimeout as sleep } from 'node:timers/promises';
import { createPollProber } from '../../../src/kernel/poll-probe.ts';
import type { ProbeAnswer, ProbeTask } from '../../../src/kernel/prober.ts';

export interface WatchedPair {
  /** `north/red -> south/blue tcp/80`. */
  readonly name: string;
  readonly task: ProbeTask;
  /** `either` while it may be in between. */
  verdict: 'allowed' | 'denied' | 'either';
}

export interface TrafficReport {
  readonly rounds: number;
  readonly probes: number;
  readonly seconds: number;
  /** The longest time between the beginnings of two rounds. */
  readonly longestGapMs: number;
  readonly leaked: readonly string[];
  readonly wronglyRefused: readonly string[];
}

const ROUND_EVERY_MS = 80;
/** What a busy machine delays is caught up with, up to so much: each round holds its sockets for a while. */
const BEHIND_MS_MAX = 800;

/** Before a lost SYN would be sent again, so that a connection that lost one counts as refused (RFC 6298: after 1 s). */
const ANSWER_WITHIN_MS = 900;

export class TrafficWatch {
  readonly #pairs: readonly WatchedPair[];
  readonly #leaked: string[] = [];
  readonly #refused: string[] = [];
  readonly #rounds = new Set<Promise<void>>();
  readonly #prober = createPollProber();
  readonly #going: Promise<void>;
  readonly #began = performance.now();
  #roundCount = 0;
  #longestGapMs = 0;
  #isEnding = false;

  constructor(pairs: readonly WatchedPair[]) {
    this.#pairs = pairs;
    this.#going = this.#go();
  }

  /** A round ends up to 900 ms after it began, and is judged by the verdicts that held all the while. */
  expect(verdictOf: (pair: WatchedPair) => WatchedPair['verdict']): void {
    for (const pair of this.#pairs) pair.verdict = verdictOf(pair);
  }

  async end(): Promise<TrafficReport> {
    this.#isEnding = true;
    await this.#going;
    const seconds = (performance.now() - this.#began) / 1000;
    await Promise.all(this.#rounds);
    return { rounds: this.#roundCount, probes: this.#roundCount * this.#pairs.length, seconds, longestGapMs: Math.round(this.#longestGapMs), leaked: this.#leaked, wronglyRefused: this.#refused };
  }

  async #go(): Promise<void> {
    for (let last = performance.now(), due = last; !this.#isEnding; await sleep(Math.max(0, due - performance.now()))) {
      due = Math.max(due + ROUND_EVERY_MS, performance.now() - BEHIND_MS_MAX);
      this.#longestGapMs = Math.max(this.#longestGapMs, performance.now() - last);
      last = performance.now();
      const round = this.#probeOnce();
      this.#rounds.add(round);
      void round.finally(() => this.#rounds.delete(round));
    }
  }

  async #probeOnce(): Promise<void> {
    this.#roundCount++;
    const began = new Date().toISOString().slice(11, 23);
    const before = this.#pairs.map(({ verdict }) => verdict);
    const round = this.#prober.open(this.#pairs.map(({ task }) => task));
    try {
      await round.collect(ANSWER_WITHIN_MS);
      for (const [index, pair] of this.#pairs.entries()) {
        if (pair.verdict !== before[index] || pair.verdict === 'either') continue;
        const cameThrough = isThrough(round.answers[index]!);
        if (cameThrough && pair.verdict === 'denied') this.#leaked.push(`${began} ${pair.name}: ${round.answers[index]!}`);
        if (!cameThrough && pair.verdict === 'allowed') this.#refused.push(`${began} ${pair.name}: ${round.answers[index]!} ${round.errnoOf(index)}`);
      }
    } finally {
      round.close();
    }
  }
}

/** A closed port answers too, in the name of who was reached. */
function isThrough(answer: ProbeAnswer): boolean {
  return answer === 'connected' || answer === 'replied' || answer === 'refused';
}
