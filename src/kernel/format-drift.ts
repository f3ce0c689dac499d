// A drift as one sentence, for logs, status and Events.
import type { Drift } from './firewall.ts';

const WHAT: Readonly<Record<Drift['kind'], string>> = {
  gone: 'the table was gone, and everything open until now',
  rules: 'rules of the table were changed',
  elements: 'what stands in the sets of the table was changed',
};

/** Phrases that a sentence carries; the rest is in the value. */
const PHRASES_MAX = 5;

export function formatDrift({ kind, found, by }: Drift): string {
  const who = by === undefined ? '' : `, by \`${by.name}\` (process ${by.pid})`;
  const more = found.length > PHRASES_MAX ? ` and ${found.length - PHRASES_MAX} more` : '';
  const phrases = found.length === 0 ? '' : `: ${found.slice(0, PHRASES_MAX).join(', ')}${more}`;
  return `${WHAT[kind]}${who}${phrases}`;
}
