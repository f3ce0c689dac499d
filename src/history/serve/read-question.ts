// The query of a request becomes a question to the store.
import { GROUP_KEYS, type GroupKey } from '../../flow/group-flows.ts';
import { WordError } from '../../base/word-error.ts';
import { parseSince } from '../../words/time-words.ts';
import type { Question } from '../ask/ask-store.ts';

export interface AskedQuestion extends Omit<Question, 'readable'> {
  readonly namespaces: readonly string[];
  readonly follows: boolean;
  readonly groupBy: GroupKey | undefined;
}

const NAMES: ReadonlySet<string> = new Set(['from', 'to', 'port', 'verdict', 'since', 'until', 'new-since', 'limit', 'follow', 'group-by', 'namespace']);
export const LIMIT_MAX = 10_000_000;

/** Throws WordError: an unknown word would change the answer without a sign. */
export function readQuestion(query: URLSearchParams, nowMs: number): AskedQuestion {
  for (const name of query.keys()) if (!NAMES.has(name)) throw new WordError(`\`${name}\` is no part of a question`, `there are ${[...NAMES].join(', ')}`);
  const [verdict, limit, groupBy, follow] = [query.get('verdict'), query.get('limit'), query.get('group-by'), query.get('follow')];
  if (follow !== null && follow !== 'true' && follow !== 'false') throw new WordError(`\`${follow}\` does not say whether to follow`, 'write follow=true');
  if (follow === 'true' && (groupBy !== null || limit !== null)) throw new WordError('whoever follows is shown what comes, each flow by itself', 'leave out `follow`, or `group-by` and `limit`');
  if (verdict !== null && verdict !== 'allowed' && verdict !== 'denied') throw new WordError(`\`${verdict}\` is no verdict`, 'write allowed or denied');
  if (limit !== null && !(/^[0-9]{1,8}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= LIMIT_MAX)) throw new WordError(`\`${limit}\` is no limit`, `write a number from 1 to ${LIMIT_MAX}`);
  return {
    source: query.get('from') ?? undefined,
    target: query.get('to') ?? undefined,
    port: query.get('port') ?? undefined,
    verdict: verdict ?? undefined,
    sinceMs: timeOf(query, 'since', nowMs),
    untilMs: timeOf(query, 'until', nowMs),
    newSinceMs: timeOf(query, 'new-since', nowMs),
    limit: limit === null ? undefined : Number(limit),
    follows: follow === 'true',
    groupBy: groupBy === null ? undefined : groupKeyOf(groupBy),
    namespaces: query.getAll('namespace'),
  };
}

function groupKeyOf(word: string): GroupKey {
  const key = GROUP_KEYS.find((one) => one === word);
  if (key === undefined) throw new WordError(`flows are not grouped by \`${word}\``, `there are ${GROUP_KEYS.join(', ')}`);
  return key;
}

function timeOf(query: URLSearchParams, name: string, nowMs: number): number | undefined {
  const word = query.get(name);
  return word === null ? undefined : parseSince(word, nowMs);
}
