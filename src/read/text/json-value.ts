// Turns one JSON text into a value, and finds keys that stand in it twice.
import { findDuplicateKey, parsePlaces } from './place-tree.ts';
import { TextProblem } from './text-problem.ts';
import type { Value } from './yaml-value.ts';

/** `colons`: how many pairs the text holds; a value with fewer has lost one to a duplicate key. Throws `TextProblem`. */
export function parseJson(text: string, colons: number): Value {
  let value: Value;
  try {
    value = JSON.parse(text) as Value;
  } catch (error) {
    throw syntaxProblem(text, error);
  }
  if (countPairs(value) !== colons) throw duplicateProblem(text);
  return value;
}

/** undefined: it is no JSON, or a key stands in it twice. */
export function tryParseJson(text: string, colons: number): Value | undefined {
  try {
    const value = JSON.parse(text) as Value;
    return countPairs(value) === colons ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Recursion is bounded: whoever cut the text has counted its depth. */
function countPairs(value: Value): number {
  if (typeof value !== 'object' || value === null) return 0;
  let pairs = 0;
  if (Array.isArray(value)) {
    for (const item of value as readonly Value[]) pairs += countPairs(item);
    return pairs;
  }
  const map = value as { readonly [key: string]: Value };
  for (const key of Object.keys(map)) {
    pairs++;
    const inner = map[key]!;
    if (typeof inner === 'object') pairs += countPairs(inner);
  }
  return pairs;
}

function syntaxProblem(text: string, error: unknown): TextProblem {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  const start = position === undefined ? text.length : Math.min(Number(position), text.length);
  const said = message.replace(/ in JSON at position .*$/s, '').replace(/, ".*$/s, '');
  return new TextProblem({ code: 'json-syntax', message: `this is no JSON: ${said.charAt(0).toLowerCase()}${said.slice(1)}`, start, end: Math.min(start + 1, text.length) });
}

function duplicateProblem(text: string): TextProblem {
  const root = parsePlaces(text);
  const found = root === undefined ? undefined : findDuplicateKey(root);
  return new TextProblem({
    code: 'yaml-duplicate-key',
    message: `the key \`${found?.key ?? ''}\` stands here twice; kubectl would silently keep the last`,
    start: found?.second.start ?? 0,
    end: found?.second.end ?? 0,
    help: 'keep one of the two',
    ...(found === undefined ? {} : { related: { message: 'the first one', ...found.first } }),
  });
}
