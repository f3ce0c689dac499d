// Inputs nobody would write: random bytes, and manifests with everything done to them that can be done to a text. The same number gives the same input.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloneRoot } from '../needs.ts';

/** 32 bits at a time (mulberry32). */
export type Chance = () => number;

function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Longest input that repetition makes, in UTF-16 units. */
const LENGTH_MAX = 300_000;

export function fuzzInput(seed: number, index: number): Uint8Array {
  const chance = chanceOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  for (let warm = 0; warm < 4; warm++) chance();
  const kind = chance() % 10;
  if (kind === 0) return Uint8Array.from({ length: chance() % 400 }, () => chance() & 0xff);
  if (kind === 1) return encode(Array.from({ length: chance() % 60 }, () => pick(chance, PIECES)).join(''));
  let text = pick(chance, corpus());
  for (let count = 1 + (chance() % 6); count > 0; count--) text = pick(chance, MUTATIONS)(text, chance).slice(0, LENGTH_MAX);
  const bytes = encode(text);
  if (kind === 2 && bytes.length > 0) bytes[chance() % bytes.length] = chance() & 0xff;
  return bytes;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pick<Value>(chance: Chance, values: readonly Value[]): Value {
  return values[chance() % values.length]!;
}

let texts: readonly string[] | undefined;

/** Every fenced block of the pages, and the example. */
function corpus(): readonly string[] {
  texts ??= [
    ...globSync('cases/**/*.md', { cwd: cloneRoot }).sort().flatMap((file) => [...read(file).matchAll(/^(`{3,4})[a-z ]+\n([^]*?)^\1$/gm)].map((match) => match[2]!)),
    ...globSync('examples/**/*.yaml', { cwd: cloneRoot }).sort().map(read),
    ...globSync('docs/**/*.md', { cwd: cloneRoot }).sort().map(read),
  ];
  return texts;
}

function read(file: string): string {
  return readFileSync(join(cloneRoot, file), 'utf8');
}

const PIECES: readonly string[] = [
  'apiVersion: networking.k8s.io/v1\n', 'kind: NetworkPolicy\n', 'metadata:', ' name: x', 'spec:', 'podSelector:', 'ingress:', 'from:', '- ', '-', '\u2014 ', '  ', '\t', '\n', '\n', '\r\n', '```\n', '---\n', '--- x\n', '...\n', '{', '}', '[', ']', ',', ':', ': ', '"', "'", '\u201c', '|\n', '>-\n', '#', '&a ', '*a', '<<: ', '!!binary ', '? ', '%YAML 1.1\n', '&nbsp;', '<pre>', '$ cat <<EOF\n', 'EOF\n', '1 ', '2  ', '> ', '+', '\uff1a', '\u3000', '\u200b', '\ufeff', '\u0000', '\ud800', '__proto__: ', 'constructor: ', '1e999', '0x', '010', 'yes', '~', 'items:', '{"items":[', '10.0.0.0/8', 'a: b\n',
];

const MUTATIONS: readonly ((text: string, chance: Chance) => string)[] = [
  (text, chance) => insertAt(text, chance, pick(chance, PIECES)),
  (text, chance) => insertAt(text, chance, pick(chance, PIECES).repeat(1 + (chance() % (chance() % 20 === 0 ? 5000 : 20)))),
  (text, chance) => onLines(text, chance, (lines, at) => lines.splice(at, 1 + (chance() % 3))),
  (text, chance) => onLines(text, chance, (lines, at) => lines.splice(at, 0, lines[chance() % lines.length]!)),
  (text, chance) => onLines(text, chance, (lines, at) => (lines[at] = lines[at]!.replace(/^\s*/, pick(chance, ['', ' ', '  ', '   ', '      ', '\t', ' \t', '\u00a0\u00a0'])))),
  (text, chance) => onLines(text, chance, (lines, at) => (lines[at] = lines[at]!.replace(pick(chance, ['- ', ': ', '"', ':', '[']), pick(chance, PIECES)))),
  (text, chance) => onLines(text, chance, (lines, at) => lines.splice(at, 0, ...lines.slice(at, at + 8), ...lines.slice(at, at + 8))),
  (text, chance) => text.slice(0, chance() % (text.length + 1)),
  (text, chance) => text.slice(chance() % (text.length + 1)),
  (text, chance) => text.replaceAll(pick(chance, ['\n', '  ', '- ', ': ', '{}', '"']), pick(chance, ['\n', '\r\n', '\t', ' ', '', ' - ', '- - ', '\u2013 ', '[', '{'])),
  (text, chance) => text + pick(chance, ['', '---\n', '\n']) + pick(chance, corpus()),
  (text, chance) => text.replace(/\b\w+\b/, () => pick(chance, ['null', 'true', '0', '{}', '[]', '"80"', '-1', '1e400', 'NetworkPolicy', 'List'])),
  (text, chance) => (chance() % 10 === 0 ? text.repeat(1 + (chance() % 20)) : text),
];

function insertAt(text: string, chance: Chance, piece: string): string {
  const at = chance() % (text.length + 1);
  return text.slice(0, at) + piece + text.slice(at);
}

function onLines(text: string, chance: Chance, change: (lines: string[], at: number) => void): string {
  const lines = text.split('\n');
  change(lines, chance() % lines.length);
  return lines.join('\n');
}
