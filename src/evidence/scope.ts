// A scope that somebody has to answer for, such as all pods with pci=true: its pods, who may come in, and where they may go.
import { WordError } from '../base/word-error.ts';
import type { IpRange } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import type { SettingsScope } from '../lint/settings/settings.ts';
import { findEnds } from '../words/endpoint-words.ts';

export type Scope = SettingsScope;

const HELP = 'write [NAME:] PODS [from END and END] [to END and END] [hops 3]';

/** `pci: pci=true from shop/gateway and shop/web to data/db hops 3`. Throws WordError for a sentence that is none. */
export function parseScope(sentence: string): Scope {
  const [, name, rest] = /^(?:([a-z0-9][a-z0-9 ._-]*):\s+)?(.*)$/is.exec(sentence.trim())!; // it fits every text
  const { head, from, to, hops } = cutParts(rest!);
  if (head === '') throw new WordError(`\`${sentence}\` names no pods`, HELP);
  return { name: name ?? head, pods: head, from: from === undefined ? [] : endWords(from, sentence), to: to === undefined ? undefined : endWords(to, sentence), hopsMax: hops === undefined ? undefined : parseHops(hops), frameworks: undefined };
}

function cutParts(text: string): { readonly head: string; readonly from?: string; readonly to?: string; readonly hops?: string } {
  const pieces = ` ${text}`.split(/\s+(from|to|hops)(?:\s+|$)/);
  const parts = new Map<string, string>();
  for (let at = 1; at < pieces.length; at += 2) {
    const word = pieces[at]!;
    if (parts.has(word)) throw new WordError(`\`${word}\` stands twice in \`${text}\``, HELP);
    parts.set(word, pieces[at + 1]!.trim());
  }
  return { head: pieces[0]!.trim(), ...Object.fromEntries(parts) };
}

function endWords(text: string, sentence: string): readonly string[] {
  const words = ` ${text}`.split(/\s+and(?:\s+|$)/).map((word) => word.trim());
  if (words.includes('')) throw new WordError(`an end is missing in \`${sentence}\``, HELP);
  return words;
}

function parseHops(word: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(word)) throw new WordError(`\`${word}\` is no number of hops`, 'write hops 3');
  return Number(word);
}

/** What several words name together. */
export interface NamedTogether {
  /** Indices of `cluster.pods`. */
  readonly pods: ReadonlySet<number>;
  /** Addresses of nobody here. */
  readonly ranges: readonly IpRange[];
  /** Names of domains. */
  readonly names: ReadonlySet<string>;
}

/** Throws WordError for a word that names nothing here. */
export function nameTogether(program: Program, words: readonly string[]): NamedTogether {
  const named = words.map((word) => findEnds(program, word));
  const ends = named.flatMap((one) => one.ends);
  return {
    pods: new Set(ends.flatMap((end) => end.pods)),
    ranges: named.flatMap(({ ranges }) => ranges),
    names: new Set(ends.flatMap(({ ref }) => (ref.kind === 'domain-name' ? [ref.name] : []))),
  };
}

/** Throws WordError where the word names addresses, or nothing. */
export function podsOfScope(program: Program, { pods: word }: Scope): ReadonlySet<number> {
  const { pods } = nameTogether(program, [word]);
  if (pods.size === 0) throw new WordError(`\`${word}\` names no pods, and a scope is pods`, 'write namespace/name, namespace/* or key=value');
  return pods;
}
