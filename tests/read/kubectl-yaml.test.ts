// A second opinion on YAML: Go's own `sigs.k8s.io/yaml`, with which kubectl reads, on hundreds of texts and on random ones.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { TextProblem } from '../../src/read/text/text-problem.ts';
import { parseYaml, type Value } from '../../src/read/text/yaml-value.ts';
import { cloneRoot, needs } from '../needs.ts';
import { INSERTIONS, SEEDS, SNIPPETS } from './kubectl-yaml/snippets.ts';

const RANDOM_TEXTS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 200_000 : 3000;

interface GoReading {
  readonly json: string;
  readonly error: string;
}

test('texts mean what they mean to kubectl, or are refused', needs('go'), () => withReader((read) => compare(read, SNIPPETS.map(asChunk), 30)));

test('random texts mean what they mean to kubectl, or are refused', needs('go'), () => {
  const seed = Number(process.env['BULKHEAD_SEED'] ?? 20_240_601);
  const texts = fc.sample(mutatedText, { numRuns: RANDOM_TEXTS, seed }).map(asChunk);
  withReader((read) => compare(read, texts, RANDOM_TEXTS / 50));
});

// Every document that kubectl's reader cuts out ends in a line break.
function asChunk(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/**
 * A value that differs is a wrong answer. What Go reads and we refuse is closed, and what Go refuses and we read is
 * something that no server ever gets; both stay few.
 */
function compare(read: (texts: readonly string[]) => readonly GoReading[], texts: readonly string[], laxMax: number): void {
  const readings = read(texts);
  const lax: string[] = [];
  let alike = 0;
  for (const [index, text] of texts.entries()) {
    const reading = readings[index]!;
    const ours = readOurs(text);
    if (ours === undefined) continue;
    if (reading.error !== '') {
      lax.push(text);
      continue;
    }
    const theirs = withoutMinusZero(JSON.parse(reading.json));
    alike++;
    // A document that is a single text is no object, whatever the text.
    if (typeof ours.value === 'string' && typeof theirs === 'string') continue;
    assert.deepEqual(ours.value, theirs, `of ${JSON.stringify(text)}`);
  }
  assert.ok(lax.length <= laxMax, `${lax.length} texts that kubectl refuses, such as ${JSON.stringify(lax.slice(0, 5))}`);
  assert.ok(alike > texts.length / 10, `only ${alike} of ${texts.length} texts were read by both`);
}

function withoutMinusZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** undefined: refused. Plain objects, as JSON gives them. */
function readOurs(text: string): { readonly value: Value } | undefined {
  try {
    const { values } = parseYaml(text);
    // What stands behind `...` is refused one level up.
    return values.length > 1 ? undefined : { value: JSON.parse(JSON.stringify(values[0] ?? null)) as Value };
  } catch (error) {
    if (error instanceof TextProblem) return undefined;
    throw error;
  }
}

const edit = fc.oneof(
  fc.record({ kind: fc.constant('delete' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), text: fc.constantFrom(...INSERTIONS) }),
  fc.record({ kind: fc.constant('copy' as const), at: fc.nat(), from: fc.nat(), length: fc.nat({ max: 25 }) }),
);

const mutatedText = fc
  .record({ seed: fc.constantFrom(...SEEDS, ...SNIPPETS.slice(-120)), edits: fc.array(edit, { minLength: 1, maxLength: 4 }) })
  .map(({ seed, edits }) =>
    edits.reduce((text, change) => {
      const at = change.at % (text.length + 1);
      if (change.kind === 'delete') return text.slice(0, at) + text.slice(at + change.length);
      if (change.kind === 'insert') return text.slice(0, at) + change.text + text.slice(at);
      const from = change.from % (text.length + 1);
      return text.slice(0, at) + text.slice(from, from + change.length) + text.slice(at);
    }, seed),
  )
  // Half of a surrogate pair does not survive the way to Go.
  .filter((text) => text.isWellFormed());

function withReader(use: (read: (texts: readonly string[]) => readonly GoReading[]) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-yaml-'));
  try {
    const program = join(folder, 'kubectl-yaml');
    const built = spawnSync('go', ['build', '-o', program, '.'], { cwd: join(cloneRoot, 'tests/read/kubectl-yaml'), encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    use((texts) => {
      const ran = spawnSync(program, [], { input: JSON.stringify(texts), encoding: 'utf8', maxBuffer: 1024 * 1024 * 1024 });
      assert.equal(ran.status, 0, ran.stderr);
      return JSON.parse(ran.stdout) as GoReading[];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
