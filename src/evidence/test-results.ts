// Results of tests that were run before, as `bulkhead test -o json` wrote them.
import * as v from 'valibot';
import { WordError } from '../base/word-error.ts';

/** A run of test files: here, or earlier. */
export interface TestRun {
  /** Of the file of results. */
  readonly name: string;
  readonly where: 'static' | 'lab' | 'cluster';
  /** When it ended, ISO 8601 in UTC; undefined: its results do not say. */
  readonly at: string | undefined;
  /** That were tried. */
  readonly connections: number;
  readonly held: number;
  readonly failed: number;
  /** Sentences of those that did not hold, with the name of their test. */
  readonly failures: readonly string[];
  /** Sentences of those that held where connections were tried for them; the others that held were computed alone. */
  readonly confirmed: readonly string[];
}

const schema = v.object({
  apiVersion: v.literal('bulkhead/v1'),
  kind: v.literal('TestReport'),
  in: v.picklist(['static', 'lab', 'cluster']),
  at: v.optional(v.pipe(v.string(), v.isoTimestamp(), v.regex(/Z$/))),
  held: v.number(),
  failed: v.number(),
  tests: v.array(v.object({ name: v.string(), results: v.array(v.object({ expectation: v.string(), holds: v.boolean(), tried: v.optional(v.object({ connections: v.pipe(v.number(), v.integer(), v.minValue(0)) })) })) })),
});

/** Throws WordError where the text is no such answer, or does not agree with itself. */
export function readTestRun(name: string, text: string): TestRun {
  const parsed = v.safeParse(schema, parsedJson(text));
  const wrong = new WordError(`\`${name}\` holds no results of tests`, 'write them with bulkhead test … -o json');
  if (!parsed.success) throw wrong;
  const { in: where, at, held, failed, tests } = parsed.output;
  const results = tests.flatMap((test) => test.results.map(({ expectation, holds, tried }) => ({ sentence: `${test.name}: ${expectation}`, holds, connections: tried?.connections ?? 0 })));
  const failures = results.filter(({ holds }) => !holds).map(({ sentence }) => sentence);
  if (failures.length !== failed || results.length !== held + failed) throw wrong;
  const confirmed = results.filter((one) => one.holds && one.connections > 0).map(({ sentence }) => sentence);
  const connections = results.reduce((sum, one) => sum + one.connections, 0);
  return { name, where, at: at === undefined ? undefined : new Date(at).toISOString(), connections, held, failed, failures, confirmed };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
