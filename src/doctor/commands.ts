// Commands with what the cluster tells filled in: only words that fit what a provider's names look like, and quoted, for anybody may write a label.
import type { ClusterFacts, NodeFacts } from './facts.ts';
import type { ProviderKnowledge, Remedy, Source } from './knowledge.ts';
import { readSignal } from './signals.ts';

export interface FilledRemedy {
  readonly title: string;
  /** To be typed; words in capitals are left to fill in. */
  readonly commands: readonly string[];
  readonly effects: string;
  readonly needs: string | undefined;
  readonly deadline: string | undefined;
  readonly source: Source | undefined;
}

type Words = Readonly<Record<string, string>>;

/** Words that all of these nodes agree on. */
export function wordsOf(provider: ProviderKnowledge | undefined, { facts, nodes }: { readonly facts: ClusterFacts; readonly nodes: readonly NodeFacts[] }): Words {
  const found = Object.entries(provider?.values ?? {}).flatMap(([word, { signal, pattern }]) => {
    const values = new Set(nodes.map((node) => fitting(readSignal({ facts, node, pod: undefined }, signal), pattern)));
    const [value] = values;
    return values.size === 1 && value !== undefined ? [[word, value] as const] : [];
  });
  return Object.fromEntries(found);
}

function fitting(reading: ReturnType<typeof readSignal>, pattern: string): string | undefined {
  if (reading.kind === 'unread' || reading.value === undefined) return undefined;
  const match = new RegExp(pattern).exec(reading.value);
  return match?.[1] ?? match?.[0];
}

export function fillRemedy({ title, commands, effects, needs, deadline }: Remedy, words: Words, source: Source | undefined): FilledRemedy {
  return { title, commands: commands.map((command) => fill(command, words)), effects, needs, deadline, source };
}

function fill(command: string, words: Words): string {
  return command.replace(/\{([A-Z_]+)\}/g, (_, word: string) => (words[word] === undefined ? word : shellWord(words[word])));
}

/** Left as it is where no shell could read it otherwise; else between single quotes. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
