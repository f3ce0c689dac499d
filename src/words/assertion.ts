// Assertions about a set of policies, and the sentences that say them: `deny shop/web -> internet`, `isolated shop`.
import { nearestWord } from '../base/near-miss.ts';
import { WordError } from '../base/word-error.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { formatEndWord, type EndWord } from './endpoint-words.ts';

export type Assertion = ConnectionAssertion | IsolationAssertion | PathAssertion;

/** `allow` holds when every pair may talk on every port, `deny` when no pair may on any. */
export interface ConnectionAssertion {
  readonly kind: 'allow' | 'deny';
  readonly source: EndWord;
  readonly target: EndWord;
  /** Port words; `any` is every port of every protocol. undefined: those that the target's word names, else `any`. */
  readonly ports: readonly string[] | undefined;
}

/** Holds when a NetworkPolicy isolates every pod, so that nothing passes which no rule allows. */
export interface IsolationAssertion {
  readonly kind: 'isolated';
  readonly subject: EndWord;
  readonly directions: readonly Direction[];
}

/** Holds when no chain of connections leads from a source to a target, through whatever pods. */
export interface PathAssertion {
  readonly kind: 'no-path';
  readonly source: EndWord;
  readonly target: EndWord;
  /** Longest chain looked at, in connections; undefined: any. */
  readonly hopsMax: number | undefined;
}

const HELP = 'write allow A -> B on tcp/80, deny A -> B, isolated NAMESPACE, or no-path A -> B hops 3';

/** Throws WordError for a sentence that is none. */
export function parseAssertion(sentence: string): Assertion {
  const [, verb = '', rest = ''] = /^\s*([a-z-]+)\s+(.*?)\s*$/i.exec(sentence) ?? [];
  switch (verb) {
    case 'allow':
    case 'deny': {
      const [ends, ports] = cutTail(rest, 'on');
      return { kind: verb, ...parseEnds(sentence, ends), ports: ports?.split(',').map((port) => port.trim()) };
    }
    case 'no-path': {
      const [ends, hops] = cutTail(rest, 'hops');
      return { kind: verb, ...parseEnds(sentence, ends), hopsMax: hops === undefined ? undefined : parseHops(hops) };
    }
    case 'isolated': {
      const [subject, direction] = cutTail(rest, 'for');
      if (direction !== undefined && direction !== 'ingress' && direction !== 'egress') throw new WordError(`\`${direction}\` is no direction`, 'write isolated NAMESPACE for ingress, or for egress');
      return { kind: verb, subject, directions: direction === undefined ? DIRECTIONS : [direction] };
    }
    default: {
      const near = nearestWord(verb, ['allow', 'deny', 'isolated', 'no-path']);
      throw new WordError(`\`${sentence}\` is no assertion`, near === undefined || near === verb ? HELP : `did you mean ${near}?`);
    }
  }
}

export function formatAssertion(assertion: Assertion): string {
  switch (assertion.kind) {
    case 'allow':
    case 'deny':
      return `${assertion.kind} ${formatPair(assertion)}${assertion.ports === undefined ? '' : ` on ${assertion.ports.join(', ')}`}`;
    case 'no-path':
      return `no-path ${formatPair(assertion)}${assertion.hopsMax === undefined ? '' : ` hops ${assertion.hopsMax}`}`;
    case 'isolated':
      return `isolated ${formatEndWord(assertion.subject)}${assertion.directions.length === 1 ? ` for ${assertion.directions[0]}` : ''}`;
  }
}

function formatPair({ source, target }: { readonly source: EndWord; readonly target: EndWord }): string {
  return `${formatEndWord(source)} -> ${formatEndWord(target)}`;
}

function cutTail(text: string, word: string): [head: string, tail: string | undefined] {
  const match = new RegExp(`^(.*\\S)\\s+${word}\\s+(\\S.*)$`).exec(text);
  return match === null ? [text, undefined] : [match[1]!, match[2]!];
}

function parseEnds(sentence: string, text: string): { readonly source: string; readonly target: string } {
  const [source = '', target = '', ...more] = text.split(/\s*(?:->|→)\s*/);
  if (source === '' || target === '' || more.length > 0) throw new WordError(`\`${sentence}\` does not name two ends`, HELP);
  return { source, target };
}

function parseHops(word: string): number {
  const hops = Number(word);
  if (!Number.isSafeInteger(hops) || hops < 1) throw new WordError(`\`${word}\` is no number of hops`, 'write hops 3');
  return hops;
}
