// Names of a cluster go in, and policies of a named pattern come out, with comments that say what they do.
import { ADDRESS_PATTERNS } from './address-patterns.ts';
import { CLOSING_PATTERNS } from './closing-patterns.ts';
import { POD_PATTERNS } from './pod-patterns.ts';
import type { Pattern } from './pattern-shape.ts';

/** In the order in which they are listed: what closes, then what opens again. */
export const PATTERNS: readonly Pattern[] = [...CLOSING_PATTERNS, ...POD_PATTERNS, ...ADDRESS_PATTERNS];

export function findPattern(name: string): Pattern | undefined {
  return PATTERNS.find((pattern) => pattern.name === name);
}
