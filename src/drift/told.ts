// What somebody has been told of drift, kept from run to run: the same is told once, and once more when it is over.
import * as v from 'valibot';
import { WordError } from '../base/word-error.ts';
import { DRIFT_KINDS, keyOf, type Drift } from './drift.ts';

/** What is remembered; beyond it nothing new is told singly. */
export const TOLD_MAX = 5000;

/** Of a Date: ECMAScript, "Time Values and Time Range". */
const TIME_MAX = 8.64e15;

export interface ToldDrift extends Drift {
  /** When it was first found: milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface News {
  readonly fresh: readonly ToldDrift[];
  /** Told before, and no longer so. */
  readonly resolved: readonly ToldDrift[];
  /** Told before, and still so. */
  readonly standing: readonly ToldDrift[];
  /** Fresh ones that find no room among what is remembered. */
  readonly more: number;
}

export function newsOf(told: readonly ToldDrift[], drifts: readonly Drift[], nowMs: number): News {
  const [before, now] = [new Map(told.map((one) => [keyOf(one), one])), new Set(drifts.map(keyOf))];
  const standing = drifts.flatMap((drift) => {
    const known = before.get(keyOf(drift));
    return known === undefined ? [] : [{ ...drift, sinceMs: known.sinceMs }];
  });
  const unknown = drifts.filter((drift) => !before.has(keyOf(drift)));
  const fresh = unknown.slice(0, Math.max(0, TOLD_MAX - standing.length)).map((drift) => ({ ...drift, sinceMs: nowMs }));
  return { fresh, resolved: told.filter((one) => !now.has(keyOf(one))), standing, more: unknown.length - fresh.length };
}

const toldFile = v.strictObject({
  apiVersion: v.literal('bulkhead/v1'),
  kind: v.literal('ToldDrift'),
  told: v.pipe(v.array(v.strictObject({ kind: v.picklist(DRIFT_KINDS), subject: v.string(), message: v.string(), sinceMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(TIME_MAX)) })), v.maxLength(TOLD_MAX)),
});

export function toldText({ standing, fresh }: News): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'ToldDrift', told: [...standing, ...fresh] }, undefined, 1)}\n`;
}

/** Throws WordError for what `toldText` never wrote: to begin anew would tell everything again. */
export function readTold(text: string): readonly ToldDrift[] {
  const read = v.safeParse(toldFile, parseJson(text));
  if (!read.success) throw new WordError('the file of what was told cannot be understood', 'take it away, and all that has drifted is told again');
  return read.output.told;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
